import { useReplicaNote } from "../../kit/usage/replica-note.ts";
import { UsageReport } from "../../kit/usage/report.tsx";
import { Page } from "../../ui/page.tsx";

export function UsagePage() {
  const note = useReplicaNote();
  const lead = note
    ? `Requests and tokens. ${note}`
    : "Requests and tokens, updated within two seconds.";
  return (
    <Page title="Usage" guide="reports" lead={lead}>
      <UsageReport />
    </Page>
  );
}
