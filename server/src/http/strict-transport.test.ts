import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as startPlainRequest } from "node:http";
import { request as startTlsRequest } from "node:https";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { type AdminHarness, startAdmin } from "#test/harness/admin.ts";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";

import { makeClientFacts } from "./client-address.ts";
import { type ListenOptions, listen } from "./listen.ts";

const TLS = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };

let h: AdminHarness;
beforeAll(async () => {
  const { isEncrypted } = makeClientFacts(["127.0.0.1"]);
  h = await startAdmin({ isEncrypted });
});
afterAll(() => h.close());

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const readers: [string, NonNullable<ListenOptions["sockets"]> | null][] = [
  ["node", null],
  ["sockets", { turnEnd: makeTurnEnd(), handles: () => false, handle: () => undefined }],
];

async function readHeader(url: string, headers: Record<string, string> = {}) {
  const options = { headers: { host: "bursar.example.com", ...headers }, agent: false } as const;
  const sent = url.startsWith("https:")
    ? startTlsRequest(url, { ...options, rejectUnauthorized: false })
    : startPlainRequest(url, options);
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.headers["strict-transport-security"] ?? null;
}

describe.each(readers)("over %s", (_, sockets) => {
  async function start(
    onRequest: ListenOptions["onRequest"],
    { tls = null, host = "127.0.0.1" }: Partial<ListenOptions> = {},
  ): Promise<string> {
    const options = { host, port: 0, tls, sockets, onRequest, onCheckContinue: onRequest };
    const listener = await listen(options);
    closing.push(() => listener.close(Promise.resolve()));
    return listener.url;
  }

  test("a response over TLS makes browsers refuse unencrypted connections", async () => {
    const url = await start(h.app.routing, { tls: TLS });
    for (const path of ["/", "/docs", "/v1/admin/workspaces", "/absent", "/%zz"]) {
      expect(await readHeader(url + path), path).toBe("max-age=31536000");
    }
    expect(await readHeader(url, { host: "localhost:8484" })).toBeNull();
  });

  test("so does a response to a trusted proxy that has TLS", async () => {
    const url = await start(h.app.routing);
    const year = "max-age=31536000";
    expect(await readHeader(url, { "x-forwarded-proto": "https" })).toBe(year);
    expect(await readHeader(url, { "x-forwarded-proto": "HTTPS, http" })).toBe(year);
    expect(await readHeader(url, { "x-forwarded-proto": "http" })).toBeNull();
    expect(await readHeader(url)).toBeNull();
  });

  test("an untrusted client cannot claim TLS", async () => {
    const url = await start(h.app.routing, { host: "127.0.0.2" });
    const from = { "x-forwarded-proto": "https" };
    const sent = startPlainRequest(url, { localAddress: "127.0.0.2", headers: from, agent: false });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    expect(response.headers["strict-transport-security"]).toBeUndefined();
  });
});
