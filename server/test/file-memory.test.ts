import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, expect, test } from "vitest";
import { startServer, stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const MEGABYTE = 1024 * 1024;
/** Size of the file. `BURSAR_FILE_MEGABYTES` sets another one, up to 500. */
const MEGABYTES = Number(process.env["BURSAR_FILE_MEGABYTES"] ?? 160);
/** Growth of the memory of the server, whatever the size of the file. Measured: 60 MB with a file of 500 MB. */
const MOST_GROWTH_BYTES = 100 * MEGABYTE;
/** Interval of the measurements, milliseconds. */
const EVERY_MS = 20;

/** Returns parts that differ, so that a repeated or lost one changes the hash. */
function* makeParts(count: number): Generator<Buffer> {
  for (let index = 0; index < count; index++) {
    const part = Buffer.alloc(MEGABYTE, "x");
    part.writeUInt32LE(index);
    yield part;
  }
}

async function hashOf(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** An upstream that hashes uploads, and sends a file of as many megabytes as its id says. */
async function startUpstream() {
  const uploads: string[] = [];
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "POST") {
      uploads.push(await hashOf(request));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id: `file_${uploads.length}`, type: "file" }));
      return;
    }
    const count = Number(request.headers["x-megabytes"]);
    response.writeHead(200, { "content-type": "application/octet-stream" });
    await pipeline(Readable.from(makeParts(count)), response);
  }
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, uploads, close: () => server.close() };
}

function readMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

test("the memory of the server does not grow with the size of a file, up and down", {
  timeout: 240_000,
}, async () => {
  const upstream = await startUpstream();
  const server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
  const { key } = await server.workspaceWithKey();
  const upload = async (count: number): Promise<string> => {
    const response = await fetch(`${server.url}/v1/files`, {
      method: "POST",
      headers: {
        "x-api-key": key,
        "content-type": "multipart/form-data; boundary=x",
        "content-length": String(count * MEGABYTE),
      },
      body: ReadableStream.from(makeParts(count)),
      duplex: "half",
    });
    expect(response.status).toBe(200);
    return ((await response.json()) as { id: string }).id;
  };
  const download = async (id: string, count: number): Promise<string> => {
    const response = await fetch(`${server.url}/v1/files/${id}/content`, {
      headers: { "x-api-key": key, "x-megabytes": String(count) },
    });
    expect(response.status).toBe(200);
    return hashOf(response.body ?? []);
  };
  const measure = async (run: () => Promise<void>): Promise<number> => {
    const before = readMemory(server.pid);
    let highest = before;
    const timer = setInterval(() => {
      highest = Math.max(highest, readMemory(server.pid));
    }, EVERY_MS);
    await run();
    clearInterval(timer);
    if (process.env["BURSAR_FILE_MEGABYTES"] !== undefined) {
      const [from, to] = [before, highest].map((bytes) => Math.round(bytes / MEGABYTE));
      process.stdout.write(`${MEGABYTES} MB: before ${from}, highest ${to}\n`);
    }
    return highest - before;
  };
  // The first file loads the code of the others, and fills the buffers.
  await download(await upload(1), 1);
  const expected = await hashOf(makeParts(MEGABYTES));
  let id = "";
  const grownUp = await measure(async () => {
    id = await upload(MEGABYTES);
  });
  expect(upstream.uploads.at(-1)).toBe(expected);
  let received = "";
  const grownDown = await measure(async () => {
    received = await download(id, MEGABYTES);
  });
  expect(received).toBe(expected);
  expect(grownUp).toBeLessThan(MOST_GROWTH_BYTES);
  expect(grownDown).toBeLessThan(MOST_GROWTH_BYTES);
  await server.stop();
  upstream.close();
});
