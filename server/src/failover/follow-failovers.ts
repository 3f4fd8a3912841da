import { setTimeout as delay } from "node:timers/promises";
import type { AuditLog } from "#src/audit/open-audit-log.ts";
import type { Incarnation, Incarnations } from "#src/db/incarnation.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import { isDoneWithin } from "#src/lib/is-done-within.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { LostChanges, RecentChange, RecentChanges } from "./recent-changes.ts";
import { restoreRestrictions } from "./restore-restrictions.ts";

// After a failover, each node records it in the audit logs, applies lost restrictions again, and fires the alerts. Until
// then it accepts no caller that a lost restriction can concern.

export interface SettledFailover {
  incarnation: Incarnation;
  organizations: {
    organizationId: string;
    /** Lost events that this node knows. */
    lostEvents: bigint;
    changes: readonly RecentChange[];
    /** Subjects that this node has restricted again. */
    restored: number;
  }[];
}

export interface FailoverFollower {
  /** True until the lost restrictions are applied again. */
  isPending(): boolean;
  /** Resolves when they are. Throws a 503 after some seconds. */
  settled(): Promise<void>;
  /** Value of the current incarnation. */
  readonly incarnation: number;
  /** Number of failovers since the start of the process. */
  readonly count: number;
  stop(): Promise<void>;
}

export interface FollowFailoversDeps {
  audit: AuditLog;
  incarnations: Pick<Incarnations, "subscribe" | "current">;
  recent: RecentChanges;
  /** Runs when the failover is in the audit logs and the restrictions are applied. Retried after an error. */
  onSettled: (failover: SettledFailover) => Promise<void>;
  logger: Logger;
}

const RETRY_MS = 250;
const MAX_REPORTS = 20;
const MAX_WAIT_MS = 5_000;

export function followFailovers(deps: FollowFailoversDeps): FailoverFollower {
  const { audit, logger } = deps;
  const stopping = new AbortController();
  let newest: Incarnation | null = null;
  let pending: PromiseWithResolvers<void> | null = null;
  let running: Promise<void> = Promise.resolve();
  let count = 0;

  const unsubscribe = deps.incarnations.subscribe(({ after }) => {
    count += 1;
    audit.failovers.gate.close();
    deps.recent.pause();
    newest = after;
    if (pending !== null) return;
    pending = Promise.withResolvers<void>();
    running = settleAll();
  });

  /** Repeats until the newest incarnation is settled, because another failover can follow at once. */
  async function settleAll(): Promise<void> {
    const settled: SettledFailover[] = [];
    while (newest !== null && !stopping.signal.aborted) {
      const incarnation = newest;
      try {
        settled.push(await settleFailover(deps, incarnation, () => newest === incarnation));
        if (newest === incarnation) newest = null;
      } catch (error) {
        logger.warn({ err: error }, "the failover of the database is not settled yet");
        await delay(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
    audit.failovers.gate.open();
    pending?.resolve();
    pending = null;
    for (const failover of settled) await reportFailover(deps, failover, stopping.signal);
  }

  return {
    isPending: () => pending !== null,
    settled: async () => {
      if (pending === null) return;
      if (!(await isDoneWithin(MAX_WAIT_MS, pending.promise))) throw makeUnsettledError();
    },
    get incarnation() {
      return Number(deps.incarnations.current?.value ?? 0n);
    },
    get count() {
      return count;
    },
    stop: async () => {
      unsubscribe();
      stopping.abort();
      await running;
    },
  };
}

/** Records the failover, and applies lost restrictions. `isNewest`: false after another failover. */
async function settleFailover(
  { audit, recent, logger }: FollowFailoversDeps,
  incarnation: Incarnation,
  isNewest: () => boolean,
): Promise<SettledFailover> {
  const lost = await recent.findLost();
  const byOrganization = new Map(lost.map((each) => [each.organizationId, each]));
  const listLost = (id: string) => (byOrganization.get(id)?.changes ?? []).map(toLostChange);
  const lostEvents = await audit.failovers.record({ incarnation: incarnation.value, listLost });
  if (isNewest()) audit.failovers.gate.open();
  const restored = new Map<string, number>();
  for (const each of lost) {
    restored.set(each.organizationId, await restoreRestrictions({ ...audit, logger }, each));
  }
  if (isNewest()) recent.resume(lost);
  const ids = new Set([...lostEvents.keys(), ...byOrganization.keys()]);
  const organizations = [...ids].map((organizationId) => ({
    organizationId,
    lostEvents: lostEvents.get(organizationId) ?? countOf(byOrganization.get(organizationId)),
    changes: byOrganization.get(organizationId)?.changes ?? [],
    restored: restored.get(organizationId) ?? 0,
  }));
  return { incarnation, organizations };
}

async function reportFailover(
  { recent, logger, onSettled }: FollowFailoversDeps,
  failover: SettledFailover,
  signal: AbortSignal,
): Promise<void> {
  void recent.read();
  for (const { organizationId, restored, lostEvents, changes } of failover.organizations) {
    logger.warn(
      {
        ...{ organizationId, incarnation: String(failover.incarnation.value), restored },
        ...{ lostEvents: String(lostEvents), lostChanges: changes.map(({ event }) => event) },
      },
      "the failover of the database is in the audit log, and lost restrictions are applied again",
    );
  }
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      await onSettled(failover);
      return;
    } catch (error) {
      logger.warn({ err: error, attempt }, "the alerts about the failover could not be fired");
      if (attempt === MAX_REPORTS) return;
      await delay(RETRY_MS * attempt, undefined, { signal }).catch(() => undefined);
    }
  }
}

function countOf(lost: LostChanges | undefined): bigint {
  return BigInt(lost?.changes.length ?? 0);
}

function toLostChange({ id, event, subjectType, subjectId, createdAtMs }: RecentChange) {
  return {
    audit_event_id: id,
    event,
    subject_type: subjectType,
    subject_id: subjectId,
    created_at: isoFromMs(createdAtMs),
  };
}

function makeUnsettledError(): ApiError {
  return new ApiError(
    "database_unavailable",
    "The database has failed over, and revocations of the last seconds are being applied again. Retry in a moment.",
    { "retry-after": "1" },
  );
}
