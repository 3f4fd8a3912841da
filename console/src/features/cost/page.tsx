import { Page } from "../../ui/page.tsx";
import { UsageReport } from "../usage/report.tsx";

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
