import { useApi } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { Skeleton } from "../../ui/states.tsx";
import { summarizeHealth } from "./health-words.ts";

const EVERY_MS = 10_000;

interface Props {
  upstreamId: string;
}

/** State of an upstream over all nodes. */
export function HealthState({ upstreamId }: Props) {
  const health = useHealth(upstreamId);
  if (health.isLoading) return <Skeleton className="w-16" />;
  if (!health.data) return <Badge tone="warn">unknown</Badge>;
  const { label, tone } = summarizeHealth(health.data.data);
  return <Badge tone={tone}>{label}</Badge>;
}

/** The last failure with its time. */
export function LastFailure({ upstreamId }: Props) {
  const { data } = useHealth(upstreamId);
  if (!data) return null;
  const { lastFailure, lastFailureAt } = summarizeHealth(data.data);
  if (lastFailureAt === null) return <span className="text-faint">None</span>;
  return (
    <span className="inline-flex flex-wrap gap-x-1.5">
      {lastFailure} <RelativeTime at={lastFailureAt} />
    </span>
  );
}

/** Time of the last answer. */
export function LastSuccess({ upstreamId }: Props) {
  const { data } = useHealth(upstreamId);
  return data ? <RelativeTime at={summarizeHealth(data.data).lastAnswerAt} absent="None" /> : null;
}

function useHealth(upstreamId: string) {
  const params = { upstream_id: upstreamId };
  return useApi("getStoredUpstreamHealth", { params }, { everyMs: EVERY_MS });
}
