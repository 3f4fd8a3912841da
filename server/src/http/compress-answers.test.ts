import { gunzipSync } from "node:zlib";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addCompression } from "./compress-answers.ts";

const LONG = JSON.stringify({ names: Array.from({ length: 200 }, (_, index) => `Team ${index}`) });
const SHORT = JSON.stringify({ names: [] });
const ofConsole = { "x-bursar-console": "1", "accept-encoding": "gzip, br" };
let app: FastifyInstance;

beforeAll(async () => {
  app = Fastify();
  addCompression(app);
  app.get("/long", (_, reply) => reply.type("application/json").send(LONG));
  app.get("/short", (_, reply) => reply.type("application/json").send(SHORT));
  app.get("/text", (_, reply) => reply.type("text/plain").send(LONG));
  app.post("/long", (_, reply) => reply.type("application/json").send(LONG));
  await app.ready();
});
afterAll(() => app.close());

test("JSON that the console reads is compressed", async () => {
  const answer = await app.inject({ method: "GET", url: "/long", headers: ofConsole });
  expect(answer.headers["content-encoding"]).toBe("gzip");
  expect(answer.headers["vary"]).toBe("accept-encoding");
  expect(Number(answer.headers["content-length"])).toBe(answer.rawPayload.length);
  expect(answer.rawPayload.length).toBeLessThan(LONG.length / 3);
  expect(gunzipSync(answer.rawPayload).toString()).toBe(LONG);
});

test.each([
  [
    "without the console's header, which other sites cannot set",
    "GET",
    "/long",
    { "accept-encoding": "gzip" },
  ],
  ["for a client that does not accept it", "GET", "/long", { "x-bursar-console": "1" }],
  ["in answers to changes, which can have a secret", "POST", "/long", ofConsole],
  ["when it fits in one packet", "GET", "/short", ofConsole],
  ["unless it is JSON", "GET", "/text", ofConsole],
] as const)("a response is not compressed %s", async (_, method, url, headers) => {
  const answer = await app.inject({ method, url, headers });
  expect(answer.headers["content-encoding"]).toBeUndefined();
  expect(answer.payload).toBe(url === "/short" ? SHORT : LONG);
});
