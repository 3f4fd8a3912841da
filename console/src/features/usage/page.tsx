import { Page } from "../../ui/page.tsx";
import { UsageReport } from "./report.tsx";

export function UsagePage() {
  return (
    <Page title="Usage" lead="Requests and tokens, visible within two seconds.">
      <UsageReport />
    </Page>
  );
}

export function CostPage() {
  return (
    <Page
      title="Cost"
      lead="Exact to the nano-dollar, by the price list that was in force when each request began."
    >
      <UsageReport kind="cost" />
    </Page>
  );
}
