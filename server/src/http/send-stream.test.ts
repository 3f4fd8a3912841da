import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import { waitForNextTurn } from "#src/lib/slices.ts";
import { sendStream } from "./send-stream.ts";

let app: FastifyInstance | null = null;
afterEach(async () => {
  await app?.close();
});

async function serve(pieces: () => AsyncIterable<string>, errors: unknown[] = []): Promise<string> {
  app = Fastify({ forceCloseConnections: true });
  app.get("/", (_, reply) =>
    sendStream(
      reply,
      { mediaType: "text/csv", fileName: "all.csv", pieces: pieces() },
      { waitForTurn: waitForNextTurn, onError: (error) => void errors.push(error) },
    ),
  );
  await app.listen({ port: 0, host: "127.0.0.1" });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`;
}

test("sends the pieces in order as one file", async () => {
  const url = await serve(async function* () {
    yield "a,b\r\n";
    yield "é,2\r\n";
  });
  const response = await fetch(url);
  expect(await response.text()).toBe("a,b\r\né,2\r\n");
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="all.csv"');
});

test("creates no piece after the client disconnected", async () => {
  const ended = Promise.withResolvers<void>();
  let made = 0;
  const url = await serve(async function* () {
    try {
      for (; made < 10_000; made++) yield "x".repeat(100_000);
    } finally {
      ended.resolve();
    }
  });
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  await response.body?.getReader().read();
  leaving.abort();
  await ended.promise;
  expect(made).toBeLessThan(1_000);
});

test("an error during the stream closes the connection, so that a partial file is noticed", async () => {
  const errors: unknown[] = [];
  const fault = new Error("in the middle");
  const url = await serve(async function* () {
    yield "half";
    throw fault;
  }, errors);
  const response = await fetch(url);
  await expect(response.text()).rejects.toThrow();
  expect(errors).toEqual([fault]);
});
