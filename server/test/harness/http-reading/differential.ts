import { compareRequests, compareResponses, compareServers } from "./compare-readings.ts";
import type { Reading } from "./message-reading.ts";
import { NodeRequestReader } from "./node-reading.ts";
import { readOwnRequests, readOwnResponses } from "./own-reading.ts";
import { SocketServerReader } from "./socket-server-reading.ts";
import { readWithUndici } from "./undici-reading.ts";
import { compareUpstreamConnection } from "./upstream-reading.ts";

/** Bytes that one connection delivers. */
export interface ConnectionCase {
  pieces: readonly Buffer[];
  /** Methods of the requests before the responses. Not used for requests. */
  methods: readonly string[];
}

export interface Disagreement {
  /** All bytes, one character each, as JSON. */
  text: string;
  pieces: number[];
  problem: string;
}

/** Results of a comparison. */
export interface Comparison {
  disagreements: Disagreement[];
  /** Messages that http1 read, the same as the reference. */
  messages: number;
  bytes: number;
}

/** Cases that are open at once. */
const BATCH = 200;
const MOST_DISAGREEMENTS = 5;

const NOTHING_READ: Reading = { messages: [], refusal: null };

const nodeReader = new NodeRequestReader();
const socketServer = new SocketServerReader();

/**
 * Reads requests with http1 and with node:http, and compares the results. A server of both reads them too. In half of the
 * batches, each piece reaches it in a tick of its own.
 */
export function compareRequestReaders(cases: readonly ConnectionCase[]): Promise<Comparison> {
  return compareAll(cases, async (batch, batchIndex) => {
    const allPieces = batch.map(({ pieces }) => pieces);
    const others = await nodeReader.read(allPieces);
    const served = await socketServer.read(allPieces, batchIndex % 2 === 1);
    return allPieces.map((pieces, index) => {
      const own = readOwnRequests(pieces);
      const other = others[index] ?? NOTHING_READ;
      const problem =
        compareRequests(own, other) ??
        compareServers(served[index] ?? NOTHING_READ, other, toText(pieces));
      return { messages: own.messages.length, problem };
    });
  });
}

/**
 * Reads responses with http1 and with undici, and compares the results. The connections end after the last byte. A
 * connection of the upstream client reads them too.
 */
export function compareResponseReaders(cases: readonly ConnectionCase[]): Promise<Comparison> {
  return compareAll(cases, async (batch) => {
    const others = await readWithUndici(batch);
    return batch.map(({ pieces, methods }, index) => {
      const own = readOwnResponses(pieces, methods);
      const other = others[index] ?? NOTHING_READ;
      const text = toText(pieces);
      const problem =
        compareResponses(own, other, text) ??
        compareUpstreamConnection(pieces, methods[0] ?? "GET");
      return { messages: own.messages.length, problem };
    });
  });
}

async function compareAll(
  cases: readonly ConnectionCase[],
  compare: (
    batch: readonly ConnectionCase[],
    batchIndex: number,
  ) => Promise<{ messages: number; problem: string | null }[]>,
): Promise<Comparison> {
  const result: Comparison = { disagreements: [], messages: 0, bytes: 0 };
  for (let start = 0; start < cases.length; start += BATCH) {
    const batch = cases.slice(start, start + BATCH);
    const results = await compare(batch, start / BATCH);
    for (const [index, { messages, problem }] of results.entries()) {
      const pieces = batch[index]?.pieces ?? [];
      const text = toText(pieces);
      result.messages += messages;
      result.bytes += text.length;
      if (problem === null || result.disagreements.length >= MOST_DISAGREEMENTS) continue;
      const lengths = pieces.map(({ length }) => length);
      result.disagreements.push({
        text: abbreviate(text),
        pieces: lengths,
        problem: abbreviate(problem),
      });
    }
  }
  return result;
}

/** Shortens runs of one part, such as the filling of a long head. */
function abbreviate(text: string): string {
  return JSON.stringify(
    text.replace(/([\s\S]{1,9}?)\1{20,}/g, (run, part) => `${part}{${run.length}}`),
  );
}

function toText(pieces: readonly Buffer[]): string {
  return Buffer.concat(pieces).toString("latin1");
}
