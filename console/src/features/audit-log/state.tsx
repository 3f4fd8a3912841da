import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api-client.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { RetentionDialog } from "../../kit/retention-dialog.tsx";
import { describeShorterRetention, findFirstKeptDay } from "../../kit/retention-effects.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatCount, formatPlural } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, Skeleton } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { useAuditLogState, useNewestEventBefore, useSetAuditRetention } from "./queries.ts";

type State = Answer<"getAuditLogState">;

/** Verification state and retention of the audit log. */
export function ChainState() {
  const state = useAuditLogState();
  const may = useMay();
  const [isSetting, setIsSetting] = useState(false);
  if (state.isPending) return <StateSkeleton />;
  if (!state.data) return null;
  const { retention_days: days, pruned, failovers } = state.data;
  const [newest] = failovers;
  return (
    <>
      {state.data.first_broken && <Broken broken={state.data.first_broken} />}
      <Facts
        items={[
          ["Chain", <Verified key="chain" state={state.data} />],
          ...(newest === undefined ? [] : [failoverItem(newest)]),
          [
            "Retention",
            <span key="kept" className="flex flex-wrap items-center gap-x-4 gap-y-1">
              <span>
                {days === null ? "Unlimited" : formatPlural(days, "day")}
                {pruned &&
                  `. Events up to no. ${formatCount(pruned.through_seq)} were deleted, with a signed checkpoint`}
              </span>
              {may("security:write") && (
                <Button kind="quiet" onClick={() => setIsSetting(true)}>
                  Set retention…
                </Button>
              )}
            </span>,
          ],
        ]}
      />
      {isSetting && <AuditRetention state={state.data} onClose={() => setIsSetting(false)} />}
    </>
  );
}

/** Skeleton with the height of the content. */
function StateSkeleton() {
  const line = (
    <span className="flex min-h-9 items-center pointer-coarse:min-h-11">
      <Skeleton className="w-52" />
    </span>
  );
  return (
    <Facts
      items={[
        ["Chain", line],
        ["Retention", line],
      ]}
    />
  );
}

function Broken({ broken }: { broken: NonNullable<State["first_broken"]> }) {
  return (
    <div role="alert" className="rounded-md bg-bad-wash px-4 py-3 text-bad">
      <p className="font-semibold">
        Event no. {formatCount(broken.seq)} does not match its signature.
      </p>
      <p>{broken.reason} The database was changed. Compare the log with a backup or an export.</p>
    </div>
  );
}

/** Line about the newest failover of the database. */
function failoverItem({ from_seq, to_seq, lost_events, at }: State["failovers"][number]) {
  const text =
    lost_events === 0
      ? "The log lost no known event."
      : `The log went back from event no. ${formatCount(from_seq)} to no. ${formatCount(to_seq)}. Check recent changes.`;
  const item = (
    <span key="failover">
      <RelativeTime at={at} />. {text}{" "}
      <Link to="/audit-log" search={{ event: "database.failed_over" }} className="link">
        Show events
      </Link>
    </span>
  );
  return ["Failover", item] satisfies [string, ReactNode];
}

function Verified({ state }: { state: State }) {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const verify = async () => {
    setIsBusy(true);
    setError(null);
    try {
      const { is_intact, events } = await call("verifyAuditLog", {});
      if (is_intact) showToast(`${formatPlural(events, "event is", "events are")} intact`);
      else setError(new Error("The log does not match its signature."));
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setIsBusy(false);
    }
  };
  const { verified, head } = state;
  return (
    <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <span>
        {verified ? (
          <>
            Verified up to no. {formatCount(verified.through_seq)} of {formatCount(head.seq)},{" "}
            <RelativeTime at={verified.checked_at} />
          </>
        ) : (
          `${formatPlural(head.seq, "event")}, not verified yet`
        )}
      </span>
      <Button kind="quiet" isBusy={isBusy} onClick={() => void verify()} className="max-sm:-ml-3.5">
        Verify now
      </Button>
      <FormError error={error} />
    </span>
  );
}

function AuditRetention({ state, onClose }: { state: State; onClose: () => void }) {
  const set = useSetAuditRetention();
  return (
    <RetentionDialog
      what="Events"
      effect="Older events are permanently deleted every day. A signed checkpoint replaces them, and the other events still verify."
      leastDays={30}
      days={state.retention_days}
      change={set}
      renderEffects={(days) => <DeletedEvents days={days} state={state} />}
      onClose={onClose}
    />
  );
}

/** Effects of a shorter retention. Numbers of events have no gaps, so their difference is the count. */
function DeletedEvents({ days, state }: { days: number; state: State }) {
  const [nowMs] = useState(() => Date.now());
  const newest = useNewestEventBefore(findFirstKeptDay(days, nowMs));
  const [last] = newest.data?.data ?? [];
  const prunedSeq = state.pruned?.through_seq ?? 0;
  return (
    <Consequences
      sentences={describeShorterRetention({
        words: ["event", "events"],
        days,
        nowMs,
        deleted: newest.data && Math.max(0, (last?.seq ?? 0) - prunedSeq),
      })}
      counts={[newest]}
    />
  );
}
