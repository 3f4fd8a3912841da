import { connect } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, test } from "vitest";
import { listenRaw, listenTcp, rawResponse, recordCall } from "#test/harness/raw-upstream.ts";
import { LOCAL_CERTIFICATE, LOCAL_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";
import { openClient, upstreamClients } from "#test/harness/upstream-clients.ts";

/** Starts a proxy that opens tunnels, or answers as told. */
async function startProxy(answer = "HTTP/1.1 200 Connection established\r\n\r\n") {
  const heads: string[] = [];
  const port = await listenTcp((socket) => {
    socket.once("data", (head: Buffer) => {
      heads.push(head.toString("latin1"));
      const [, target = ""] = /^CONNECT localhost:(\d+) /.exec(heads.at(-1) ?? "") ?? [];
      socket.write(answer);
      if (!answer.startsWith("HTTP/1.1 200") || target === "") return;
      const onward = connect(Number(target), "127.0.0.1");
      onward.on("error", () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
  });
  return { heads, origin: `http://127.0.0.1:${port}` };
}

describe.each(upstreamClients)("the proxy of the client over %s", (_, mode) => {
  const startTarget = (text: string) =>
    listenRaw(
      createTlsServer({ cert: LOCAL_CERTIFICATE, key: LOCAL_CERTIFICATE_KEY }),
      "secureConnection",
      ({ socket }) => socket.write(rawResponse(text)),
    );

  test("gets its credential, opens one tunnel, and sees nothing of the requests", async () => {
    const text = "0123456789".repeat(100_000);
    const target = await startTarget(text);
    const { heads, origin } = await startProxy();
    const client = openClient(`https://localhost:${target.port}`, {
      turnEnd: mode,
      ca: LOCAL_CERTIFICATE,
      proxy: { origin, authorization: "Basic dXNlcjpwYXNz" },
    });
    for (let round = 0; round < 3; round++) {
      const body = Buffer.alloc(200_000, "x");
      const record = await recordCall(client, {
        body,
        onData(controller) {
          controller.pause();
          setTimeout(() => controller.resume(), 1);
        },
      });
      expect([record.body === text, record.ends, record.errors]).toEqual([true, 1, []]);
      expect(target.received[round]?.body.equals(body)).toBe(true);
    }
    const authority = `localhost:${target.port}`;
    expect(heads).toEqual([
      `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n`,
    ]);
    expect(target.received[0]?.head).not.toContain("proxy-authorization");
  });

  test.each([
    ["a refusal", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"],
    ["no HTTP", "what?\r\n\r\n"],
    ["bytes behind its answer", "HTTP/1.1 200 OK\r\n\r\nmore"],
    ["a head without an end", "x".repeat(20_000)],
  ])("fails with nothing sent after: %s", async (_case, answer) => {
    const target = await startTarget("unused");
    const { origin } = await startProxy(answer);
    const client = openClient(`https://localhost:${target.port}`, {
      turnEnd: mode,
      ca: LOCAL_CERTIFICATE,
      proxy: { origin, authorization: null },
    });
    expect(await recordCall(client)).toMatchObject({ starts: 0, errors: ["PROXY_REFUSED"] });
    expect(target.received).toEqual([]);
  });

  test("still needs the certificate of the target", async () => {
    const target = await startTarget("unused");
    const { origin } = await startProxy();
    const client = openClient(`https://localhost:${target.port}`, {
      turnEnd: mode,
      proxy: { origin, authorization: null },
    });
    const record = await recordCall(client);
    expect([record.starts, record.errors.length]).toEqual([0, 1]);
    expect(target.received).toEqual([]);
  });
});
