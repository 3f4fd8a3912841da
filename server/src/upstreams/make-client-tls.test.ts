import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { listenRaw, rawResponse, recordCall } from "#test/harness/raw-upstream.ts";
import {
  LOCAL_CERTIFICATE,
  LOCAL_CERTIFICATE_KEY,
  TEST_CERTIFICATE,
  TEST_CERTIFICATE_KEY,
} from "#test/harness/test-certificate.ts";
import { openClient, upstreamClients } from "#test/harness/upstream-clients.ts";

describe.each(upstreamClients)("TLS of the client over %s", (_, mode) => {
  function listenTls(certificate: { cert: string; key: string }) {
    const server = createTlsServer({ ...certificate, ALPNProtocols: ["h2", "http/1.1"] });
    return listenRaw(server, "secureConnection", ({ socket }) =>
      socket.write(rawResponse("hello")),
    );
  }
  const local = { cert: LOCAL_CERTIFICATE, key: LOCAL_CERTIFICATE_KEY };
  const other = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };

  test("names the host, selects HTTP/1.1, and sends owned bodies unchanged", async () => {
    const upstream = await listenTls(local);
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = openClient(`https://localhost:${upstream.port}`, options);
    for (let round = 0; round < 3; round++) {
      const makeBody = () => Buffer.alloc(150_000 * round + 20_000, `round ${round}`);
      const record = await recordCall(client, { body: makeBody(), ownsBody: true });
      expect(record).toMatchObject({ body: "hello", ends: 1, isSent: true });
      expect(upstream.received[round]?.body.equals(makeBody())).toBe(true);
    }
    const [socket, ...others] = upstream.sockets as TLSSocket[];
    expect([socket?.servername, socket?.alpnProtocol, others.length]).toEqual([
      "localhost",
      "http/1.1",
      0,
    ]);
    expect(upstream.received.map(({ body }) => body.length)).toEqual([20_000, 170_000, 320_000]);
  });

  test("stops the upstream during a pause, and then reads all bytes", async () => {
    const text = "0123456789".repeat(800_000);
    const server = createTlsServer(local);
    const upstream = await listenRaw(server, "secureConnection", ({ socket }) =>
      socket.write(rawResponse(text)),
    );
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = openClient(`https://localhost:${upstream.port}`, options);
    let pauses = 0;
    let heldBytes = 0;
    const record = await recordCall(client, {
      onData(controller) {
        if (pauses++ > 0) return;
        controller.pause();
        setTimeout(() => {
          heldBytes = upstream.sockets[0]?.writableLength ?? 0;
          controller.resume();
        }, 200);
      },
    });
    expect(record.body).toBe(text);
    expect(heldBytes).toBeGreaterThan(0);
  });

  test("resumes the session on the next connection", async () => {
    const upstream = await listenTls(local);
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = openClient(`https://localhost:${upstream.port}`, options);
    await recordCall(client);
    await Promise.all([recordCall(client), recordCall(client)]);
    const [first, second] = upstream.sockets as TLSSocket[];
    expect([first?.isSessionReused(), second?.isSessionReused()]).toEqual([false, true]);
  });

  test("accepts an address that the certificate contains, without a server name", async () => {
    const upstream = await listenTls(local);
    const options = { turnEnd: mode, ca: LOCAL_CERTIFICATE };
    const client = openClient(`https://127.0.0.1:${upstream.port}`, options);
    expect(await recordCall(client)).toMatchObject({ body: "hello", ends: 1 });
    expect((upstream.sockets[0] as TLSSocket).servername).toBe(false);
  });

  test.each([
    ["without trust", local, undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["of another name", other, TEST_CERTIFICATE, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("sends nothing to a server with a certificate %s", async (_, certificate, ca, code) => {
    const upstream = await listenTls(certificate);
    const trust = ca === undefined ? {} : { ca };
    const client = openClient(`https://localhost:${upstream.port}`, { turnEnd: mode, ...trust });
    expect(await recordCall(client)).toMatchObject({ starts: 0, errors: [code] });
    expect(upstream.received).toHaveLength(0);
  });
});
