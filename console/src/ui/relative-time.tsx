import { formatRelative, formatUtc } from "./format.ts";
import { Tooltip } from "./tooltip.tsx";
import { useNow } from "./use-now.ts";

/** How long ago, or in how long; the exact time in UTC on hover and focus. `absent` stands where there is none. */
export function RelativeTime({
  at,
  absent = "Never",
}: {
  at: string | null | undefined;
  absent?: string;
}) {
  const nowMs = useNow();
  if (!at) return <span className="text-faint">{absent}</span>;
  return (
    <Tooltip text={formatUtc(at)}>
      <time dateTime={at} className="whitespace-nowrap">
        {formatRelative(at, nowMs)}
      </time>
    </Tooltip>
  );
}
