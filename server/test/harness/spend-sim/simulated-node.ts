import type { Incarnation } from "#src/db/incarnation.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { spentOf } from "#src/domain/request-spend.ts";
import { assert } from "#src/lib/assert.ts";
import { type Clock, makeClock } from "#src/lib/clock.ts";
import { haveSameChain, type SpendScope } from "#src/spend/ledger/charges.ts";
import type { SyncAnswer, SyncMessage } from "#src/spend/ledger/lease-rules.ts";
import { NodeLeases, type Resolution } from "#src/spend/ledger/node-leases.ts";
import { SpendSums } from "#src/spend/ledger/pending-spend.ts";
import { endRecord } from "#test/harness/request-records.ts";
import { expectSame, type Model } from "./model.ts";
import type { FlushRequest, SpendStore } from "./store.ts";

type JournalEntry =
  | { kind: "begin"; record: BeginRecord }
  | { kind: "end"; seq: number; record: EndRecord };

interface StartOptions {
  isJournalWhole: boolean;
  fold: () => Promise<void>;
  /** Checks the connection of the new process. */
  connect: () => Promise<void>;
}

interface Waiting {
  scope: SpendScope;
  amount: bigint;
}

/** Clocks of a node's machine. */
export interface MachineClock {
  /** Start of the steady clock, milliseconds. Differs between machines. */
  steadyOffsetMs: number;
  /** False: the system has no time since boot. */
  hasUptime: boolean;
  /** True: nodes read the steady clock, which stands still during a suspension. Shows that the rule is needed. */
  isSteadyOnly: boolean;
}

/** Resolution of the time since boot, milliseconds. */
const UPTIME_STEP_MS = 10;

/** Times of the simulation, milliseconds. */
export const TIMES = {
  ttlMs: 2_000,
  marginMs: 300,
  graceMs: 400,
  releaseMs: 60_000,
  holdWaitMs: 1_500,
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
  waiting = new Map<string, Waiting>();
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
  readonly #machine = { realMs: 0, suspendedMs: 0, wallOffsetMs: 0 };
  /** Real time at which the machine was suspended. Null: it runs. */
  #suspendedAtMs: number | null = null;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #coverMs: number;
  /** Number of the current process. Answers to an earlier process are dropped. */
  processNumber = 0;
  /** The incarnation of the database that this process knows. */
  known: Incarnation | null = null;
  /** The database lacks leases of this node, and no longer waits for its report. Its requests promise nothing until then. */
  isExempt = false;
  /** Failovers that this process knows, and those after which it has continued with its journal. */
  readonly #failovers = { known: 0, handled: 0 };
  #message: SyncMessage | null = null;

  constructor(id: string, model: Model, machine: MachineClock & { coverMs: number }) {
    this.id = id;
    this.#model = model;
    this.#clock = this.#makeClock(machine);
    this.#coverMs = machine.coverMs;
    this.leases = this.#newLeases();
  }

  get isActive(): boolean {
    return this.isAlive && !this.isPaused;
  }

  now(time: { realMs: number; wallMs: number }): { nowMs: number; atMs: number } {
    this.#machine.realMs = time.realMs;
    if (!this.isPaused && this.#suspendedAtMs !== null) {
      this.#machine.suspendedMs += time.realMs - this.#suspendedAtMs;
      this.#suspendedAtMs = null;
    }
    return { nowMs: this.#clock.monotonicMs(), atMs: time.wallMs };
  }

  get isSuspended(): boolean {
    return this.#suspendedAtMs !== null;
  }

  /** Suspends the machine until the node is no longer paused. */
  suspend({ realMs }: { realMs: number }): void {
    this.isPaused = true;
    this.#suspendedAtMs ??= realMs;
  }

  /** Sets the wall clock of the machine. */
  moveWallClock(ms: number): void {
    this.#machine.wallOffsetMs += ms;
  }

  #makeClock({ steadyOffsetMs, hasUptime, isSteadyOnly }: MachineClock) {
    const machine = this.#machine;
    const steadyMs = () =>
      (this.#suspendedAtMs ?? machine.realMs) - machine.suspendedMs + steadyOffsetMs;
    const uptimeMs = () => Math.floor(machine.realMs / UPTIME_STEP_MS) * UPTIME_STEP_MS;
    if (isSteadyOnly) return { monotonicMs: steadyMs };
    return makeClock({
      wallMs: () => machine.realMs + machine.wallOffsetMs,
      steadyMs,
      uptimeMs: hasUptime ? uptimeMs : () => null,
    });
  }

  #newLeases(): NodeLeases {
    const { ttlMs, marginMs, holdWaitMs } = TIMES;
    return new NodeLeases({
      nodeId: this.id,
      ttlMs,
      coverMs: this.#coverMs,
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
      this.#end(endRecord(begin, 0n, { outcome: "interrupted" }));
    }
    await this.readLimits(store);
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

  async readLimits(store: SpendStore): Promise<void> {
    const { limits, version } = await store.limits();
    this.leases.setLimits(limits, version);
  }

  kill(lostRecords: number): void {
    this.isAlive = false;
    this.processNumber += 1;
    this.running.clear();
    this.waiting.clear();
    this.ends = [];
    this.step = null;
    this.isFlushing = false;
    this.#message = null;
    const lost = lostRecords > 0 ? this.journal.splice(-lostRecords) : [];
    for (const { kind, record } of lost)
      if (kind === "begin") this.#model.recordLoss(record.requestId);
  }

  request(requestId: string, wanted: Waiting, time: { realMs: number; wallMs: number }): void {
    const { scope, amount } = wanted;
    const decision = this.leases.hold({ requestId, scope, amountNanoUsd: amount }, this.now(time));
    if (decision.kind === "held") {
      this.#checkTurn(requestId, wanted);
      this.#begin(requestId, wanted, decision.startedAtMs);
    }
    if (decision.kind === "waiting") this.waiting.set(requestId, wanted);
  }

  /** Requests of one key get budget in the order of their arrival, while its groups and tags stay the same. */
  #checkTurn(requestId: string, { scope }: Waiting): void {
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
      if (decision.kind === "held") this.#begin(requestId, wanted, decision.startedAtMs);
    }
  }

  #begin(requestId: string, { scope, amount }: Waiting, startedAtMs: number): void {
    const { memberId, groupIds, tagIds, ...place } = scope;
    const record: BeginRecord = {
      ...place,
      ...(memberId !== undefined && { memberId }),
      ...(groupIds !== undefined && { groupIds }),
      ...(tagIds !== undefined && { tagIds }),
      requestId,
      startedAtMs,
      requestedModel: "claude-sonnet-5",
      isStream: false,
      client: "other",
      holdNanoUsd: amount,
    };
    const states = this.leases.view().states.filter(({ limit }) => limit !== null);
    const known = new Set(states.map(({ text }) => text));
    const { isExempt } = this;
    const request = { requestId, nodeId: this.id, scope, startedAtMs, worst: amount };
    this.#model.begin({ ...request, known, isExempt });
    this.journal.push({ kind: "begin", record });
    this.running.set(requestId, record);
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
