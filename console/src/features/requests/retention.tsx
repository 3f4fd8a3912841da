import { useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import {
  describeShorterRetention,
  findFirstKeptDay,
  formatRetention,
} from "../../kit/retention-effects.ts";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatUtcDay } from "../../ui/format.ts";
import {
  useOrganizationStart,
  useRequestCount,
  useRequestLogSettings,
  useSetRequestRetention,
} from "./queries.ts";

const RetentionDialog = lateDialog(
  () => import("../../kit/retention-dialog.tsx"),
  "RetentionDialog",
);

/** Retention of the request log, and its change for members with the permission. */
export function Retention() {
  const may = useMay();
  const settings = useRequestLogSettings(may("organization:read"));
  const set = useSetRequestRetention();
  const [isSetting, setIsSetting] = useState(false);
  // The line has its height while it loads, so that the filters below stay in place.
  if (settings.isLoading) return <p className="min-h-9 pointer-coarse:min-h-11" />;
  if (!settings.data) return null;
  const { retention_days: days, pruned_before: prunedBefore } = settings.data;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
      <span>
        Requests are stored {formatRetention(days)}.
        {prunedBefore && ` Requests before ${formatUtcDay(prunedBefore)} were deleted.`}
      </span>
      {may("organization:write") && (
        <Button kind="quiet" className="max-sm:-ml-3.5" onClick={() => setIsSetting(true)}>
          Set retention…
        </Button>
      )}
      {isSetting && (
        <RetentionDialog
          what="Requests"
          effect="Older requests are permanently deleted within a day. Their usage, cost and spend stay in reports by hour and day."
          leastDays={7}
          days={days}
          change={set}
          renderEffects={(entered) => (
            <DeletedRequests days={entered} prunedBefore={prunedBefore} />
          )}
          onClose={() => setIsSetting(false)}
        />
      )}
    </p>
  );
}

const DAY_MS = 86_400_000;
/** Longest range of a report. */
const MAX_COUNTED_MS = 366 * DAY_MS;

interface DeletedProps {
  days: number;
  /** Requests before this time are deleted already. */
  prunedBefore: string | null;
}

/** Effects of a shorter retention. Counts the requests of one year at most. */
function DeletedRequests({ days, prunedBefore }: DeletedProps) {
  const [nowMs] = useState(() => Date.now());
  const endMs = Date.parse(findFirstKeptDay(days, nowMs));
  const organization = useOrganizationStart();
  const startMs = prunedBefore === null ? organization.startMs : Date.parse(prunedBefore);
  const isEmpty = startMs !== undefined && startMs >= endMs;
  const countedMs = Math.max(startMs ?? 0, endMs - MAX_COUNTED_MS);
  const range = { startMs: countedMs, endMs };
  const requests = useRequestCount(isEmpty || startMs === undefined ? null : range);
  return (
    <Consequences
      sentences={describeShorterRetention({
        words: ["request", "requests"],
        days,
        nowMs,
        deleted: isEmpty ? 0 : requests.data?.totals.requests,
        isLeast: !isEmpty && startMs !== undefined && startMs < countedMs,
      })}
      counts={[organization.query, requests]}
    />
  );
}
