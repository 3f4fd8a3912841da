import { createHash } from "node:crypto";
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Database } from "#src/db/pool.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { insertLines } from "./batches.sql.ts";
import { type BatchLine, type LineDeps, readLine } from "./read-line.ts";
import { RequestSplitter } from "./split-requests.ts";

// The body of a batch on its way through this server: in a file until the upstream has it, and its requests as rows.

/** The official limit of a batch. */
export const MAX_BATCH_BYTES = 256 * 1024 * 1024;
/** Rows of one statement. */
const ROWS = 500;

export interface StoredBody {
  path: string;
  bytes: number;
  lineCount: number;
  /** Sum of the worst cases, nano-USD. */
  worstNanoUsd: bigint;
  /** Worst cases of the open-ended requests among them, at most 100,000. */
  openEndedNanoUsd: readonly bigint[];
  /** SHA-256 of the body. */
  hash: string;
}

export interface StoreDeps extends LineDeps {
  database: Database;
  /** Folder of bodies. */
  folder: string;
}

/** Stores a body and its requests while it arrives. Rejects with a refusal. The caller removes the file in every case. */
export async function storeBody(
  deps: StoreDeps,
  batchId: string,
  body: Readable,
): Promise<StoredBody> {
  await mkdir(deps.folder, { recursive: true, mode: 0o700 });
  const path = bodyPath(deps.folder, batchId);
  const lines = new LineStore(deps, batchId);
  const splitter = new RequestSplitter((bytes, index) => lines.add(readLine(deps, bytes, index)));
  const hash = createHash("sha256");
  let bytes = 0;
  const file = await open(path, "w", 0o600);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash.update(chunk);
      splitter.push(chunk);
      await lines.flush(ROWS);
      await file.writeFile(chunk);
    }
    const lineCount = splitter.end();
    await lines.flush(1);
    const { worstNanoUsd, openEndedNanoUsd } = lines;
    return { path, bytes, lineCount, worstNanoUsd, openEndedNanoUsd, hash: hash.digest("hex") };
  } finally {
    await file.close();
  }
}

export function bodyPath(folder: string, batchId: string): string {
  return join(folder, `${batchId}.json`);
}

/** Removes the file of a body, if there is one. */
export function removeBody(folder: string, batchId: string): Promise<void> {
  return rm(bodyPath(folder, batchId), { force: true });
}

/** Removes the files that a process has left at its end. `untilMs`: time of the last write, milliseconds since the epoch. */
export async function removeOldBodies(folder: string, untilMs: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const facts = await stat(path).catch(() => null);
    if (facts !== null && facts.mtimeMs < untilMs) await rm(path, { force: true });
  }
}

/** Lines of a batch that are not in the database yet. */
class LineStore {
  readonly #deps: StoreDeps;
  readonly #batchId: string;
  /** At most 100,000 texts of 64 characters. */
  readonly #customIds = new Set<string>();
  #lines: BatchLine[] = [];
  worstNanoUsd = 0n;
  readonly openEndedNanoUsd: bigint[] = [];

  constructor(deps: StoreDeps, batchId: string) {
    this.#deps = deps;
    this.#batchId = batchId;
  }

  add(line: BatchLine): void {
    const { customId, index, worstCase } = line;
    if (this.#customIds.has(customId)) {
      const path = `requests.${index}.custom_id`;
      throw refuseField(path, "This custom_id appears more than once in the batch.");
    }
    this.#customIds.add(customId);
    this.worstNanoUsd += worstCase.nanoUsd;
    if (worstCase.kind !== "closed") this.openEndedNanoUsd.push(worstCase.nanoUsd);
    this.#lines.push(line);
  }

  /** Stores the lines if there are as many. */
  async flush(least: number): Promise<void> {
    if (this.#lines.length < least) return;
    const lines = this.#lines;
    this.#lines = [];
    for (let at = 0; at < lines.length; at += ROWS) {
      await insertLines(this.#deps.database, this.#batchId, lines.slice(at, at + ROWS));
    }
  }
}
