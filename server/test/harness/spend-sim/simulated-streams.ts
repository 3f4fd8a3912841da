import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import { NEED_MS } from "#src/domain/stream-bound.ts";
import { chooseCuts } from "#src/gateway/choose-cuts.rule.ts";
import { MeteredStream } from "#src/gateway/metered-stream.ts";
import { toCutReason } from "#src/gateway/stream-cut.ts";
import { followStream, type StreamCut } from "#src/gateway/stream-meter.ts";
import type { Now } from "#src/spend/ledger/lease-state.ts";
import type { NodeLeases } from "#src/spend/ledger/node-leases.ts";
import { endRecord } from "#test/harness/request-records.ts";
import { expectSame, type Model } from "./model.ts";
import { type Connection, connect } from "./provider.ts";
import type { Random } from "./random.ts";
import {
  bill,
  boundCost,
  describe,
  type EarlyEnd,
  leftCost,
  readCost,
  toHolds,
  wholeCost,
} from "./stream-bills.ts";
import { type ExceededBounds, findCause, observeEnd } from "./stream-excess.ts";
import {
  type Admitted,
  findUnfairness,
  noteAdmission,
  type StreamLack,
  toLack,
} from "./stream-fairness.ts";
import { BOOK, type PlannedStream, SimulatedReader } from "./stream-rules.ts";

// Streams of one process, and its meter: reads what has arrived, lets holds follow the bounds, and cuts in time.

/**
 * Time without a tick after which the process counts as stopped, milliseconds. Output is cut two seconds ahead, and a use
 * of a tool before its call starts.
 */
const STOPPED_MS = 2_000;
const STOPPED_IN_TOOLS_MS = 700;
/** The same while the database has not answered a wish, which can wait until its hold covers a second and a half. */
const STOPPED_UNANSWERED_MS = 1_000;
/** The same while a cut waits for the end of an event: its hold covers two ticks, or not even one after a stop. */
const STOPPED_IN_CUT_MS = 500;
/** Time without a tick after which the process may decide before it reads. */
const PAUSED_MS = 1_000;
/** Time after a stop in which the process reads all that has arrived. */
const CAUGHT_UP_MS = 750;
/** Time after a stop in which a use of a tool that was read late can still have its cut or its larger hold. */
const CAUGHT_UP_IN_TOOLS_MS = 1_750;

export interface RunningStream {
  begin: BeginRecord;
  planned: PlannedStream;
  reader: SimulatedReader;
  /** Null: every limit holds the whole worst case. */
  metered: MeteredStream | null;
  connection: Connection;
  /** Bytes arrived in the last tick. */
  hasNewBytes: boolean;
  /** Until this time the node may lack events from a stop, milliseconds of its clock. */
  stoppedUntilMs: number;
  /** Real time of the dispatch. */
  dispatchedRealMs: number;
  /** Hold in the limits with steps, as of the last look. */
  heldNanoUsd: bigint;
  /** The same by balance key, also in limits with whole holds. */
  holds: ReadonlyMap<string, bigint>;
  /** Null: no wish waits. */
  lack: StreamLack | null;
  /** The client has left before the response started. Its stream is read until then. */
  isLeft: boolean;
}

/** More than any limit of a run, nano-USD. */
const UNPAYABLE = 10n ** 18n;

/** Rules that tests break, to show that the checks find it. */
export type BrokenRule = "late_cut" | "no_elapsed_time" | "top_ups_last" | "first_hold_in_begin";

/** Counts of streams. See `SimulationResult`. */
export function newCounts() {
  return {
    ...{ streams: 0, stepped: 0, cuts: 0, left: 0, broken: 0, excess: 0 },
    ...{ excessByStop: 0, excessBySpeed: 0, excessByResult: 0, excessByTool: 0 },
    ...{ unfairElsewhere: 0, unfairByGrant: 0 },
    ...{ billedBeyondCut: 0, billedBeyondLeft: 0, billedBeyondBroken: 0, billedBeyondNanoUsd: 0n },
  };
}

const EXCESS = {
  stopped: "excessByStop",
  too_fast: "excessBySpeed",
  large_result: "excessByResult",
  fast_tool: "excessByTool",
} as const;

const BEYOND = {
  cut: "billedBeyondCut",
  left: "billedBeyondLeft",
  broken: "billedBeyondBroken",
} as const;

interface SimulatedStreamsOptions {
  nodeId: string;
  leases: () => NodeLeases;
  model: Model;
  random: Random;
  end: (record: EndRecord) => void;
  /** Called at the end of each stream, with its cost. */
  onEnd: (stream: RunningStream, costNanoUsd: bigint) => void;
  brokenRule: BrokenRule | null;
  exceeded: ExceededBounds;
}

export class SimulatedStreams {
  readonly running = new Map<string, RunningStream>();
  readonly counts = newCounts();
  readonly #options: SimulatedStreamsOptions;
  #tickedMs = Number.NEGATIVE_INFINITY;
  /** End of the last pause of this process. Null: none. */
  #pausedUntilMs: number | null = null;

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
    const reader = new SimulatedReader(planned);
    this.running.set(begin.requestId, {
      begin,
      planned,
      reader,
      metered: isStepped ? this.#meter(begin, planned, { reader, nowMs }) : null,
      connection: connect(planned.run, random),
      hasNewBytes: false,
      stoppedUntilMs: nowMs,
      dispatchedRealMs: realMs,
      heldNanoUsd: planned.firstNanoUsd,
      holds: new Map(),
      lack: null,
      isLeft: false,
    });
  }

  #meter(
    { requestId, startedAtMs: pricedAtMs }: BeginRecord,
    { terms }: PlannedStream,
    { reader, nowMs }: { reader: SimulatedReader; nowMs: number },
  ): MeteredStream {
    if (terms === null) throw new Error(`${requestId} has no steps`);
    const metered = new MeteredStream({ requestId, pricedAtMs, terms, book: BOOK }, nowMs);
    metered.follow(reader, () => this.#tickedMs);
    return metered;
  }

  /** One tick of the meter. A process that was stopped reads first, or decides first. */
  tick(now: Now, realMs: number): void {
    const pauseMs = now.nowMs - this.#tickedMs;
    this.#tickedMs = now.nowMs;
    const at = { ...now, realMs };
    const wasPaused = pauseMs > PAUSED_MS;
    // The meter of the gateway stands still without a stream.
    if (wasPaused && this.running.size > 0) this.#pausedUntilMs = now.nowMs;
    const readsFirst = !wasPaused || this.#options.random.chance(0.5);
    const due: Due[] = [];
    for (const stream of [...this.running.values()]) {
      if (isStop(stream, pauseMs)) {
        const caughtUpMs = hasTools(stream) ? CAUGHT_UP_IN_TOOLS_MS : CAUGHT_UP_MS;
        stream.stoppedUntilMs = now.nowMs + caughtUpMs;
      }
      const hasEnded = readsFirst && this.#read(stream, at);
      if (hasEnded || stream.metered === null) continue;
      const cut = this.#decide(stream, stream.metered, at);
      if (cut !== null) due.push({ ...cut, stream, metered: stream.metered });
    }
    for (const { stream, metered, decision } of chooseCuts(due)) {
      if (this.#options.leases().findLack(stream.begin.requestId, at) === null) continue;
      const canWait = decision.canWait && !metered.isCutDeferred;
      metered.isCutDeferred = canWait && this.#isInEvent(stream);
      if (!metered.isCutDeferred) this.#cut(stream, metered, at);
    }
    // A cut can free the larger hold of another stream.
    if (due.length > 0) this.syncHolds(at);
  }

  /** True: the stream has ended. */
  #read(stream: RunningStream, at: Tick): boolean {
    const { reader, metered } = stream;
    const events = stream.connection.read(at.realMs - stream.dispatchedRealMs);
    if (events.length > 0) metered?.noteRead();
    stream.hasNewBytes = events.length > 0;
    for (const counts of events) reader.read(counts);
    if (reader.counts.ends > 0) {
      this.#checkBill(stream);
      metered?.look(at.nowMs);
      this.#end(stream, { cost: readCost(stream), how: { outcome: "answered" }, nowMs: at.nowMs });
      return true;
    }
    if (!stream.isLeft || reader.counts.starts === 0) return false;
    this.#endLeft(stream, at);
    return true;
  }

  /** A complete stream costs what the provider bills. */
  #checkBill(stream: RunningStream): void {
    const [cost, billed] = [readCost(stream), bill(stream, Infinity)];
    expectSame(`${stream.begin.requestId} is billed`, billed, cost);
  }

  /** Sets the hold of a stream. Returns its cut, or null. */
  #decide(stream: RunningStream, metered: MeteredStream, at: Tick): StreamCut | null {
    const { requestId } = stream.begin;
    const leases = this.#options.leases();
    const nowMs = this.#findMeterMs(metered, at.nowMs);
    metered.look(nowMs);
    const cut = followStream(
      {
        resizeHold: (id, nanoUsd) => leases.resizeHold(id, this.#findWish(stream, nanoUsd), at),
        findStreamHold: (id) => leases.findStreamHold(id),
        findLack: (id) => leases.findLack(id, at),
      },
      metered,
      { nowMs, pausedMs: 0 },
    );
    if (cut === null) metered.isCutDeferred = false;
    this.syncHolds(at);
    if (metered.waitsSinceMs === null) stream.lack = null;
    else this.#recordLack(stream, at);
    if (cut !== null) return cut;
    if (metered.waitsSinceMs !== null && this.#options.brokenRule === "top_ups_last") {
      leases.resizeHold(requestId, stream.heldNanoUsd, at);
    }
    this.#checkHold(stream, at);
    return null;
  }

  /** The wish of a stream. Under a broken rule it gets nothing while requests wait. */
  #findWish({ heldNanoUsd }: RunningStream, nanoUsd: bigint): bigint {
    const { brokenRule, leases } = this.#options;
    const isLast = brokenRule === "top_ups_last" && leases().view().waiting > 0;
    return isLast && nanoUsd > heldNanoUsd ? nanoUsd + UNPAYABLE : nanoUsd;
  }

  /** A cut waits for the end of an event, for one tick. */
  #isInEvent({ hasNewBytes }: RunningStream): boolean {
    return hasNewBytes && this.#options.random.chance(0.3);
  }

  #recordLack(stream: RunningStream, now: Now): void {
    const found = this.#options.leases().findLack(stream.begin.requestId, now);
    stream.lack = toLack(found, stream.lack);
  }

  /** Time that the meter decides at. */
  #findMeterMs({ seen }: MeteredStream, nowMs: number): number {
    const { brokenRule } = this.#options;
    if (brokenRule === "late_cut") return nowMs - NEED_MS - 1_000;
    return brokenRule === "no_elapsed_time" ? seen.lastReadMs : nowMs;
  }

  /** Without a fault, a running stream never has cost more than its hold. */
  #checkHold(stream: RunningStream, { realMs, nowMs }: Tick): void {
    if (findCause(stream, nowMs) !== null) return;
    const billed = bill(stream, realMs);
    const { heldNanoUsd, begin, metered, planned } = stream;
    // A use that arrives late is in its hold in time, and in its bound a second after its read.
    const isBounded = metered !== null && planned.run.isAnnounced;
    const boundNanoUsd = isBounded ? metered.boundAt(nowMs) : billed;
    if (boundNanoUsd < billed) {
      const name = `${begin.requestId} has cost ${billed} already, over its bound of ${boundNanoUsd}`;
      throw new Error(`${name} ${describe(stream)}`);
    }
    if (billed <= heldNanoUsd) return;
    const name = `${begin.requestId} has cost ${billed} already, over its hold of ${heldNanoUsd}`;
    throw new Error(`${name} ${describe(stream)}`);
  }

  #cut(stream: RunningStream, metered: MeteredStream, at: Tick): void {
    // A request can arrive before the first tick after a stop, and no wish waits then.
    if (at.nowMs >= stream.stoppedUntilMs) this.#checkFairness(stream);
    this.counts.cuts += 1;
    const cost = boundCost(stream, metered, at.nowMs);
    const billed = bill(stream, at.realMs);
    if (billed > cost && findCause(stream, at.nowMs) === null) {
      const name = `${stream.begin.requestId} is cut at ${cost}, and has cost ${billed}`;
      throw new Error(`${name} ${describe(stream)}`);
    }
    this.#endEarly(stream, "cut", { cost, ...at });
  }

  /** Ends a stream before its run. The rest that the provider bills is in no record, and is counted here. */
  #endEarly(
    stream: RunningStream,
    how: EarlyEnd,
    { cost, nowMs, realMs }: { cost: bigint; nowMs: number; realMs: number },
  ): void {
    this.#close(stream, realMs);
    const beyond = bill(stream, Infinity) - cost;
    if (beyond > 0n) {
      this.counts[BEYOND[how]] += 1;
      this.counts.billedBeyondNanoUsd += beyond;
    }
    const outcome = how === "left" ? "aborted" : "interrupted";
    this.#end(stream, { cost, how: { outcome, isEstimated: true }, nowMs });
  }

  /** The provider can generate on after the connection was closed, and bills that too. */
  #close(stream: RunningStream, realMs: number): void {
    const { random } = this.#options;
    const afterMs = random.chance(0.5) ? random.below(200) : random.below(20_000);
    stream.connection.close(realMs - stream.dispatchedRealMs, afterMs);
  }

  #end(
    stream: RunningStream,
    { cost, how, nowMs }: { cost: bigint; how: Partial<EndRecord>; nowMs: number },
  ): void {
    const { model, leases, end } = this.#options;
    const { begin, planned } = stream;
    const hold = leases().findStreamHold(begin.requestId);
    const heldNanoUsd = hold?.currentNanoUsd ?? planned.worstCase.nanoUsd;
    const cause = findCause(stream, nowMs);
    const isBeyondHold = cost > heldNanoUsd;
    if (isBeyondHold) {
      const name = `${begin.requestId} costs ${cost} over its hold of ${heldNanoUsd}`;
      if (cause === null) throw new Error(`${name}, without a fault ${describe(stream)}`);
      this.counts.excess += 1;
      this.counts[EXCESS[cause]] += 1;
    }
    if (stream.metered !== null) {
      const isAnswered = how.outcome === "answered";
      const pausedUntilMs = this.#pausedUntilMs;
      const ended = { isAnswered, isBeyondHold, cause, endedMs: nowMs, pausedUntilMs };
      observeEnd(stream, stream.metered, { exceeded: this.#options.exceeded, ended });
    }
    this.running.delete(begin.requestId);
    this.#options.onEnd(stream, cost);
    model.end(begin.requestId, cost);
    end(endRecord({ ...begin, ...(hold !== null && toHolds(hold.highest)) }, cost, how));
  }

  /** Rule: no stream is cut after a later request of its node took budget that the stream lacked. */
  #checkFairness({ lack, begin }: RunningStream): void {
    const place = findUnfairness(begin.requestId, lack);
    if (place === null) return;
    this.counts.unfairElsewhere += 1;
    if (place === "other_grant") this.counts.unfairByGrant += 1;
  }

  /** Records an admitted request for the streams that lack budget of one of its limits. */
  recordAdmission(admitted: Admitted, now: Now): void {
    for (const { lack, begin, metered } of this.running.values()) {
      if (lack === null) continue;
      const found = this.#options.leases().findLack(begin.requestId, now);
      const waitedMs = now.nowMs - (metered?.waitsSinceMs ?? now.nowMs);
      noteAdmission(lack, admitted, { found, waitedMs });
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
      const holds = leases.viewHolds(requestId);
      const { currentNanoUsd } = hold;
      if (currentNanoUsd > stream.heldNanoUsd) {
        const hasGrown = [...holds].some(([key, each]) => each > (stream.holds.get(key) ?? each));
        if (hasGrown && leases.isExpired(nowMs)) {
          throw new Error(`${nodeId} grows ${requestId} without a lease`);
        }
        stream.lack = null;
      }
      model.setHolds(requestId, holds);
      Object.assign(stream, { holds, heldNanoUsd: currentNanoUsd });
    }
  }

  /**
   * The upstream breaks off. The stream may have cost its bound, because the provider can generate on. Without the start of
   * the response, its cost is unknown, and the whole worst case is unresolved.
   */
  breakOff(requestId: string, { nowMs }: Now, realMs: number): void {
    const stream = this.running.get(requestId);
    if (stream === undefined) return;
    const { metered, reader } = stream;
    this.counts.broken += 1;
    if (reader.counts.starts === 0) {
      this.#endUnknown(stream, realMs);
      return;
    }
    this.#noteStop(stream, nowMs);
    metered?.look(nowMs);
    const cost = metered === null ? wholeCost(stream) : boundCost(stream, metered, nowMs);
    this.#endEarly(stream, "broken", { cost, nowMs, realMs });
  }

  #endUnknown(stream: RunningStream, realMs: number): void {
    const { model, end } = this.#options;
    const { requestId } = stream.begin;
    this.#close(stream, realMs);
    const record = endRecord(stream.begin, 0n, { outcome: "interrupted" });
    const { unresolvedNanoUsd } = spentOf(record);
    const billed = bill(stream, Infinity);
    if (billed > unresolvedNanoUsd && findCause(stream, 0) === null) {
      throw new Error(`${requestId} cost ${billed}, and ${unresolvedNanoUsd} are unresolved`);
    }
    this.running.delete(requestId);
    model.end(requestId, null);
    end(record);
  }

  /** The client leaves. Without the start of the response, its input is not known, and the node reads on. */
  leave(requestId: string, now: Now, realMs: number): void {
    const stream = this.running.get(requestId);
    if (stream === undefined) return;
    this.#noteStop(stream, now.nowMs);
    stream.isLeft = true;
    this.#read(stream, { ...now, realMs });
  }

  /** Ends a stream whose client has left. The client pays for all that it got. */
  #endLeft(stream: RunningStream, { nowMs, realMs }: Tick): void {
    const { metered, begin } = stream;
    metered?.look(nowMs);
    const least = readCost(stream);
    const cost = metered === null ? wholeCost(stream) : leftCost(stream, metered, nowMs);
    if (cost < least && findCause(stream, nowMs) === null) {
      throw new Error(
        `${begin.requestId} costs ${cost}, and ${least} were read ${describe(stream)}`,
      );
    }
    this.counts.left += 1;
    this.#endEarly(stream, "left", { cost, nowMs, realMs });
  }

  /** An end can come before the first tick after a stop. */
  #noteStop(stream: RunningStream, nowMs: number): void {
    const pauseMs = nowMs - this.#tickedMs;
    if (pauseMs > PAUSED_MS) this.#pausedUntilMs = nowMs;
    if (isStop(stream, pauseMs)) stream.stoppedUntilMs = nowMs + 1;
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

/** A stream that waits too long for a larger hold. */
interface Due extends StreamCut {
  stream: RunningStream;
  metered: MeteredStream;
}

interface Tick extends Now {
  realMs: number;
}

/** True for a pause of the process that the hold of the stream may not cover. */
function isStop(stream: RunningStream, pauseMs: number): boolean {
  if (stream.metered?.isCutDeferred === true) return pauseMs > STOPPED_IN_CUT_MS;
  if (hasTools(stream)) return pauseMs > STOPPED_IN_TOOLS_MS;
  const reason = stream.lack?.reason ?? null;
  const isUnanswered = reason !== null && toCutReason(reason) === "database_unavailable";
  return pauseMs > (isUnanswered ? STOPPED_UNANSWERED_MS : STOPPED_MS);
}

function hasTools({ planned }: RunningStream): boolean {
  return planned.plan.request.serverTools.length > 0;
}
