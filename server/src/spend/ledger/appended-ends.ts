import type { EndRecord } from "#src/domain/request-record.ts";
import { type Spent, spentOf } from "#src/domain/request-spend.ts";
import type { SpendScope } from "./charges.ts";
import type { FoldedEnd } from "./lease-sync.ts";
import type { SpendOrigin } from "./pending-spend.ts";

const DAY_MS = 86_400_000;
/** Batches that are kept apart. More are merged, so that memory is bounded by the active keys. */
const MAX_BATCHES = 100;

interface SummedBatch {
  toSeq: number;
  /** By key and day: every balance counts whole days. */
  sums: Map<string, { origin: SpendOrigin; spent: Spent }>;
}

/** Requests of this node that the database has and no fold has counted, in the order of their batches. */
export class AppendedEnds {
  readonly #batches: SummedBatch[] = [];
  #foldedSeq: number | null = null;

  /** Position of the last known fold. */
  get foldedSeq(): number {
    return this.#foldedSeq ?? 0;
  }

  /** The node has an epoch. At its start everything that it has flushed is folded. Returns the folded position. */
  enter(flushedSeq: number): number {
    this.#foldedSeq ??= flushedSeq;
    return this.#foldedSeq;
  }

  add(toSeq: number, records: readonly EndRecord[]): void {
    const last = this.#batches.at(-1);
    const isFull = this.#batches.length >= MAX_BATCHES;
    const batch = isFull && last !== undefined ? last : { toSeq, sums: new Map() };
    batch.toSeq = toSeq;
    if (batch !== last) this.#batches.push(batch);
    for (const record of records) addRecord(batch, record);
  }

  /** Removes the batches up to this position, and returns their sums. */
  take(foldedSeq: number): FoldedEnd[] {
    this.#foldedSeq = foldedSeq;
    const first = this.#batches.findIndex(({ toSeq }) => toSeq > foldedSeq);
    const taken = this.#batches.splice(0, first === -1 ? this.#batches.length : first);
    return taken.flatMap(({ sums }) =>
      [...sums.values()].map((sum) => ({ ...sum, isDrawn: true })),
    );
  }
}

function addRecord({ sums }: SummedBatch, record: EndRecord): void {
  const spent = spentOf(record);
  if (spent.costNanoUsd === 0n && spent.unresolvedNanoUsd === 0n) return;
  const key = `${record.apiKeyId}\n${Math.floor(record.startedAtMs / DAY_MS)}`;
  const sum = sums.get(key);
  if (sum === undefined) {
    const { organizationId, workspaceId, apiKeyId, startedAtMs }: SpendScope & EndRecord = record;
    sums.set(key, { origin: { organizationId, workspaceId, apiKeyId, startedAtMs }, spent });
    return;
  }
  sum.spent.costNanoUsd += spent.costNanoUsd;
  sum.spent.unresolvedNanoUsd += spent.unresolvedNanoUsd;
}
