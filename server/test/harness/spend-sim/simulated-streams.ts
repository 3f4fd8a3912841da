import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import {
  boundStream,
  findStreamNeed,
  NEED_MS,
  type StreamSeen,
  seeNothing,
} from "#src/domain/stream-bound.ts";
import type { LimitHolds } from "#src/spend/ledger/hold-decision.ts";
import type { HoldRefusal } from "#src/spend/ledger/hold-refusal.ts";
import type { Now } from "#src/spend/ledger/lease-state.ts";
import type { NodeLeases } from "#src/spend/ledger/node-leases.ts";
import { endRecord } from "#test/harness/request-records.ts";
import { label, type Model, periodOfKey } from "./model.ts";
import { type Connection, connect, NO_COUNTS } from "./provider.ts";
import type { Random } from "./random.ts";
import {
  markRead,
  type PlannedStream,
  priceCounts,
  type SeenStream,
  seeEvent,
} from "./stream-rules.ts";

// Streams of one process, and its meter: reads what has arrived, lets holds follow the bounds, and cuts in time.

/**
 * Time without a tick after which the process counts as stopped, milliseconds. Output is cut three seconds ahead, and a use
 * of a tool before its call starts.
 */
const STOPPED_MS = 2_000;
const STOPPED_IN_TOOLS_MS = 700;
/** Time without a tick after which the meter knows of a pause. */
const PAUSED_MS = 1_000;

/** Reasons why a stream may cost more than its hold. A running node allows no other. */
export type ExcessCause = "stopped" | "too_fast" | "large_result";

export interface RunningStream extends SeenStream {
  begin: BeginRecord;
  isStepped: boolean;
  connection: Connection;
  /** Real time of the dispatch. */
  dispatchedRealMs: number;
  /** Hold in the limits with steps, as of the last look, and the largest one after the start of the response. */
  heldNanoUsd: bigint;
  peakNanoUsd: bigint;
  /** Balance that lacks budget for the wished hold, and a later request that took budget of it. Null: no wish waits. */
  lack: { balance: Balance | null; overtakenBy: Overtaking | null } | null;
}

/** Limit in one of its periods. */
interface Balance {
  limitName: string;
  endMs: number;
}

interface Overtaking extends Balance {
  requestId: string;
  isOnSameNode: boolean;
}

/** Rules that tests break, to show that the checks find it. */
export type BrokenRule = "late_cut" | "no_elapsed_time" | "top_ups_last" | "first_hold_in_begin";

interface SimulatedStreamsOptions {
  nodeId: string;
  leases: () => NodeLeases;
  model: Model;
  random: Random;
  end: (record: EndRecord) => void;
  brokenRule: BrokenRule | null;
}

export class SimulatedStreams {
  readonly running = new Map<string, RunningStream>();
  /** Largest holds of ended streams after the start of the response, by request. */
  readonly peaks = new Map<string, bigint>();
  readonly counts = { streams: 0, stepped: 0, cuts: 0, unfairElsewhere: 0, excess: 0 };
  readonly #options: SimulatedStreamsOptions;
  #tickedMs = Number.NEGATIVE_INFINITY;

  constructor(options: SimulatedStreamsOptions) {
    this.#options = options;
  }

  begin(
    begin: BeginRecord,
    planned: PlannedStream,
    at: { nowMs: number; realMs: number; isStepped: boolean },
  ): void {
    const { random } = this.#options;
    const { nowMs, realMs, isStepped } = at;
    // The first tick follows at most one interval after the dispatch.
    if (this.running.size === 0) this.#tickedMs = nowMs;
    this.counts.streams += 1;
    if (isStepped) this.counts.stepped += 1;
    this.running.set(begin.requestId, {
      begin,
      planned,
      isStepped,
      connection: connect(planned.run, random),
      dispatchedRealMs: realMs,
      heldNanoUsd: planned.firstNanoUsd,
      peakNanoUsd: 0n,
      seen: seeNothing(nowMs),
      read: NO_COUNTS,
      lack: null,
    });
  }

  /** One tick of the meter. A process that was stopped reads first, or decides first. */
  tick(now: Now, realMs: number): void {
    const pauseMs = now.nowMs - this.#tickedMs;
    this.#tickedMs = now.nowMs;
    const at = { ...now, realMs, pauseMs };
    const wasPaused = pauseMs > PAUSED_MS;
    const readsFirst = !wasPaused || this.#options.random.chance(0.5);
    for (const stream of [...this.running.values()]) {
      if (wasPaused) stream.seen.wasPaused = true;
      const hasEnded = readsFirst && this.#read(stream, at);
      if (!hasEnded && stream.isStepped) this.#decide(stream, at);
    }
  }

  /** True: the stream has ended. */
  #read(stream: RunningStream, at: Tick): boolean {
    const events = stream.connection.read(at.realMs - stream.dispatchedRealMs);
    if (events.length > 0) markRead(stream.seen, at.nowMs);
    for (const counts of events) seeEvent(stream, counts, at.nowMs);
    const { read } = stream;
    if (read.ends === 0) return false;
    const cost = priceCounts(stream.planned, read, stream.begin.startedAtMs);
    this.#end(stream, { cost, how: { outcome: "answered" }, pauseMs: at.pauseMs });
    return true;
  }

  #decide(stream: RunningStream, at: Tick): void {
    if (this.#isHeld(stream, at)) this.#checkHold(stream, at);
    else this.#cut(stream, at);
  }

  /** Lets the hold follow the bound. False: the hold is too small, and the stream must be cut. */
  #isHeld(stream: RunningStream, at: Tick): boolean {
    const { begin, planned, seen } = stream;
    const leases = this.#options.leases();
    const { requestId } = begin;
    const currentNanoUsd = leases.findStreamHold(requestId)?.currentNanoUsd ?? null;
    const { terms } = planned;
    if (currentNanoUsd === null || terms === null) throw new Error(`${requestId} has no hold`);
    const atMs = this.#findMeterMs(seen, at.nowMs);
    const { needNanoUsd, wishNanoUsd } = findStreamNeed(terms, seen, { atMs, currentNanoUsd });
    if (wishNanoUsd === null) return true;
    const kind = leases.resizeHold(requestId, wishNanoUsd, at);
    this.syncHolds(at);
    if (kind === "held") stream.lack = null;
    else {
      const balance = toBalance(leases.findLack(requestId, at));
      stream.lack = { balance, overtakenBy: stream.lack?.overtakenBy ?? null };
    }
    if (kind === "held" || currentNanoUsd < needNanoUsd) return kind === "held";
    if (this.#options.brokenRule === "top_ups_last") {
      leases.resizeHold(requestId, currentNanoUsd, at);
    }
    return true;
  }

  /** Time that the meter decides at. */
  #findMeterMs({ lastReadMs }: StreamSeen, nowMs: number): number {
    const { brokenRule } = this.#options;
    if (brokenRule === "late_cut") return nowMs - NEED_MS - 1_000;
    return brokenRule === "no_elapsed_time" ? lastReadMs : nowMs;
  }

  /** Without a fault, a running stream never has cost more than its hold. */
  #checkHold(stream: RunningStream, { realMs, pauseMs }: Tick): void {
    if (findCause(stream, pauseMs) !== null) return;
    const billed = bill(stream, realMs);
    const { heldNanoUsd, begin } = stream;
    if (billed <= heldNanoUsd) return;
    throw new Error(
      `${begin.requestId} has cost ${billed} already, and holds ${heldNanoUsd} ${describe(stream)}`,
    );
  }

  #cut(stream: RunningStream, at: Tick): void {
    const { begin, planned, seen } = stream;
    if (planned.terms === null) throw new Error(`${begin.requestId} is cut, and was held whole`);
    this.#checkFairness(stream);
    this.counts.cuts += 1;
    const cost = boundStream(planned.terms, seen, at.nowMs);
    const billed = bill(stream, at.realMs);
    if (billed > cost && findCause(stream, 0) === null) {
      throw new Error(`${begin.requestId} is cut at ${cost}, and has cost ${billed}`);
    }
    this.#close(stream, at.realMs);
    const how = { outcome: "interrupted", isEstimated: true } as const;
    this.#end(stream, { cost, how, pauseMs: at.pauseMs });
  }

  /** The provider can generate on after the connection was closed, and bills that too. */
  #close(stream: RunningStream, realMs: number): void {
    const { random } = this.#options;
    const afterMs = random.chance(0.5) ? random.below(200) : random.below(20_000);
    stream.connection.close(realMs - stream.dispatchedRealMs, afterMs);
  }

  #end(
    stream: RunningStream,
    { cost, how, pauseMs }: { cost: bigint; how: Partial<EndRecord>; pauseMs: number },
  ): void {
    const { model, leases, end } = this.#options;
    const { begin, planned } = stream;
    const hold = leases().findStreamHold(begin.requestId);
    const heldNanoUsd = hold?.currentNanoUsd ?? planned.worstCase.nanoUsd;
    if (cost > heldNanoUsd) {
      const name = `${begin.requestId} costs ${cost} over its hold of ${heldNanoUsd}`;
      if (findCause(stream, pauseMs) === null)
        throw new Error(`${name}, without a fault ${describe(stream)}`);
      this.counts.excess += 1;
    }
    this.running.delete(begin.requestId);
    this.peaks.set(begin.requestId, stream.peakNanoUsd);
    model.end(begin.requestId, cost);
    end(endRecord({ ...begin, ...(hold !== null && toHolds(hold.highest)) }, cost, how));
  }

  /** Rule: no stream is cut after a later request of its node took budget that the stream lacked. */
  #checkFairness({ lack, begin }: RunningStream): void {
    const by = lack?.overtakenBy ?? null;
    const balance = lack?.balance ?? null;
    if (balance === null || by === null || by.limitName !== balance.limitName) return;
    if (by.endMs !== balance.endMs) return;
    if (!by.isOnSameNode) {
      this.counts.unfairElsewhere += 1;
      return;
    }
    throw new Error(
      `${begin.requestId} is cut, and ${by.requestId} took budget of ${label(by.limitName)}`,
    );
  }

  /** Records an admitted request for the streams that lack budget of one of its limits. */
  recordAdmission(
    admitted: { requestId: string; keys: readonly string[]; isOnSameNode: boolean },
    now: Now,
  ): void {
    const { requestId, keys, isOnSameNode } = admitted;
    for (const { lack, begin } of this.running.values()) {
      if (lack === null || lack.overtakenBy?.isOnSameNode === true) continue;
      const found = toBalance(this.#options.leases().findLack(begin.requestId, now));
      const balance = found ?? lack.balance;
      if (balance === null || !keys.some((key) => isOf(key, balance))) continue;
      lack.overtakenBy = { requestId, isOnSameNode, ...balance };
    }
  }

  /** Tells the model all holds. An expired lease grows none, and each one that grew is within its lease. */
  syncHolds({ nowMs }: Now): void {
    const { leases: find, model, nodeId } = this.#options;
    const leases = find();
    for (const stream of this.running.values()) {
      const { requestId } = stream.begin;
      const hold = leases.findStreamHold(requestId);
      if (hold === null) continue;
      model.setHolds(requestId, leases.viewHolds(requestId));
      const { currentNanoUsd } = hold;
      if (currentNanoUsd > stream.heldNanoUsd) {
        if (leases.isExpired(nowMs))
          throw new Error(`${nodeId} grows ${requestId} without a lease`);
        stream.lack = null;
      }
      stream.heldNanoUsd = currentNanoUsd;
      if (stream.seen.start !== null && currentNanoUsd > stream.peakNanoUsd)
        stream.peakNanoUsd = currentNanoUsd;
    }
  }

  /** The upstream breaks off. The stream may have cost its bound, because the provider can generate on. */
  breakOff(requestId: string, now: Now, realMs: number): void {
    const stream = this.running.get(requestId);
    if (stream === undefined) return;
    const { planned, seen, begin, read } = stream;
    const { terms } = planned;
    this.#close(stream, realMs);
    const pauseMs = now.nowMs - this.#tickedMs;
    const seenCost = priceCounts(planned, read, begin.startedAtMs);
    const cost =
      terms === null || !stream.isStepped ? seenCost : boundStream(terms, seen, now.nowMs);
    this.#end(stream, { cost, how: { outcome: "interrupted", isEstimated: true }, pauseMs });
  }

  /** The process dies, and its connections close. The provider generates on. Returns the bills, by request. */
  kill(realMs: number): Map<string, bigint> {
    const bills = new Map<string, bigint>();
    for (const stream of this.running.values()) {
      this.#close(stream, realMs);
      // The next start must expect this bill, unless the provider breaks its bounds.
      if (findCause(stream, 0) === null) bills.set(stream.begin.requestId, bill(stream, Infinity));
    }
    this.running.clear();
    return bills;
  }
}

interface Tick extends Now {
  realMs: number;
  /** Time since the last tick. */
  pauseMs: number;
}

function bill(
  { connection, dispatchedRealMs, planned, begin }: RunningStream,
  realMs: number,
): bigint {
  const counts = connection.billedAt(realMs - dispatchedRealMs);
  return priceCounts(planned, counts, begin.startedAtMs);
}

function findCause({ planned }: RunningStream, pauseMs: number): ExcessCause | null {
  const hasTools = planned.plan.request.serverTools.length > 0;
  const isStopped = pauseMs > (hasTools ? STOPPED_IN_TOOLS_MS : STOPPED_MS);
  if (planned.bounds.isTooFast) return "too_fast";
  if (planned.bounds.hasLargeResults) return "large_result";
  return isStopped ? "stopped" : null;
}

function toHolds({ holdNanoUsd, smallerHolds }: LimitHolds) {
  return {
    ...(holdNanoUsd !== null && { holdNanoUsd }),
    ...(smallerHolds !== null && { smallerHolds }),
  };
}

function toBalance(lack: HoldRefusal | null): Balance | null {
  if (lack === null || lack.limit === null || lack.regainAtMs === null) return null;
  const { scopeType, scopeId, period } = lack.limit;
  return { limitName: `${scopeType}\n${scopeId}\n${period}`, endMs: lack.regainAtMs };
}

function isOf(key: string, { limitName, endMs }: Balance): boolean {
  return key.startsWith(`${limitName}\n`) && periodOfKey(key).endMs === endMs;
}

function describe({ planned, seen, read, isStepped }: RunningStream): string {
  const { plan, firstNanoUsd } = planned;
  const { model, serverTools, thinking = "off" } = plan.request;
  const facts = {
    isStepped,
    model,
    outputs: plan.outputs,
    serverTools,
    thinking,
    firstNanoUsd,
    seen,
    read,
  };
  return JSON.stringify(facts, (_, value: unknown) => {
    return typeof value === "bigint" ? String(value) : value;
  });
}
