import { type SyncAnswer, type SyncMessage, usedOf } from "#src/spend/ledger/lease-rules.ts";
import { findSpendable } from "#src/spend/ledger/lease-table.ts";
import type { DraftedMessage } from "#src/spend/ledger/leases.sql.ts";
import { expectSame } from "./model.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { FlushAnswer, FlushRequest } from "./store.ts";
import type { World } from "./world.ts";

/** Budget in advance that counts as a large lease: five times the usual cost of a request. */
const LARGE_UNITS = 50n;
/** Share of messages with other steps between their read and their write. */
const OPEN_DRAFT_SHARE = 0.6;

type Packet = {
  node: SimulatedNode;
  processNumber: number;
  /** The node timed out. The message may be executed, and is never answered. */
  isAbandoned: boolean;
} /** `draft`: the database has read the rows of the message, and has written nothing. */ & (
  | { kind: "sync"; message: SyncMessage; draft: DraftedMessage | null; answer: SyncAnswer | null }
  | { kind: "flush"; request: FlushRequest; answer: FlushAnswer | null }
);

type SyncPacket = Extract<Packet, { kind: "sync" }>;

/** Messages between nodes and the database, and their answers. Each can be lost, late or executed after its node gave up. */
export class Packets {
  readonly counts = { redrafted: 0, large: 0 };
  readonly #world: World;
  #packets: Packet[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** True while the node waits for the answer to a lease message. */
  isAwaited(node: SimulatedNode): boolean {
    return this.#packets.some((each) => each.kind === "sync" && isAwaited(each, node));
  }

  /** Sends a lease message. Its answer is a step of its own. */
  sendMessage(node: SimulatedNode, message: SyncMessage): void {
    this.#packets.push({
      kind: "sync",
      node,
      message,
      draft: null,
      answer: null,
      ...fresh(node),
    });
  }

  /** Loses all packets. */
  clear(): void {
    this.#packets = [];
  }

  /** Loses the packets that the database has not answered. */
  loseUnanswered(): void {
    for (const packet of this.#packets.filter(({ answer }) => answer === null)) {
      this.#drop(packet, true);
    }
  }

  /** Loses the packets that the node waits for. */
  loseAwaited(node: SimulatedNode): void {
    this.#packets = this.#packets.filter((each) => each.node !== node || each.isAbandoned);
  }

  async readLimits(node: SimulatedNode): Promise<void> {
    const { failovers, store } = this.#world;
    await failovers.connect(node);
    await node.readLimits(store);
  }

  /** Called by a node that knows of a limit without a count. The node may die before. */
  async countLimits(): Promise<void> {
    const { folds, workers } = this.#world;
    if (folds.chance(0.6)) await workers.countLimits();
  }

  /** Sends a flush. Its answer is a step of its own. */
  beginFlush(): string {
    const { random, nodes } = this.#world;
    const node = random.pick(nodes.filter((each) => each.isActive));
    if (node === undefined || node.isFlushing) return "no flush";
    const request = node.nextFlush(1 + random.below(10));
    if (request === null) return `${node.id} has nothing to flush`;
    node.isFlushing = true;
    this.#packets.push({ kind: "flush", node, request, answer: null, ...fresh(node) });
    return `${node.id} flushes ${request.from} to ${request.to}`;
  }

  /** Takes one packet a step further. Returns what happened. */
  async process(): Promise<string> {
    const { random } = this.#world;
    const packet = random.pick(this.#packets);
    if (packet === undefined) return "silence";
    const name = `${packet.kind} of ${packet.node.id}`;
    const isDead = packet.processNumber !== packet.node.processNumber;
    if (packet.answer !== null) {
      if (packet.isAbandoned || isDead || random.chance(0.1)) {
        this.#drop(packet, true);
        return `the answer to a ${name} is lost`;
      }
      if (packet.node.isPaused || packet.node.isPartitioned)
        return `an answer to ${packet.node.id} waits`;
      this.#remove(packet);
      await this.#deliverAnswer(packet);
      return `a ${name} is answered: ${describe(packet)}`;
    }
    if (random.chance(0.08)) {
      this.#drop(packet, true);
      return `a ${name} is lost`;
    }
    // The node may time out while the message is in transit. The message is then executed late.
    if (!packet.isAbandoned && !packet.node.isPaused && random.chance(0.08)) {
      this.#drop(packet, false);
      return `${packet.node.id} gives up on a ${packet.kind}`;
    }
    if (packet.node.isPartitioned && !packet.isAbandoned) return `a ${name} does not get through`;
    await this.#execute(packet);
    if (packet.answer === null) return `a ${name} is ${describeOpen(packet)}`;
    const isDeaf = packet.isAbandoned || packet.node.isPaused || isDead;
    if (isDeaf || random.chance(0.4)) return `a ${name} is executed: ${describe(packet)}`;
    this.#remove(packet);
    await this.#deliverAnswer(packet);
    return `a ${name} is executed and answered: ${describe(packet)}`;
  }

  /** Executes the message that the node waits for, and delivers its answer. Else sends the next one. */
  async finishMessage(node: SimulatedNode): Promise<void> {
    const awaited = this.#packets.find((each) => each.kind === "sync" && isAwaited(each, node));
    if (awaited === undefined) return await this.exchangeMessage(node);
    if (!node.isActive || node.isPartitioned) return;
    while (awaited.answer === null) await this.#execute(awaited);
    this.#remove(awaited);
    await this.#deliverAnswer(awaited);
  }

  /** Sends the next message of the node, if there is one, and delivers its answer. */
  async exchangeMessage(node: SimulatedNode): Promise<void> {
    const { time } = this.#world;
    const canSpeak = node.isActive && !node.isPartitioned && !this.isAwaited(node);
    const message = canSpeak ? node.nextMessage(time) : null;
    if (message === null) return;
    const packet: Packet = {
      kind: "sync",
      node,
      message,
      draft: null,
      answer: null,
      ...fresh(node),
    };
    while (packet.answer === null) await this.#execute(packet);
    await this.#deliverAnswer(packet);
  }

  async flushNow(node: SimulatedNode, request: FlushRequest): Promise<void> {
    const packet: Packet = { kind: "flush", node, request, answer: null, ...fresh(node) };
    await this.#execute(packet);
    await this.#deliverAnswer(packet);
  }

  async #execute(packet: Packet): Promise<void> {
    const { failovers, store, time, model } = this.#world;
    await failovers.connect(packet.node);
    if (packet.kind === "sync") return await this.#executeMessage(packet);
    const { request } = packet;
    packet.answer = await store.flush(request, time.wallMs);
    // Reported also for a step that an earlier attempt has counted. A double count shows in the settled amount.
    const [first] = request.batch;
    const isCounted = model.requests.get(first?.requestId ?? "")?.isRecorded === true;
    if (packet.answer !== "flushed" || isCounted) return;
    const { nodeId, to: toSeq } = request;
    for (const { requestId, cost } of request.batch) {
      model.recorded(requestId, { cost: cost.total, nodeId, toSeq });
    }
  }

  /** Other steps may run between the read and the write of a message. */
  async #executeMessage(packet: SyncPacket): Promise<void> {
    const { store, time, options, drafts, failovers } = this.#world;
    if (packet.draft === null) {
      const draft = await store.draft(packet.message, time.wallMs);
      if (draft.kind === "drafted") packet.draft = draft;
      else if (draft.kind !== "older") packet.answer = draft;
      else packet.answer = await store.sync(packet.message, time.wallMs);
      const isOpen = options.hasOpenDrafts !== false && drafts.chance(OPEN_DRAFT_SHARE);
      if (packet.draft === null || isOpen) return;
    }
    const { draft } = packet;
    packet.answer = await store.write(draft, time.wallMs);
    packet.draft = null;
    if (packet.answer === null) this.counts.redrafted += 1;
    else checkGuard(packet.message, packet.answer);
    if (isReport(packet)) failovers.recordReport(packet.node);
  }

  #drop(packet: Packet, isPacketLost: boolean): void {
    const { time } = this.#world;
    if (isPacketLost) this.#remove(packet);
    const isKnown = packet.isAbandoned || packet.processNumber !== packet.node.processNumber;
    packet.isAbandoned = true;
    if (isKnown) return;
    if (packet.kind === "sync") packet.node.handleAnswer(null, time);
    else packet.node.isFlushing = false;
  }

  async #deliverAnswer(packet: Packet): Promise<void> {
    const { time, failovers, unitNanoUsd } = this.#world;
    const { node } = packet;
    if (packet.kind === "sync") {
      if (packet.answer?.kind === "behind") await this.readLimits(node);
      const hasUnopened = packet.answer?.kind === "done" && packet.answer.unopened.size > 0;
      if (hasUnopened || packet.answer?.kind === "behind") await this.countLimits();
      const isHandled = node.handleAnswer(packet.answer, time);
      if (isHandled && isReport(packet)) failovers.recordReportAnswer(node);
      const large = LARGE_UNITS * unitNanoUsd;
      if (node.leases.view().states.some((state) => findSpendable(state) >= large)) {
        this.counts.large += 1;
      }
      return;
    }
    node.isFlushing = false;
    expectSame("an awaited flush was replaced", packet.answer === "replaced", false);
    // A late answer to a step that another attempt has finished adds nothing.
    if (packet.answer === "flushed" && node.step === packet.request)
      node.handleFlush(packet.request);
  }

  #remove(packet: Packet): void {
    this.#packets = this.#packets.filter((each) => each !== packet);
  }
}

/** Invariant 1 at the grant: no grant lets the used amount exceed the limit. */
function checkGuard({ grantRequests }: SyncMessage, answer: SyncAnswer): void {
  if (answer.kind !== "done") return;
  for (const [at, want] of grantRequests.entries()) {
    for (const [entryAt, { key }] of want.entries.entries()) {
      const figures = answer.figures.get(key);
      const isGiven = (answer.grants[at]?.[entryAt] ?? 0n) > 0n;
      if (!isGiven || figures === undefined || usedOf(figures) <= figures.limitNanoUsd) continue;
      throw new Error(`a grant on ${key.replaceAll("\n", " ")} breaks the guard`);
    }
  }
}

/** True if the database has all leases of the node now. */
function isReport({ message, answer }: SyncPacket): boolean {
  return answer?.kind === "done" && message.isComplete && answer.unopened.size === 0;
}

function fresh(node: SimulatedNode): Pick<Packet, "processNumber" | "isAbandoned"> {
  return { processNumber: node.processNumber, isAbandoned: false };
}

function isAwaited(packet: Packet, node: SimulatedNode): boolean {
  return packet.node === node && packet.processNumber === node.processNumber && !packet.isAbandoned;
}

function describeOpen(packet: Packet): string {
  return packet.kind === "sync" && packet.draft !== null ? "drafted" : "to be drafted again";
}

function describe({ answer }: Packet): string {
  if (answer === null || typeof answer === "string") return String(answer);
  if (answer.kind !== "done") return answer.kind;
  const given = answer.grants.filter((grant) => grant !== null).length;
  const { opened, unopened } = answer;
  return `${opened.size} opened, ${unopened.size} not, ${given} of ${answer.grants.length} granted`;
}
