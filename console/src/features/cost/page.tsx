import { UsageReport } from "../../kit/usage/report.tsx";
import { Page } from "../../ui/page.tsx";

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
