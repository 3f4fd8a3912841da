import { type Incarnation, judgeServer } from "#src/db/incarnation.ts";
import { FIRST_SERVER } from "./memory-rows.ts";
import type { Model, SavedModel } from "./model.ts";
import type { Random } from "./random.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { awaitMs, type SavedRows, type SpendStore } from "./store.ts";

/** Share of runs with failovers, and of those with a synchronous standby. */
const RUN_SHARE = 0.5;
const SYNCHRONOUS_SHARE = 0.3;
/** Shares of steps. A second failover often follows soon. */
const STEP_SHARES = [0.004, 0.01, 0.03] as const;
const AGAIN_SHARE = 0.3;
const REENTRY_SHARE = 0.03;
const BUSY_SHARE = 0.5;
const HURRY_SHARE = 0.6;
const TIGHT_SHARE = 0.6;
/** Most transactions that an asynchronous standby lacks. */
const MAX_LOST = 12;
/** Share of transactions after which the standby can end. */
const SAVED_SHARE = 0.5;

export interface FailoversOptions {
  store: SpendStore;
  model: Model;
  nodes: readonly SimulatedNode[];
  random: Random;
  time: { realMs: number; wallMs: number };
  ttlMs: number;
  /** False: no run has failovers. */
  hasFailovers: boolean;
}

interface Saved {
  rows: SavedRows;
  model: SavedModel;
}

/**
 * Report of a node that the database may wait for after a failover:
 * - `unchecked`: no process has connected to the promoted server.
 * - a number: the wait ends at this time of the database's clock.
 * - `exempt`: grants do not wait for the node.
 */
type Report = "unchecked" | number | "exempt";

/**
 * Failovers to a synchronous standby, or to an asynchronous one that lacks the last transactions. Every process checks its
 * first connection to the promoted server.
 *
 * Limits promise nothing about requests in leases that the database lacks, if it does not wait for their node. The server
 * does not know the node as live, or the node is silent for a TTL and a quarter. With a synchronous standby limits promise
 * everything.
 */
export class Failovers {
  readonly #options: FailoversOptions;
  readonly #isEnabled: boolean;
  readonly #isSynchronous: boolean;
  readonly #share: number;
  #isAgainLikely = false;
  #isHurryLikely = false;
  /** The limits are low. */
  readonly isTight: boolean;
  #saved: Saved[] = [];
  #timeline = FIRST_SERVER.timeline;
  /** Processes that have checked the server. */
  readonly #connected = new Set<string>();
  #isRaiseDue = false;
  #raises = 0;
  readonly #reports = new Map<SimulatedNode, Report>();
  /** Limits that the failover changed. In force once all nodes have reported. */
  #changedLimits: ReadonlySet<string> = new Set();
  readonly counts = { failovers: 0, lost: 0, exempted: 0 };

  constructor(options: FailoversOptions) {
    this.#options = options;
    const { random } = options;
    this.#isEnabled = random.chance(RUN_SHARE) && options.hasFailovers;
    this.#isSynchronous = random.chance(SYNCHRONOUS_SHARE);
    this.#share = random.pick(STEP_SHARES) ?? 0;
    this.isTight = random.chance(TIGHT_SHARE) && this.#isEnabled;
  }

  /** True until a process has raised the incarnation. The epochs of the lost seconds are still valid. */
  get isRaiseDue(): boolean {
    return this.#isRaiseDue;
  }

  isDue(): boolean {
    if (!this.#isEnabled) return false;
    const share = this.#isAgainLikely ? AGAIN_SHARE : this.#share;
    this.#isAgainLikely = false;
    return this.#options.random.chance(share);
  }

  isDueDuringReentry(): boolean {
    return this.#isEnabled && this.#options.random.chance(REENTRY_SHARE);
  }

  /** True if a node asks for budget right before a failover. */
  isBusy(): boolean {
    return this.#options.random.chance(BUSY_SHARE);
  }

  isHurryDue(): boolean {
    const isDue = this.#isHurryLikely && this.#options.random.chance(HURRY_SHARE);
    if (isDue) this.#isHurryLikely = false;
    return isDue;
  }

  pickHasty(nodes: readonly SimulatedNode[]): SimulatedNode | undefined {
    return this.#options.random.pick(
      nodes.filter((node) => node.isActive && !node.isPartitioned && !node.isFlushing),
    );
  }

  /** Names of limits that do not count all spend yet, because nodes have not reported. */
  get inactiveLimits(): ReadonlySet<string> {
    const isAwaiting = [...this.#reports.values()].some((report) => report !== "exempt");
    return isAwaiting ? this.#changedLimits : NO_LIMITS;
  }

  /** Call before each statement of a process. `node` null: a process that folds, or an administrator's. */
  async connect(node: SimulatedNode | null): Promise<void> {
    if (!this.#isEnabled) return;
    const { store, model, random, time } = this.#options;
    const process = node === null ? "" : `${node.id} ${node.processNumber}`;
    if (!this.#connected.has(process) || node?.known === null) await this.#check(node, process);
    await this.endWaits(time.wallMs);
    if (!random.chance(SAVED_SHARE)) return;
    this.#saved.push({ rows: await store.save(), model: model.save() });
    if (this.#saved.length > MAX_LOST) this.#saved.shift();
  }

  async #check(node: SimulatedNode | null, process: string): Promise<void> {
    const { store, time } = this.#options;
    const stored = await store.incarnation();
    const known = node?.known ?? null;
    const judgement = judgeServer(
      { incarnation: known, changeCounter: 0n },
      { ...FIRST_SERVER, isStandby: false, timeline: this.#timeline, stored, changeCounter: 0n },
    );
    const after = judgement.kind === "raise" ? await this.#raise(stored, known) : stored;
    this.#connected.add(process);
    if (node === null) return;
    node.known = after;
    if (known !== null && known.id !== after.id) node.handleFailover(after.value << 32n, time);
  }

  async #raise(stored: Incarnation, known: Incarnation | null): Promise<Incarnation> {
    const { store, time } = this.#options;
    await this.#findKnownNodes();
    this.#raises += 1;
    const newId = `raise ${this.#raises}`;
    const raise = { expectedId: stored.id, known: known?.value ?? -1n, newId };
    this.#isRaiseDue = false;
    return await store.raise({ ...raise, timeline: this.#timeline }, time.wallMs);
  }

  /** The raise waits for the nodes that the promoted server knows as live. */
  async #findKnownNodes(): Promise<void> {
    const { store, time, ttlMs } = this.#options;
    const { nodes } = await store.snapshot();
    const waitMs = awaitMs(ttlMs);
    for (const [node, report] of this.#reports) {
      if (report === "exempt") continue;
      const { expiresAtMs = null, awaitedUntilMs = null } = nodes.get(node.id) ?? {};
      const isLive = expiresAtMs !== null && expiresAtMs + waitMs - ttlMs > time.wallMs;
      const isAwaited = awaitedUntilMs !== null && awaitedUntilMs > time.wallMs;
      if (isLive || isAwaited) this.#reports.set(node, time.wallMs + waitMs);
      else await this.#exempt(node);
    }
  }

  /** Ends the waits whose time is over. */
  async endWaits(wallMs: number): Promise<void> {
    for (const [node, report] of this.#reports) {
      if (typeof report === "number" && wallMs >= report) await this.#exempt(node);
    }
  }

  async #exempt(node: SimulatedNode): Promise<void> {
    const { model, store } = this.#options;
    this.#reports.set(node, "exempt");
    node.isExempt = true;
    this.counts.exempted += 1;
    model.recordUncovered(node.id, await store.snapshot(), { isLostOnly: false });
  }

  /** True if the node has not reported since the failover. */
  isReportDue(node: SimulatedNode): boolean {
    return this.#reports.has(node);
  }

  /** A power failure removed requests from the journal, and a failover removed the leases that cover them. */
  async recordPowerLoss(node: SimulatedNode): Promise<void> {
    const { model, store } = this.#options;
    if (!this.#reports.has(node)) return;
    model.recordUncovered(node.id, await store.snapshot(), { isLostOnly: true });
  }

  /** The database has all leases of the node. */
  recordReport(node: SimulatedNode): void {
    if (this.#reports.get(node) !== "exempt") this.#reports.delete(node);
  }

  /** The node knows the leases that the database has. */
  recordReportAnswer(node: SimulatedNode): void {
    this.#reports.delete(node);
    node.isExempt = false;
  }

  /** Moves all processes to another server. The caller drops the connections. */
  async failOver(): Promise<string> {
    const { store, model, nodes, random } = this.#options;
    this.#isAgainLikely = true;
    this.#isHurryLikely = true;
    this.#timeline += 1n;
    this.#connected.clear();
    this.#isRaiseDue = true;
    this.counts.failovers += 1;
    const lost = this.#isSynchronous ? 0 : random.below(this.#saved.length + 1);
    const saved = lost === 0 ? undefined : this.#saved[this.#saved.length - lost];
    if (saved === undefined) {
      for (const [node, report] of this.#reports) {
        if (report !== "exempt") this.#reports.set(node, "unchecked");
      }
      return "fails over without a loss";
    }
    this.#saved = this.#saved.slice(0, -lost);
    await store.restore(saved.rows);
    await model.restore(saved.model, store);
    this.#changedLimits = new Set(model.listInactive());
    const snapshot = await store.snapshot();
    for (const node of nodes) {
      this.#reports.set(node, node.isExempt ? "exempt" : "unchecked");
      model.recordUncovered(node.id, snapshot, { isLostOnly: !node.isExempt });
    }
    this.counts.lost += lost;
    return `fails over, ${lost} transactions are lost`;
  }
}

const NO_LIMITS: ReadonlySet<string> = new Set();
