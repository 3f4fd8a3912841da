import { Page } from "../../ui/page.tsx";
import { UsageReport } from "./report.tsx";

export function UsagePage() {
  return (
    <Page title="Usage" lead="Requests and tokens, visible within two seconds.">
      <UsageReport />
    </Page>
  );
}
