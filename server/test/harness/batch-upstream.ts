import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

// A stand-in for the batches of the Claude API, outside the server. A test can stop it at any step, kill the server there, and
// then ask what reached it. A batch ends when its request is complete.

/**
 * - `head`: the headers of a new batch arrived.
 * - `body`: each tenth of its body arrived.
 * - `created`: the batch exists, and nothing was answered.
 * - `answered`: the answer was sent.
 * - `results`: each tenth of its results was sent.
 */
export type BatchStep = "head" | "body" | "created" | "answered" | "results";

export interface BatchUpstream {
  origin: string;
  /** Custom ids of all created batches, by id. */
  readonly batches: ReadonlyMap<string, readonly string[]>;
  /** Resolves when a step has occurred `count` times from now on. The upstream then waits at it until `release`. */
  stopAt(step: BatchStep, count?: number): Promise<void>;
  release(): void;
  close(): Promise<void>;
}

/** Usage of each line. */
export const LINE_USAGE = { input_tokens: 20, output_tokens: 10, service_tier: "batch" };
/** Cost of a line of Claude Sonnet 5, nano-dollars: $2 and $10 per million tokens, halved. */
export const LINE_COST_NANO_USD = (20n * 2_000n + 10n * 10_000n) / 2n;

interface Stop {
  step: BatchStep;
  left: number;
  reached: PromiseWithResolvers<void>;
  released: PromiseWithResolvers<void>;
}

const PARTS = 10;
/** Results that are written at once. */
const CHUNK_LINES = 100;

export interface BatchUpstreamOptions {
  /** Length of the text in each result, characters. */
  resultLength?: number;
}

export async function startBatchUpstream({
  resultLength = 0,
}: BatchUpstreamOptions = {}): Promise<BatchUpstream> {
  const batches = new Map<string, string[]>();
  const createdAt = new Map<string, string>();
  let stop: Stop | null = null;

  async function at(step: BatchStep): Promise<void> {
    if (stop === null || stop.step !== step) return;
    stop.left -= 1;
    if (stop.left > 0) return;
    stop.reached.resolve();
    await stop.released.promise;
  }

  async function create(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await at("head");
    const size = Number(request.headers["content-length"] ?? 0);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let parts = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      for (; parts < Math.floor((PARTS * bytes) / size); parts++) await at("body");
    }
    if (bytes < size) return;
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as {
      requests: { custom_id: string }[];
    };
    const id = `msgbatch_${String(batches.size + 1).padStart(24, "0")}`;
    batches.set(
      id,
      body.requests.map(({ custom_id }) => custom_id),
    );
    createdAt.set(id, new Date().toISOString());
    await at("created");
    sendJson(response, describe(id));
    await at("answered");
  }

  function describe(id: string): object {
    const created_at = createdAt.get(id) ?? "";
    const none = { processing: 0, errored: 0, canceled: 0, expired: 0 };
    return {
      id,
      type: "message_batch",
      processing_status: "ended",
      request_counts: { ...none, succeeded: batches.get(id)?.length ?? 0 },
      created_at,
      ended_at: created_at,
      expires_at: new Date(Date.parse(created_at) + 86_400_000).toISOString(),
      archived_at: null,
      cancel_initiated_at: null,
      results_url: `https://api.anthropic.com/v1/messages/batches/${id}/results`,
    };
  }

  async function sendResults(id: string, response: ServerResponse): Promise<void> {
    const ids = batches.get(id) ?? [];
    response.writeHead(200, { "content-type": "application/binary" });
    const content = [{ type: "text", text: "y".repeat(resultLength) }];
    const message = { type: "message", model: "claude-sonnet-5", content, usage: LINE_USAGE };
    const result = { type: "succeeded", message };
    for (let part = 0; part < PARTS; part++) {
      const from = Math.floor((part * ids.length) / PARTS);
      const to = Math.floor(((part + 1) * ids.length) / PARTS);
      for (let start = from; start < to; start += CHUNK_LINES) {
        const lines = ids
          .slice(start, Math.min(start + CHUNK_LINES, to))
          .map((custom_id) => `${JSON.stringify({ custom_id, result })}\n`);
        if (!response.write(lines.join(""))) await drained(response);
      }
      await at("results");
    }
    response.end();
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [, id, results] =
      /^\/v1\/messages\/batches\/(msgbatch_\d+)(\/results)?$/.exec(url.pathname) ?? [];
    if (request.method === "POST") void create(request, response).catch(() => response.destroy());
    else if (id === undefined) {
      const data = [...batches.keys()].reverse().map(describe);
      sendJson(response, { data, has_more: false, first_id: null, last_id: null });
    } else if (results !== undefined) {
      void sendResults(id, response).catch(() => response.destroy());
    } else sendJson(response, describe(id));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    batches,
    stopAt(step, count = 1) {
      stop = {
        step,
        left: count,
        reached: Promise.withResolvers(),
        released: Promise.withResolvers(),
      };
      return stop.reached.promise;
    },
    release() {
      stop?.released.resolve();
      stop = null;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Resolves when the reader has taken what was written, or has left. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      response.off("drain", end).off("close", end);
      resolve();
    };
    response.on("drain", end).on("close", end);
  });
}

function sendJson(response: ServerResponse, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}
