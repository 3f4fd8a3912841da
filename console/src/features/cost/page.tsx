import { UsageReport } from "../../kit/usage/report.tsx";
import { Page } from "../../ui/page.tsx";

export function CostPage() {
  return (
    <Page title="Cost" lead="Exact to the nano-dollar. Each request is priced when it starts.">
      <UsageReport kind="cost" />
    </Page>
  );
}
