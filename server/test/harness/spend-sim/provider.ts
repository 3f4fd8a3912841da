import type { Random } from "./random.ts";

// The true run of one stream at the provider, which generates and bills tokens whether the node reads them or not. The
// provider goes on while the node is stopped or killed, and for some time after its connection was closed.

/** Counts of a run that only grow. */
export interface Counts {
  /** Prompt tokens of all started calls. */
  inputTokens: number;
  /** The part of them that a cache had, and the part that was written to it. */
  readTokens: number;
  writtenTokens: number;
  outputTokens: number;
  /** Bytes of text, tool input and visible thinking. */
  visibleBytes: number;
  /** Results of server tools, their bytes, and their pages of which the bytes are encrypted. */
  results: number;
  resultBytes: number;
  resultPages: number;
  blocks: number;
  /** Blocks whose bytes say nothing about their tokens. */
  hiddenBlocks: number;
  toolUses: number;
  /** Uses of a search, and searches that have run. */
  searchUses: number;
  searches: number;
  /** 1 once the response has started. */
  starts: number;
  /** 1 once the final usage is sent. */
  ends: number;
}

/** One part of a run. `atStart` is added when it begins. Tokens and visible bytes grow evenly during the part. */
export interface RunPart {
  ms: number;
  atStart?: Partial<Counts>;
  outputTokens?: number;
  visibleBytes?: number;
}

interface PlacedPart extends RunPart {
  startMs: number;
  /** Counts right after the start. */
  from: Counts;
}

export const NO_COUNTS: Counts = {
  inputTokens: 0,
  readTokens: 0,
  writtenTokens: 0,
  outputTokens: 0,
  visibleBytes: 0,
  results: 0,
  resultBytes: 0,
  resultPages: 0,
  blocks: 0,
  hiddenBlocks: 0,
  toolUses: 0,
  searchUses: 0,
  searches: 0,
  starts: 0,
  ends: 0,
};

/** Times are milliseconds since the dispatch. */
export class Run {
  readonly endMs: number;
  /** Each use of a tool is read a second or more before its call starts, if its node runs. */
  readonly isAnnounced: boolean;
  readonly #parts: readonly PlacedPart[];

  constructor(parts: readonly RunPart[], { isAnnounced }: { isAnnounced: boolean }) {
    this.isAnnounced = isAnnounced;
    const placed: PlacedPart[] = [];
    let [startMs, before] = [0, NO_COUNTS];
    for (const part of parts) {
      const from = addCounts(before, part.atStart ?? {});
      placed.push({ ...part, startMs, from });
      const { outputTokens = 0, visibleBytes = 0 } = part;
      before = addCounts(from, { outputTokens, visibleBytes });
      startMs += part.ms;
    }
    placed.push({ ms: 0, startMs, from: addCounts(before, { ends: 1 }) });
    this.#parts = placed;
    this.endMs = startMs;
  }

  /** Counts of all that is generated up to this time. */
  countsAt(ms: number): Counts {
    const part = this.#find(ms);
    if (part === null) return NO_COUNTS;
    const { startMs, from, outputTokens = 0, visibleBytes = 0 } = part;
    if (outputTokens === 0 && visibleBytes === 0) return from;
    const share = part.ms === 0 ? 1 : Math.min(1, (ms - startMs) / part.ms);
    return {
      ...from,
      outputTokens: from.outputTokens + Math.floor(outputTokens * share),
      visibleBytes: from.visibleBytes + Math.floor(visibleBytes * share),
    };
  }

  /** Counts at each start of a part after `fromMs`, and at `toMs`. */
  listCounts(fromMs: number, toMs: number): Counts[] {
    const starts = this.#parts.filter(({ startMs }) => startMs > fromMs && startMs <= toMs);
    return [...starts.map(({ from }) => from), this.countsAt(toMs)];
  }

  #find(ms: number): PlacedPart | null {
    let [low, high] = [0, this.#parts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#parts[middle]?.startMs ?? 0) <= ms) low = middle + 1;
      else high = middle;
    }
    return this.#parts[low - 1] ?? null;
  }
}

function addCounts(counts: Counts, added: Partial<Counts>): Counts {
  const sum = { ...counts };
  for (const [name, count] of Object.entries(added)) sum[name as keyof Counts] += count;
  return sum;
}

/** Bytes on the wire for each visible byte: most of an event is its frame. */
const WIRE_BYTES_PER_BYTE = 20;
const WIRE_BYTES_PER_BLOCK = 300;
/** Time without a read after which buffers can be full, milliseconds. */
const LATE_MS = 1_000;
/** Longest time that the search for a full buffer is off by, milliseconds. */
const BUFFER_STEP_MS = 10;

export interface ConnectionOptions {
  run: Run;
  /** Time from the generation of a byte to its arrival, milliseconds. */
  delayMs: number;
  /** Most bytes between provider and node. Later ones wait at the provider, which generates on. */
  bufferBytes: number;
}

/** Connection of a node to one run. Times are milliseconds since the dispatch. */
export class Connection {
  readonly run: Run;
  readonly #options: ConnectionOptions;
  /** The node has read all that was generated up to this time. */
  #readUpToMs = -1;
  #lastReadMs = 0;
  /** Time at which the provider stops. Infinity: at the end of the run. */
  #stopsAtMs = Number.POSITIVE_INFINITY;

  constructor(options: ConnectionOptions) {
    this.run = options.run;
    this.#options = options;
  }

  /** Reads all that has arrived. Returns the counts after each event that is no delta. Empty: no byte is new. */
  read(ms: number): readonly Counts[] {
    const { delayMs, bufferBytes } = this.#options;
    const arrivedMs = ms - delayMs;
    if (arrivedMs <= this.#readUpToMs) return [];
    const before = this.run.countsAt(this.#readUpToMs);
    const fromMs = this.#readUpToMs;
    // A reader that keeps up never fills the buffers. After a pause it reads them first, and the rest follows.
    const isLate = ms - this.#lastReadMs > LATE_MS;
    const mostBytes = wireBytesOf(before) + bufferBytes;
    this.#lastReadMs = ms;
    this.#readUpToMs = isLate ? this.#findFullMs(arrivedMs, mostBytes) : arrivedMs;
    const isSame = haveSameBytes(before, this.run.countsAt(this.#readUpToMs));
    return isSame ? [] : this.run.listCounts(fromMs, this.#readUpToMs);
  }

  /** Latest time up to which the buffer had room. */
  #findFullMs(arrivedMs: number, mostBytes: number): number {
    if (wireBytesOf(this.run.countsAt(arrivedMs)) <= mostBytes) return arrivedMs;
    let [low, high] = [this.#readUpToMs, arrivedMs];
    while (high - low > BUFFER_STEP_MS) {
      const middle = (low + high) / 2;
      if (wireBytesOf(this.run.countsAt(middle)) <= mostBytes) low = middle;
      else high = middle;
    }
    // One event is always read.
    return high;
  }

  /** The node closed the connection, or died. The provider generates on for `afterMs`. */
  close(ms: number, afterMs: number): void {
    this.#stopsAtMs = Math.min(this.#stopsAtMs, ms + afterMs);
  }

  /** Counts that the provider bills, if nothing changes after this time. */
  billedAt(ms: number): Counts {
    return this.run.countsAt(Math.min(ms, this.#stopsAtMs));
  }
}

function wireBytesOf({ visibleBytes, resultBytes, blocks }: Counts): number {
  return visibleBytes * WIRE_BYTES_PER_BYTE + resultBytes + blocks * WIRE_BYTES_PER_BLOCK;
}

function haveSameBytes(a: Counts, b: Counts): boolean {
  return wireBytesOf(a) === wireBytesOf(b) && a.starts === b.starts && a.ends === b.ends;
}

/** Makes a connection with a delay of a network, and buffers of any size. */
export function connect(run: Run, random: Random): Connection {
  const delayMs = random.chance(0.8) ? random.below(100) : random.below(MAX_DELAY_MS);
  const bufferBytes = 2 ** (12 + random.below(12));
  return new Connection({ run, delayMs, bufferBytes });
}

/** Longest delay of a byte on its way. Longer ones count as a fault. */
const MAX_DELAY_MS = 1_000;
