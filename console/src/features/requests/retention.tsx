import { useState } from "react";
import { formatRetention, RetentionDialog } from "../../kit/retention-dialog.tsx";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatUtcDay } from "../../ui/format.ts";
import { useRequestLogSettings, useSetRequestRetention } from "./queries.ts";

/** Retention of the request log, and its change for members with the permission. */
export function Retention() {
  const may = useMay();
  const settings = useRequestLogSettings(may("organization:read"));
  const set = useSetRequestRetention();
  const [isSetting, setIsSetting] = useState(false);
  if (!settings.data) return null;
  const { retention_days: days, pruned_before: prunedBefore } = settings.data;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
      <span>
        Requests are stored {formatRetention(days)}.
        {prunedBefore && ` Requests before ${formatUtcDay(prunedBefore)} were deleted.`}
      </span>
      {may("organization:write") && (
        <Button kind="quiet" onClick={() => setIsSetting(true)}>
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
          onClose={() => setIsSetting(false)}
        />
      )}
    </p>
  );
}
