import type { Database } from "#src/db/pool.ts";
import {
  countKnownIds,
  countLostTwins,
  listKnownUpstreamIds,
  type StoredBatch,
} from "./batches.sql.ts";
import type { BatchReader } from "./read-answer.ts";
import { readResults } from "./read-result.ts";
import type { Reported } from "./reported-batch.ts";

// Finds a batch at its upstream whose answer was lost. All workspaces share the account of an upstream, so a match needs
// proof. The results of an ended batch have exactly the custom ids of the lost one. No lost batch of another key
// or body has them.

/** Clocks of the upstream and the database differ by less, milliseconds. */
const CLOCKS_MS = 5 * 60_000;
const CHUNK_IDS = 1_000;

export type Search =
  /** The batch, with the results that prove it. */
  | { kind: "found"; reported: Reported }
  /** A batch that still runs may be the lost one. */
  | { kind: "possible" }
  | { kind: "none" };

/** Rejects with the cause of a failure. */
export async function findLostBatch(
  database: Database,
  reader: BatchReader,
  batch: StoredBatch,
): Promise<Search> {
  const sentMs = (batch.sentAt ?? batch.startedAt).getTime();
  const listed = await reader.listSince(sentMs - CLOCKS_MS);
  const sameSize = listed.filter(({ requestCount }) => requestCount === batch.lineCount);
  const ids = sameSize.map(({ id }) => id);
  const known = await listKnownUpstreamIds(database, { upstreamId: batch.upstreamId, ids });
  const candidates = sameSize.filter(({ id }) => !known.has(id));
  const matches: Reported[] = [];
  for (const candidate of candidates.filter(({ isEnded }) => isEnded)) {
    if (await hasSameIds(database, reader, batch, candidate)) matches.push(candidate);
  }
  const [match] = matches;
  const lost = await countLostTwins(database, batch);
  const isSure = lost.foreign === 0 && matches.length <= lost.same;
  if (match !== undefined && isSure) return { kind: "found", reported: match };
  const isPossible = match !== undefined || candidates.some(({ isEnded }) => !isEnded);
  return { kind: isPossible ? "possible" : "none" };
}

async function hasSameIds(
  database: Database,
  reader: BatchReader,
  batch: StoredBatch,
  { id }: Reported,
): Promise<boolean> {
  const results = await reader.results(id);
  if (results === null) return false;
  let count = 0;
  let ids: string[] = [];
  const areKnown = async (): Promise<boolean> => {
    const known = await countKnownIds(database, batch.id, ids);
    const isSame = known === new Set(ids).size && known === ids.length;
    count += ids.length;
    ids = [];
    return isSame;
  };
  for await (const { customId } of readResults(results as AsyncIterable<Buffer>)) {
    ids.push(customId);
    if (ids.length >= CHUNK_IDS && !(await areKnown())) return false;
  }
  return (await areKnown()) && count === batch.lineCount;
}
