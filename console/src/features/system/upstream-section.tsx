import { HealthState, LastAnswer, LastFailure } from "../../kit/upstreams/health.tsx";
import { type Upstream, useUpstreamHealth } from "../../kit/upstreams/queries.ts";
import { useMay } from "../../session.ts";
import { Section } from "../../ui/page.tsx";
import { type Column, Table } from "../../ui/table.tsx";

/** Health of the stored upstreams over all nodes. */
export function UpstreamSection() {
  const upstreams = useUpstreamHealth(useMay()("upstreams:read"));
  const items = upstreams.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section
      title="Upstreams"
      lead="State of their circuit breakers over all nodes. A breaker that is open leaves out its upstream."
    >
      <Table label="Upstreams" columns={columns} rows={items} rowKey={({ id }) => id} />
    </Section>
  );
}

const columns: Column<Upstream>[] = [
  { id: "name", header: "Upstream", cell: ({ name }) => name },
  { id: "state", header: "State", cell: ({ health }) => <HealthState nodes={health} /> },
  {
    id: "failure",
    header: "Last error",
    from: "sm",
    cell: ({ health }) => <LastFailure nodes={health} />,
  },
  {
    id: "success",
    header: "Last answer",
    from: "lg",
    cell: ({ health }) => <LastAnswer nodes={health} />,
  },
];
