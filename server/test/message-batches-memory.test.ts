import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { startBatchUpstream } from "#test/harness/batch-upstream.ts";
import { eventually } from "#test/harness/eventually.ts";
import { startServer, stopAllServers } from "#test/harness/server-process.ts";

afterAll(stopAllServers);

const MEGABYTE = 1024 * 1024;
const LINE_BYTES = 64 * 1024;
/** Size of the body, and of the results. `BURSAR_BATCH_MEGABYTES` sets another one, up to 256. */
const MEGABYTES = Number(process.env["BURSAR_BATCH_MEGABYTES"] ?? 64);
/** Growth of the memory of the server, whatever the sizes. */
const MOST_GROWTH_MEGABYTES = 120;

function* makeParts(lines: number): Generator<Buffer> {
  const content = "x".repeat(LINE_BYTES - 200);
  yield Buffer.from('{"requests":[');
  for (let index = 0; index < lines; index++) {
    const messages = [{ role: "user", content }];
    const params = { model: "claude-sonnet-5", max_tokens: 10, messages };
    const text = JSON.stringify({ custom_id: `line-${index}`, params });
    yield Buffer.from(index === 0 ? text : `,${text}`);
  }
  yield Buffer.from("]}");
}

function readMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

test("the memory of the server does not grow with the size of a batch or its results", {
  timeout: 240_000,
}, async () => {
  const upstream = await startBatchUpstream({ resultLength: LINE_BYTES - 300 });
  const server = await startServer({
    env: { ANTHROPIC_API_KEY: "upstream-key", ANTHROPIC_UPSTREAM_URL: upstream.origin },
  });
  const { key } = await server.workspaceWithKey();
  const lines = Math.floor((MEGABYTES * MEGABYTE) / LINE_BYTES);
  const send = async (count: number): Promise<string> => {
    const response = await fetch(`${server.url}/v1/messages/batches`, {
      method: "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      body: ReadableStream.from(makeParts(count)),
      duplex: "half",
    });
    expect(response.status).toBe(200);
    const { results_url } = (await response.json()) as { results_url: string };
    return results_url;
  };
  const download = async (url: string): Promise<number> => {
    const { status, body } = await fetch(url, { headers: { "x-api-key": key } });
    expect(status).toBe(200);
    let bytes = 0;
    for await (const chunk of body ?? []) bytes += chunk.length;
    return bytes;
  };
  const waitUntilMetered = (batches: number) =>
    eventually(60_000, "all batches are metered", async () => {
      const metered = await server.sql(`SELECT id FROM message_batch WHERE state = 'metered'`);
      return metered.length === batches ? true : null;
    });
  // The first batch loads the code of the others.
  await download(await send(100));
  await waitUntilMetered(1);
  const before = readMemory(server.pid);
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, readMemory(server.pid));
  }, 20);
  const growths: Record<string, number> = {};
  const end = (step: string) => {
    growths[step] = Math.round((highest - before) / MEGABYTE);
    highest = before;
  };
  const url = await send(lines);
  end("creation");
  await waitUntilMetered(2);
  end("metering");
  expect(await download(url)).toBeGreaterThan(0.98 * lines * LINE_BYTES);
  end("download");
  clearInterval(timer);
  if (process.env["BURSAR_BATCH_MEGABYTES"] !== undefined) {
    const facts = { megabytes: MEGABYTES, before: Math.round(before / MEGABYTE), growths };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
  }
  expect(Math.max(...Object.values(growths))).toBeLessThan(MOST_GROWTH_MEGABYTES);
  await server.stop();
  await upstream.close();
});
