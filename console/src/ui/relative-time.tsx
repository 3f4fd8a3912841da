import { formatRelative, formatUtc } from "./format.ts";
import { useNow } from "./use-now.ts";

/** A time relative to now. Its title has the exact time in UTC. Without a time, it shows `absent`. */
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
    <time dateTime={at} title={formatUtc(at)} className="whitespace-nowrap">
      {formatRelative(at, nowMs)}
    </time>
  );
}
