import { Badge } from "../../ui/badge.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { type NodeHealth, summarizeHealth } from "./health-words.ts";

interface Props {
  /** Reports of all nodes. Null: unknown. */
  nodes: readonly NodeHealth[] | null;
}

/** State of an upstream over all nodes. */
export function HealthState({ nodes }: Props) {
  if (nodes === null) return <Badge tone="warn">unknown</Badge>;
  const { label, tone } = summarizeHealth(nodes);
  return <Badge tone={tone}>{label}</Badge>;
}

/** The last failure with its time. */
export function LastFailure({ nodes }: Props) {
  if (nodes === null) return null;
  const { lastFailure, lastFailureAt } = summarizeHealth(nodes);
  if (lastFailureAt === null) return <span className="text-faint">None</span>;
  return (
    <span className="inline-flex flex-wrap gap-x-1.5">
      {lastFailure} <RelativeTime at={lastFailureAt} />
    </span>
  );
}

/** Time of the last answer. */
export function LastAnswer({ nodes }: Props) {
  return nodes && <RelativeTime at={summarizeHealth(nodes).lastAnswerAt} absent="None" />;
}
