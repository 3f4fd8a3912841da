import type { Incarnation } from "#src/db/incarnation.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import { assert } from "#src/lib/assert.ts";
import { haveSameChain, type SpendScope } from "#src/spend/ledger/charges.ts";
import type { Held } from "#src/spend/ledger/hold-decision.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import { NodeLeases, type Resolution } from "#src/spend/ledger/node-leases.ts";
import { SpendSums } from "#src/spend/ledger/pending-spend.ts";
import { endRecord } from "#test/harness/request-records.ts";
import { Machine, type MachineClock } from "./machine.ts";
import { expectSame, keysOf, type Model } from "./model.ts";
import type { Random } from "./random.ts";
import { type BrokenRule, type RunningStream, SimulatedStreams } from "./simulated-streams.ts";
import type { FlushRequest, SpendStore, StoreTimes } from "./store.ts";
import type { ExceededBounds } from "./stream-excess.ts";
import type { Admitted } from "./stream-fairness.ts";
import type { PlannedStream } from "./stream-rules.ts";

type JournalEntry =
  | { kind: "begin"; record: BeginRecord }
  | { kind: "end"; seq: number; record: EndRecord };

interface StartOptions {
  isJournalWhole: boolean;
  fold: () => Promise<void>;
  /** Checks the connection of the new process. */
  connect: () => Promise<void>;
}

export interface Wanted {
  scope: SpendScope;
  amount: bigint;
  /** Absent: a JSON response, which every limit holds whole. */
  stream?: PlannedStream;
}

export interface Admission extends Pick<Admitted, "requestId" | "keys"> {
  /** The budget was free in the lease, without a wait. */
  isFromLease: boolean;
}

interface SimulatedNodeOptions extends MachineClock {
  coverMs: number;
  times: Times;
  random: Random;
  brokenRule: BrokenRule | null;
  exceeded: ExceededBounds;
  /** Called for each admitted request. */
  onAdmission: (node: SimulatedNode, admission: Admission) => void;
  /** Called at the end of each stream, with its cost. Absent: not called. */
  onStreamEnd?: (stream: RunningStream, costNanoUsd: bigint) => void;
}

/** Times of one simulation, milliseconds. */
export interface Times extends StoreTimes {
  marginMs: number;
  holdWaitMs: number;
}

export const TIMES: Times = {
  ttlMs: 2_000,
  marginMs: 300,
  graceMs: 400,
  releaseMs: 60_000,
  holdWaitMs: 1_500,
};

/** Times of runs with streams, which last seconds. */
export const STREAM_TIMES: Times = {
  ttlMs: 20_000,
  marginMs: 2_000,
  graceMs: 5_000,
  releaseMs: 600_000,
  holdWaitMs: 5_000,
};

/** Most waiting requests. Fewer than the largest burst of one workspace. */
const MAX_WAITING = 24;

/** One process: its memory, and the journal that outlives it. */
export class SimulatedNode {
  readonly id: string;
  readonly #model: Model;
  /** Journal. Survives a kill. */
  journal: JournalEntry[] = [];
  leases: NodeLeases;
  running = new Map<string, BeginRecord>();
  waiting = new Map<string, Wanted>();
  ends: { seq: number; record: EndRecord }[] = [];
  nextSeq = 1;
  /** Position up to which this process knows its ends as appended. */
  flushedSeq = 0;
  epoch = 0n;
  step: FlushRequest | null = null;
  isFlushing = false;
  isAlive = false;
  isPaused = false;
  isPartitioned = false;
  isLeaving = false;
  readonly #machine: Machine;
  readonly #options: SimulatedNodeOptions;
  readonly streams: SimulatedStreams;
  /** Bills of streams that ran at a kill, by request. The journal must expect them. */
  readonly #bills = new Map<string, bigint>();
  /** Number of the current process. Answers to an earlier process are dropped. */
  processNumber = 0;
  /** The incarnation of the database that this process knows. */
  known: Incarnation | null = null;
  /** The database lacks leases of this node, and no longer waits for its report. Its requests promise nothing until then. */
  isExempt = false;
  /** Failovers that this process knows, and those after which it has continued with its journal. */
  readonly #failovers = { known: 0, handled: 0 };
  #message: SyncMessage | null = null;

  constructor(id: string, model: Model, options: SimulatedNodeOptions) {
    this.id = id;
    this.#model = model;
    this.#options = options;
    this.#machine = new Machine(options);
    this.leases = this.#newLeases();
    const { random, brokenRule, exceeded } = options;
    const leases = () => this.leases;
    const end = (record: EndRecord) => this.#end(record);
    const onEnd = options.onStreamEnd ?? (() => undefined);
    const parts = { nodeId: id, leases, model, random, end, onEnd, brokenRule, exceeded };
    this.streams = new SimulatedStreams(parts);
  }

  get isActive(): boolean {
    return this.isAlive && !this.isPaused;
  }

  now(time: { realMs: number; wallMs: number }): { nowMs: number; atMs: number } {
    this.#machine.advance(time.realMs);
    if (!this.isPaused) this.#machine.resume();
    return { nowMs: this.#machine.clock.monotonicMs(), atMs: time.wallMs };
  }

  /** Suspends the machine until the node is no longer paused. */
  suspend({ realMs }: { realMs: number }): void {
    this.isPaused = true;
    this.#machine.suspend(realMs);
  }

  /** Sets the wall clock of the machine. */
  moveWallClock(ms: number): void {
    this.#machine.moveWallClock(ms);
  }

  #newLeases(): NodeLeases {
    const { coverMs, times } = this.#options;
    const { ttlMs, marginMs, holdWaitMs } = times;
    return new NodeLeases({
      nodeId: this.id,
      ttlMs,
      coverMs,
      marginMs,
      holdWaitMs,
      maxWaiting: MAX_WAITING,
    });
  }

  /**
   * Starts a process: epoch, replay of the journal, then the limits, all before the first request. `fold`: counts all that
   * earlier processes have appended. This journal may have lost it.
   */
  async start(store: SpendStore, { isJournalWhole, fold, connect }: StartOptions): Promise<void> {
    // The mark stays on the disk until the database has acknowledged it.
    const isWhole = isJournalWhole && !this.leases.hasJournalGap;
    this.known = null;
    await connect();
    const { epoch, flushedSeq } = await store.enter(this.id);
    await fold();
    this.#failovers.handled = this.#failovers.known;
    this.processNumber += 1;
    this.isAlive = true;
    this.isPaused = false;
    this.isLeaving = false;
    this.epoch = epoch;
    this.flushedSeq = flushedSeq;
    this.leases = this.#newLeases();
    this.leases.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: !isWhole });
    this.nextSeq = Math.max(this.nextSeq, flushedSeq + 1);
    const open = new Map<string, BeginRecord>();
    for (const entry of this.journal) {
      if (entry.kind === "begin") open.set(entry.record.requestId, entry.record);
      else {
        open.delete(entry.record.requestId);
        if (entry.seq > flushedSeq) this.#queue(entry);
      }
    }
    for (const begin of open.values()) {
      const isRecorded = this.#model.requests.get(begin.requestId)?.isRecorded === true;
      if (isRecorded) continue;
      const record = endRecord(begin, 0n, { outcome: "interrupted" });
      this.#checkBill(record);
      this.#end(record);
    }
    await this.readLimits(store);
  }

  /** The unresolved amount of a stream covers all that the provider billed after the kill. */
  #checkBill(record: EndRecord): void {
    const billed = this.#bills.get(record.requestId) ?? 0n;
    const { unresolvedNanoUsd } = spentOf(record);
    if (billed <= unresolvedNanoUsd) return;
    throw new Error(`${record.requestId} cost ${billed}, and ${unresolvedNanoUsd} are unresolved`);
  }

  /** Learns of a failover with its first connection to the promoted server. */
  handleFailover(leastEpoch: bigint, time: { realMs: number; wallMs: number }): void {
    this.leases.handleFailover(leastEpoch, this.now(time));
    this.#failovers.known += 1;
  }

  async reenter(store: SpendStore, fold: () => Promise<void>): Promise<void> {
    const { epoch, flushedSeq } = await store.enter(this.id);
    this.epoch = epoch;
    this.#message = null;
    const { known, handled } = this.#failovers;
    if (handled < known) {
      await fold();
      if (this.step !== null && this.step.to === flushedSeq) this.handleFlush(this.step);
      this.#rewind(flushedSeq);
      this.#failovers.handled = known;
      this.leases.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
      return;
    }
    // A flush whose result was lost may have been counted before the node was fenced.
    if (this.step !== null && this.step.to === flushedSeq) this.handleFlush(this.step);
    expectSame(`${this.id} flushed`, flushedSeq, this.flushedSeq);
    this.step = null;
    this.leases.enter({ epoch, appendedSeq: flushedSeq, hasJournalGap: false });
  }

  /** Continues after the last end that the promoted server has. */
  #rewind(seq: number): void {
    this.leases.rewind(seq);
    this.step = null;
    this.ends = [];
    for (const entry of this.journal) {
      if (entry.kind === "begin" || entry.seq <= seq) continue;
      this.ends.push(entry);
      const isLost = entry.seq <= this.flushedSeq;
      if (isLost) this.leases.recordFoundSpend(entry.record, spentOf(entry.record));
    }
    this.flushedSeq = seq;
  }

  /** Draws of the journal's ends after a folded position. */
  sumUnfolded(
    foldedSeq: number,
    period: { scopeId: string; startMs: number; endMs: number },
  ): bigint {
    const sums = new SpendSums();
    for (const entry of this.journal) {
      if (entry.kind === "end" && entry.seq > foldedSeq)
        sums.add(entry.record, spentOf(entry.record));
    }
    return sums.sumOfDraws(period);
  }

  /** Held and pending amounts of a balance. */
  sumUsed(text: string): bigint {
    const state = this.leases.view().states.find((each) => each.text === text);
    if (state === undefined) return 0n;
    const { held, key, startMs, endMs } = state;
    return held + this.leases.pending.sumOfDraws({ scopeId: key.scopeId, startMs, endMs });
  }

  async readLimits(store: SpendStore): Promise<void> {
    const { limits, version } = await store.limits();
    this.leases.setLimits(limits, version);
    // A new limit holds the steps of running streams at once.
    this.streams.syncHolds({ nowMs: this.#machine.clock.monotonicMs(), atMs: 0 });
  }

  kill(lostRecords: number, { realMs }: { realMs: number }): void {
    this.isAlive = false;
    this.processNumber += 1;
    this.running.clear();
    for (const [id, billed] of this.streams.kill(realMs)) this.#bills.set(id, billed);
    this.waiting.clear();
    this.ends = [];
    this.step = null;
    this.isFlushing = false;
    this.#message = null;
    const lost = lostRecords > 0 ? this.journal.splice(-lostRecords) : [];
    for (const { kind, record } of lost)
      if (kind === "begin") this.#model.recordLoss(record.requestId);
  }

  request(requestId: string, wanted: Wanted, time: { realMs: number; wallMs: number }): void {
    const { scope, amount: amountNanoUsd, stream } = wanted;
    const { firstNanoUsd = 0n, usualNanoUsd = 0n } = stream ?? {};
    const isStepped = stream !== undefined && stream.terms !== null;
    const decision = this.leases.hold(
      {
        ...{ requestId, scope, amountNanoUsd },
        ...(stream?.worstCase.kind === "open_ended" && { isOpenEnded: true }),
        ...(isStepped && { stream: { firstNanoUsd, usualNanoUsd } }),
      },
      this.now(time),
    );
    if (decision.kind === "held") {
      this.#checkTurn(requestId, wanted);
      this.#begin(requestId, wanted, { decision, isFromLease: true });
    }
    if (decision.kind === "waiting") this.waiting.set(requestId, wanted);
  }

  /** Requests of one key get budget in the order of their arrival, while its groups and tags stay the same. */
  #checkTurn(requestId: string, { scope }: Wanted): void {
    for (const [earlier, { scope: other }] of this.waiting) {
      if (earlier === requestId) return;
      if (haveSameChain(other, scope)) {
        throw new Error(`${requestId} got budget before ${earlier}, which arrived first`);
      }
    }
  }

  /** Checks that a search of the freed part finds all requests. A search of the whole queue must find no more. */
  progressQueue(time: { realMs: number; wallMs: number }): void {
    const now = this.now(time);
    this.handleResolutions(this.leases.resolveFreed(now));
    expectSame(`${this.id} missed requests`, this.leases.resolveWaiting(now).length, 0);
    this.streams.syncHolds(now);
  }

  /** Resolves all requests that have budget, or whose time is over. The product does so in parts. */
  resolveWaiting(time: { realMs: number; wallMs: number }): void {
    for (;;) {
      const resolved = this.leases.resolveWaiting(this.now(time));
      if (resolved.length === 0) return;
      this.handleResolutions(resolved);
    }
  }

  handleResolutions(resolutions: readonly Resolution[]): void {
    for (const { requestId, decision } of resolutions) {
      const wanted = this.waiting.get(requestId);
      if (wanted === undefined) throw new Error(`${requestId} did not wait`);
      if (decision.kind === "held") this.#checkTurn(requestId, wanted);
      this.waiting.delete(requestId);
      if (decision.kind !== "held") continue;
      this.#begin(requestId, wanted, { decision, isFromLease: false });
    }
  }

  #begin(
    requestId: string,
    { scope, amount, stream }: Wanted,
    { decision, isFromLease }: { decision: Held; isFromLease: boolean },
  ): void {
    const { startedAtMs, isStepped } = decision;
    const { memberId, groupIds, tagIds, ...place } = scope;
    const record: BeginRecord = {
      ...place,
      ...(memberId !== undefined && { memberId }),
      ...(groupIds !== undefined && { groupIds }),
      ...(tagIds !== undefined && { tagIds }),
      requestId,
      startedAtMs,
      requestedModel: "claude-sonnet-5",
      isStream: stream !== undefined,
      client: "other",
      holdNanoUsd: this.#isFirstHoldOnly(stream) ? stream.firstNanoUsd : amount,
    };
    const states = this.leases.view().states.filter(({ limit }) => limit !== null);
    const known = new Set(states.map(({ text }) => text));
    const { isExempt } = this;
    const request = { requestId, nodeId: this.id, scope, startedAtMs, worst: amount };
    this.#model.begin({ ...request, known, isExempt });
    this.journal.push({ kind: "begin", record });
    const keys = keysOf(scope, startedAtMs).filter((key) => known.has(key));
    this.#options.onAdmission(this, { requestId, keys, isFromLease });
    if (stream === undefined) {
      this.running.set(requestId, record);
      return;
    }
    const { realMs } = this.#machine;
    const nowMs = this.#machine.clock.monotonicMs();
    this.streams.begin(record, stream, { nowMs, realMs, isStepped });
    this.streams.syncHolds({ nowMs, atMs: startedAtMs });
  }

  #isFirstHoldOnly(stream: PlannedStream | undefined): stream is PlannedStream {
    return stream !== undefined && this.#options.brokenRule === "first_hold_in_begin";
  }

  get hasStreams(): boolean {
    return this.streams.running.size > 0;
  }

  /** True while the request runs or waits. */
  isKnown(requestId: string): boolean {
    return this.streams.running.has(requestId) || this.waiting.has(requestId);
  }

  /** One tick of the meter of streams. */
  tick(time: { realMs: number; wallMs: number }): void {
    this.resolveWaiting(time);
    this.streams.tick(this.now(time), time.realMs);
    this.progressQueue(time);
  }

  /** The upstream breaks off a stream. */
  breakOff(requestId: string, time: { realMs: number; wallMs: number }): void {
    this.streams.breakOff(requestId, this.now(time), time.realMs);
    this.resolveWaiting(time);
  }

  /** The client of a stream disconnects. */
  leave(requestId: string, time: { realMs: number; wallMs: number }): void {
    this.streams.leave(requestId, this.now(time), time.realMs);
    this.resolveWaiting(time);
  }

  /** Records a request that a node has admitted, for the streams of this node. */
  recordAdmission(by: SimulatedNode, { requestId, keys, isFromLease }: Admission): void {
    const other = isFromLease ? "other_lease" : "other_grant";
    const place = by === this ? "same_node" : other;
    const nowMs = this.#machine.clock.monotonicMs();
    this.streams.recordAdmission({ requestId, keys, place }, { nowMs, atMs: 0 });
  }

  /** Ends a request. `cost` null: the upstream broke off, and the cost is unknown. */
  finish(begin: BeginRecord, cost: bigint | null): void {
    this.running.delete(begin.requestId);
    this.#model.end(begin.requestId, cost);
    this.#end(
      cost === null ? endRecord(begin, 0n, { outcome: "interrupted" }) : endRecord(begin, cost),
    );
  }

  #end(record: EndRecord): void {
    const entry = { kind: "end", seq: this.nextSeq, record } as const;
    this.nextSeq += 1;
    this.journal.push(entry);
    this.#queue(entry);
  }

  #queue({ seq, record }: { seq: number; record: EndRecord }): void {
    this.ends.push({ seq, record });
    this.leases.recordEnd(record.requestId, record, spentOf(record));
  }

  nextMessage(time: { realMs: number; wallMs: number }): SyncMessage | null {
    const now = this.now(time);
    // `LeaseSync` makes a quiet node wait until then.
    const isPaused = this.leases.isQuiet && now.nowMs < this.leases.findDueMs();
    const message = this.leases.nextMessage(now);
    assert(!isPaused || message === null, "a quiet node has no message before its time");
    this.#message = message ?? this.#message;
    return this.#message;
  }

  /** Handles an answer. Null: no answer arrived. False: the epoch of the message is over. */
  handleAnswer(answer: SyncAnswer | null, time: { realMs: number; wallMs: number }): boolean {
    const message = this.#message;
    this.#message = null;
    // The epoch ended at a failover.
    if (message !== null && !this.leases.isInFlight(message)) return false;
    const now = this.now(time);
    if (answer === null) this.leases.handleLostMessage(now);
    else this.handleResolutions(this.leases.applyAnswer(answer, now));
    this.streams.syncHolds(now);
    return true;
  }

  nextFlush(atMost: number): FlushRequest | null {
    if (this.step !== null) return this.step;
    const ends = this.ends.slice(0, atMost);
    const last = ends.at(-1);
    if (last === undefined) return null;
    const batch = ends.map(({ record }) => record);
    this.step = { nodeId: this.id, epoch: this.epoch, from: this.flushedSeq, to: last.seq, batch };
    return this.step;
  }

  handleFlush(step: FlushRequest): void {
    this.step = null;
    this.ends.splice(0, step.batch.length);
    this.flushedSeq = step.to;
    const ends = step.batch.map((record) => {
      return { origin: record, spent: spentOf(record), isCounted: true };
    });
    this.leases.recordAppend(ends, step.to);
  }

  /** Reads how far the fold has counted this node's ends. */
  async readFolded(store: SpendStore): Promise<string> {
    const seq = await store.foldedSeq(this.id);
    this.leases.recordFolded(seq);
    return `${this.id} knows its ends as counted up to ${seq}`;
  }
}
