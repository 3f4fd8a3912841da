import { UsageReport } from "../../kit/usage/report.tsx";
import { Page } from "../../ui/page.tsx";

export function UsagePage() {
  return (
    <Page title="Usage" lead="Requests and tokens, updated within two seconds.">
      <UsageReport />
    </Page>
  );
}
