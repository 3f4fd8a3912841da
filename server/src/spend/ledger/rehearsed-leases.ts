import type { EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Dropped, HoldDecided } from "./hold-decision.ts";
import type { HoldRequest } from "./hold-queue.ts";
import type { StrictLimit } from "./hold-refusal.ts";
import {
  type BalanceRow,
  draftSync,
  type LeaseRow,
  type SyncDone,
  type SyncMessage,
} from "./lease-rules.ts";
import type { LeaseSync } from "./lease-sync.ts";
import { NodeLeases } from "./node-leases.ts";

/** Leases of a warm-up: the code of a node's leases, with all rows in memory. */
export interface RehearsedLeases
  extends Pick<
    LeaseSync,
    | "isHoldRequired"
    | "hasSteps"
    | "hold"
    | "resizeHold"
    | "findStreamHold"
    | "findLack"
    | "drop"
    | "lowerHold"
    | "findLimit"
    | "findUnknownRefusal"
  > {
  /** Ends the hold of a request. */
  recordEnd(record: EndRecord): void;
}

export interface RehearsedLeasesOptions {
  limits: readonly StrictLimit[];
  clock: Clock;
}

/** Longer than any warm-up, so that no lease expires. */
const TTL_MS = 600_000;
const HOLD_WAIT_MS = 1_000;
const MAX_WAITING = 1_000;

/** Makes leases under these limits. Nothing was spent under them before. */
export function makeRehearsedLeases({ limits, clock }: RehearsedLeasesOptions): RehearsedLeases {
  const wait = { holdWaitMs: HOLD_WAIT_MS, maxWaiting: MAX_WAITING };
  const leases = new NodeLeases({ nodeId: "warm-up", ttlMs: TTL_MS, marginMs: 0, ...wait });
  const database = new RehearsedRows(limits);
  const now = () => ({ nowMs: clock.monotonicMs(), atMs: clock.nowMs() });
  leases.enter({ epoch: 1n, appendedSeq: 0, hasJournalGap: false });
  leases.setLimits(limits, 1n);

  function waitForAnswer(requestId: string): Promise<HoldDecided | Dropped> {
    let decided: HoldDecided | Dropped = { kind: "dropped" };
    for (let message = leases.nextMessage(now()); message !== null; ) {
      for (const resolved of leases.applyAnswer(database.answer(message), now())) {
        if (resolved.requestId === requestId) decided = resolved.decision;
      }
      message = leases.nextMessage(now());
    }
    return Promise.resolve(decided);
  }

  return {
    isHoldRequired: (organizationId) => leases.isLimited(organizationId),
    hasSteps: (organizationId) => leases.hasSteps(organizationId),
    findLimit: (scope) => leases.findLimit(scope, now()),
    findUnknownRefusal: (scope) => leases.findUnknownRefusal(scope, now()),
    drop: (requestId) => leases.drop(requestId),
    lowerHold: (requestId, amount) => leases.lowerHold(requestId, amount, now()),
    hold: (request: HoldRequest) => {
      const decision = leases.hold(request, now());
      return decision.kind === "waiting" ? waitForAnswer(request.requestId) : decision;
    },
    resizeHold: (requestId, nanoUsd) => leases.resizeHold(requestId, nanoUsd, now()),
    findStreamHold: (requestId) => leases.findStreamHold(requestId),
    findLack: (requestId) => leases.findLack(requestId, now()),
    recordEnd: (record) => leases.recordEnd(record.requestId, record, spentOf(record)),
  };
}

/** Rows that the database would have of one node. */
class RehearsedRows {
  readonly #limits: readonly StrictLimit[];
  readonly #balances = new Map<string, BalanceRow>();
  readonly #leases = new Map<string, LeaseRow>();

  constructor(limits: readonly StrictLimit[]) {
    this.#limits = limits;
  }

  answer(message: SyncMessage): SyncDone {
    const limits = new Map<string, bigint>();
    for (const [text, { scopeId }] of message.keys) {
      const limit = this.#limits.find((each) => each.scopeId === scopeId);
      if (limit === undefined) continue;
      limits.set(text, limit.amountNanoUsd);
      if (this.#balances.has(text)) continue;
      this.#balances.set(text, { settledNanoUsd: 0n, leasedNanoUsd: 0n, unresolvedNanoUsd: 0n });
    }
    const work = {
      foldedSeq: 0,
      liveNodes: 1,
      keys: message.keys,
      balances: this.#balances,
      leases: this.#leases,
      counts: new Map([...message.keys.keys()].map((text) => [text, 1n])),
      limits,
      kept: new Map<string, bigint>(),
      awaited: { isSelf: false, other: null },
    };
    return draftSync(work, message).answer;
  }
}
