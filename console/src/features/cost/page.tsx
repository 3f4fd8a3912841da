import { useReplicaNote } from "../../kit/usage/replica-note.ts";
import { UsageReport } from "../../kit/usage/report.tsx";
import { Page } from "../../ui/page.tsx";

const LEAD = "Exact to the nano-dollar. Each request is priced when it starts.";

export function CostPage() {
  const note = useReplicaNote();
  return (
    <Page title="Cost" guide="reports" lead={note ? `${LEAD} ${note}` : LEAD}>
      <UsageReport kind="cost" />
    </Page>
  );
}
