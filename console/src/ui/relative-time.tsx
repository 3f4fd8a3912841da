import { formatRelative, formatUtc } from "./format.ts";
import { useNow } from "./use-now.ts";

/** How long ago, or in how long; the exact time in UTC is in its title. `absent` stands where there is none. */
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
