import type { Readable } from "node:stream";
import { sendOwnRequest } from "#src/gateway/send-own-request.ts";
import { readWhole, type StreamedAnswer } from "#src/lib/streamed-answer.ts";
import type { Upstream } from "#src/upstreams/upstream.ts";
import { type Reported, readReported } from "./reported-batch.ts";

// Requests of this server itself to an upstream, about batches that it has sent.

/** Longest answer about one batch or a page of batches, bytes. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const PAGE = 100;
/** Pages that are read in search of a batch. */
const MAX_PAGES = 20;

/** Batches of an upstream, as this server itself reads them. All functions reject with the cause of a failure. */
export interface BatchReader {
  /** Null: the upstream does not know the batch. */
  get(id: string): Promise<Reported | null>;
  /** Results of an ended batch. Null: the upstream has none. */
  results(id: string): Promise<Readable | null>;
  /** Lists batches that were created since a time, newest first. */
  listSince(sinceMs: number): Promise<Reported[]>;
}

export interface ReaderOptions {
  idleTimeoutMs: number;
  signal: AbortSignal;
}

/** Makes the reader of an upstream. Null: the upstream stores no batches. */
export function makeBatchReader(upstream: Upstream, options: ReaderOptions): BatchReader | null {
  if (upstream.objects === null) return null;
  const request = (path: string): Promise<StreamedAnswer> =>
    sendOwnRequest(
      upstream,
      { method: "GET", path: `/v1/messages/batches${path}` },
      { silenceMs: options.idleTimeoutMs, signal: options.signal },
    );
  const readJson = async (path: string): Promise<unknown> => {
    const answer = await request(path);
    if (answer.status === 200) {
      return JSON.parse((await readWhole(answer, MAX_ANSWER_BYTES)).toString("utf8"));
    }
    answer.body.destroy();
    if (answer.status === 404) return null;
    throw new Error(`the upstream answered ${answer.status}`);
  };
  return {
    get: async (id) => readReported(await readJson(`/${id}`)),
    async results(id) {
      const answer = await request(`/${id}/results`);
      if (answer.status === 200) return answer.body;
      answer.body.destroy();
      if (answer.status === 404) return null;
      throw new Error(`the upstream answered ${answer.status}`);
    },
    listSince: (sinceMs) => listSince(readJson, sinceMs),
  };
}

async function listSince(
  readJson: (path: string) => Promise<unknown>,
  sinceMs: number,
): Promise<Reported[]> {
  const found: Reported[] = [];
  let after = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = (await readJson(`?limit=${PAGE}${after}`)) as {
      data?: unknown[];
      has_more?: boolean;
    } | null;
    const batches = (answer?.data ?? []).flatMap((value) => readReported(value) ?? []);
    found.push(...batches.filter(({ createdAt }) => createdAt.getTime() >= sinceMs));
    const last = batches.at(-1);
    const isOver = last === undefined || last.createdAt.getTime() < sinceMs;
    if (answer?.has_more !== true || isOver) return found;
    after = `&after_id=${last.id}`;
  }
  throw new Error("the upstream has too many batches to find a lost one");
}
