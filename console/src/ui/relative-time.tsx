import { formatRelative, formatTime } from "./format.ts";
import { useNow } from "./use-now.ts";

/** A time relative to now. Its title has the exact time in the person's zone. Without a time, it shows `absent`. */
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
    <time dateTime={at} title={formatTime(at)} className="whitespace-nowrap">
      {formatRelative(at, nowMs)}
    </time>
  );
}
