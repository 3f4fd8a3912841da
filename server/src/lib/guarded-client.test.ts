import { once } from "node:events";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { answerWith, type Receiver, startReceiver } from "#test/harness/receiver.ts";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";
import {
  type FoundAddress,
  type GuardedClientOptions,
  makeGuardedClient,
} from "./guarded-client.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function receiver(options?: { host?: string; port?: number }): Promise<Receiver> {
  const started = await startReceiver(options);
  closing.push(() => started.close());
  return started;
}

const address = (text: string): FoundAddress => ({
  address: text,
  family: text.includes(":") ? 6 : 4,
});

/** Resolver that returns each response once, in order, and counts its calls. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  return {
    asked,
    resolve: async (name: string) => {
      const next = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(name);
      return next.map(address);
    },
  };
}

function post(url: string, options: Partial<GuardedClientOptions> = {}) {
  const client = makeGuardedClient({ allowed: [], ...options });
  return client.post({ url, headers: { "content-type": "application/json" }, body: '{"a":1}' });
}

describe("sends nothing", () => {
  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.7.7",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[fe80::1]",
    "[fd00::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
  ])("to the private address %s", async (host) => {
    const { port, received } = await receiver();
    for (const scheme of ["http", "https"]) {
      const answer = await post(`${scheme}://${host}:${port}/`);
      expect(answer).toMatchObject({ kind: "refused" });
      expect(answer).toMatchObject({ reason: expect.stringContaining("private network") });
    }
    expect(received).toEqual([]);
  });

  test.each(["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "100.100.100.200"])(
    "to a cloud's metadata service (%s), even if all targets are allowed",
    async (host) => {
      const allowed = ["0.0.0.0/0", "::/0", "169.254.169.254"];
      const reason = expect.stringContaining("is the metadata service of a cloud");
      expect(await post(`http://${host}/`, { allowed })).toEqual({ kind: "refused", reason });
    },
  );

  test("to a name of a metadata service, even if the name is allowed", async () => {
    const { resolve } = resolver(["169.254.169.254"]);
    const allowed = ["metadata.internal"];
    expect(await post("http://metadata.internal/", { resolve, allowed })).toMatchObject({
      kind: "refused",
    });
  });

  test("to localhost, as the system resolves it", async () => {
    const { port, received } = await receiver();
    for (const name of ["localhost", "LOCALHOST"]) {
      expect(await post(`https://${name}:${port}/`), name).toMatchObject({ kind: "refused" });
    }
    expect(received).toEqual([]);
  });

  test.each([
    [["10.0.0.1"]],
    [["8.8.8.8", "127.0.0.1"]],
    [["2606:4700::1111", "::1"]],
    [["64:ff9b::a00:1"]],
  ])("to a name with a private address: %j", async (addresses) => {
    const { resolve, asked } = resolver(addresses);
    const answer = await post("https://hooks.example.com/", { resolve });
    expect(answer).toMatchObject({ kind: "refused" });
    expect(asked).toEqual(["hooks.example.com"]);
  });

  test("unencrypted to a public address", async () => {
    const { resolve } = resolver(["8.8.8.8"]);
    expect(await post("http://hooks.example.com/", { resolve })).toEqual({
      kind: "refused",
      reason: "The address is not https, so the message would be sent unencrypted.",
    });
  });

  test.each(["ftp://example.com/", "file:///etc/passwd", "https://ann:pw@example.com/", "nothing"])(
    "to an invalid URL: %s",
    async (url) => {
      const { resolve, asked } = resolver(["8.8.8.8"]);
      expect(await post(url, { resolve })).toMatchObject({ kind: "refused" });
      expect(asked).toEqual([]);
    },
  );

  test("to a name without an address", async () => {
    const { resolve } = resolver([]);
    expect(await post("https://hooks.example.com/", { resolve })).toMatchObject({
      kind: "refused",
    });
  });
});

describe("a name whose address changes", () => {
  test("is resolved once, so a later loopback address gets no connection", async () => {
    const loopback = await receiver();
    // An unassigned test network, so no server responds.
    const { resolve, asked } = resolver(["3ffe::1"], ["127.0.0.1"]);
    const url = `https://hooks.example.com:${loopback.port}/`;
    const answer = await post(url, { resolve, timeoutMs: 300 });
    expect(answer.kind).toBe("failed");
    expect(asked).toHaveLength(1);
    expect(loopback.received).toEqual([]);
  });

  test("is connected at the address that was checked", async () => {
    const first = await receiver();
    const second = await receiver({ host: "127.0.0.2", port: first.port });
    const { resolve, asked } = resolver(["127.0.0.1"], ["127.0.0.2"]);
    const url = `http://hooks.example.com:${first.port}/in`;
    const client = makeGuardedClient({ allowed: ["127.0.0.1"], resolve });
    const request = { url, headers: {}, body: "{}" };
    expect(await client.post(request)).toMatchObject({ kind: "answered", status: 200 });
    expect(first.received[0]?.headers.host).toBe(`hooks.example.com:${first.port}`);
    // The next message checks the name's new address.
    expect(await client.post(request)).toMatchObject({ kind: "refused" });
    expect([asked.length, first.received.length, second.received.length]).toEqual([2, 1, 0]);
  });
});

test.each([301, 302, 303, 307, 308])("a redirect is not followed (%i)", async (status) => {
  const open = await receiver();
  const hidden = await receiver({ host: "127.0.0.2" });
  open.answer = answerWith(status, { headers: { location: `${hidden.origin}/admin` } });
  const answer = await post(`${open.origin}/in`, { allowed: ["127.0.0.0/8"] });
  expect(answer).toMatchObject({ kind: "answered", status });
  expect(hidden.received).toEqual([]);
});

describe("BURSAR_ALLOW_PRIVATE_TARGETS allows", () => {
  test.each([[["127.0.0.1"]], [["127.0.0.0/8"]]])("an address: %j", async (allowed) => {
    const { origin, received } = await receiver();
    expect(await post(`${origin}/in?x=1`, { allowed })).toEqual({
      kind: "answered",
      status: 200,
      retryAfter: null,
      contentType: null,
      text: "",
    });
    expect(received).toMatchObject([
      { path: "/in?x=1", body: '{"a":1}', headers: { "user-agent": "bursar" } },
    ]);
  });

  test("a name, and no other with the same address", async () => {
    const { port, received } = await receiver();
    const { resolve } = resolver(["127.0.0.1"]);
    const options = { allowed: ["hooks.internal"], resolve };
    expect(await post(`http://HOOKS.internal:${port}/`, options)).toMatchObject({ status: 200 });
    expect(await post(`http://other.internal:${port}/`, options)).toMatchObject({
      kind: "refused",
    });
    expect(received).toHaveLength(1);
  });

  test("localhost, as the system resolves it", async () => {
    const { port, received } = await receiver();
    const answer = await post(`http://localhost:${port}/`, { allowed: ["localhost"] });
    expect(answer).toMatchObject({ kind: "answered", status: 200 });
    expect(received).toHaveLength(1);
  });
});

describe("over TLS", () => {
  async function secureReceiver() {
    const paths: string[] = [];
    const options = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };
    const server = createSecureServer(options, (request, response) => {
      paths.push(request.url ?? "");
      response.end("got it");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    });
    return { port: (server.address() as AddressInfo).port, paths };
  }
  const allowed = ["127.0.0.1"];
  const { resolve } = resolver(["127.0.0.1"]);

  test("checks the certificate against the name, although the address was resolved before", async () => {
    const { port, paths } = await secureReceiver();
    const options = { allowed, resolve, ca: TEST_CERTIFICATE };
    expect(await post(`https://hooks.example.com:${port}/in`, options)).toMatchObject({
      kind: "answered",
      status: 200,
      text: "got it",
    });
    expect(await post(`https://other.example.com:${port}/in`, options)).toEqual({
      kind: "failed",
      reason: "Its certificate is for another name.",
    });
    expect(paths).toEqual(["/in"]);
  });

  test("sends nothing to a server with an untrusted certificate", async () => {
    const { port, paths } = await secureReceiver();
    const answer = await post(`https://hooks.example.com:${port}/in`, { allowed, resolve });
    expect(answer).toEqual({
      kind: "failed",
      reason: "Its certificate is not trusted by this server.",
    });
    expect(paths).toEqual([]);
  });
});

describe("a slow receiver is limited", () => {
  const allowed = ["127.0.0.1"];
  const late = { kind: "failed", reason: "No response within 0.3 s." };

  test("without a response", async () => {
    const { origin } = await rawServer(() => undefined);
    expect(await post(origin, { allowed, timeoutMs: 300 })).toEqual(late);
  });

  test("with an endless response", async () => {
    const { origin } = await rawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
      const timer = setInterval(() => socket.write("a"), 20);
      socket.on("close", () => clearInterval(timer));
    });
    expect(await post(origin, { allowed, timeoutMs: 300 })).toEqual(late);
  });

  test("with an endless name lookup", async () => {
    const resolve = () => new Promise<never>(() => undefined);
    expect(await post("https://hooks.example.com/", { resolve, timeoutMs: 300 })).toEqual(late);
  });

  test("reads the beginning of an endless response and closes the connection", async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const { origin } = await rawServer((socket) => {
      closed = once(socket, "close");
      socket.write("HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n");
      const more = () => {
        if (!socket.destroyed)
          socket.write(`400\r\n${"a".repeat(1024)}\r\n`, () => setImmediate(more));
      };
      more();
    });
    const answer = await post(origin, { allowed });
    expect(answer).toEqual({
      kind: "answered",
      status: 500,
      retryAfter: null,
      contentType: null,
      text: "a".repeat(4096),
    });
    await closed;
  });

  test("fails at endless headers", async () => {
    const { origin } = await rawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const more = () => {
        if (!socket.destroyed) {
          socket.write(`x-more: ${"a".repeat(8192)}\r\n`, () => setImmediate(more));
        }
      };
      more();
    });
    expect(await post(origin, { allowed })).toMatchObject({ kind: "failed" });
  });
});

describe("failures are reported without the address", () => {
  test("the connection is refused", async () => {
    const gone = await startReceiver();
    await gone.close();
    expect(await post(`${gone.origin}/secret-path`, { allowed: ["127.0.0.1"] })).toEqual({
      kind: "failed",
      reason: "The connection was refused.",
    });
  });

  test("the connection is reset", async () => {
    const { origin } = await rawServer((socket) => socket.destroy());
    expect(await post(`${origin}/secret-path`, { allowed: ["127.0.0.1"] })).toEqual({
      kind: "failed",
      reason: "The connection was reset.",
    });
  });

  test("the server does not support TLS", async () => {
    const { port } = await receiver();
    const answer = await post(`https://127.0.0.1:${port}/secret-path`, { allowed: ["127.0.0.1"] });
    expect(answer.kind).toBe("failed");
    expect(JSON.stringify(answer)).not.toContain("secret-path");
  });

  test("the name does not exist", async () => {
    const resolve = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    expect(await post("https://hooks.example.com/", { resolve })).toEqual({
      kind: "failed",
      reason: "The name does not exist.",
    });
  });
});

test("finds an invalid address before resolving it", () => {
  const { findMistake } = makeGuardedClient({ allowed: ["10.0.0.0/8", "hooks.internal"] });
  expect(findMistake("https://hooks.example.com/a?b=c")).toBeNull();
  expect(findMistake("http://hooks.internal/")).toBeNull();
  expect(findMistake("http://10.0.0.1:8080/")).toBeNull();
  expect(findMistake("https://169.254.169.254/")).toBe(
    "this is the metadata service of a cloud, which has credentials",
  );
  expect(findMistake("https://192.168.0.1/")).toContain("BURSAR_ALLOW_PRIVATE_TARGETS");
  expect(findMistake("https://[::ffff:7f00:1]/")).toContain("BURSAR_ALLOW_PRIVATE_TARGETS");
  expect(findMistake("https://example.com/#a")).toContain("fragment");
  expect(findMistake("https://a:b@example.com/")).toContain("user name");
  expect(findMistake("example.com")).toContain("expected a URL");
  const { isListed } = makeGuardedClient({ allowed: ["10.0.0.0/8", "hooks.internal"] });
  expect(["https://hooks.internal/", "http://10.0.0.1/"].map(isListed)).toEqual([true, true]);
  expect(["https://internal/", "https://11.0.0.1/"].map(isListed)).toEqual([false, false]);
  const strict = makeGuardedClient({ allowed: [] });
  expect(strict.findMistake("http://hooks.example.com/")).toBe("expected an https URL");
});

/** Server that calls back with the connection once a request begins to arrive. */
async function rawServer(onRequest: (socket: Socket) => void): Promise<{ origin: string }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => onRequest(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    const closed = once(server, "close");
    server.close();
    await closed;
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("fetch", () => {
  const fetchFrom = async (answer: Receiver["answer"], maxBytes = 100) => {
    const target = await receiver();
    target.answer = answer;
    const client = makeGuardedClient({ allowed: ["127.0.0.1"] });
    const headers = { accept: "application/json" };
    return client.fetch({ method: "GET", url: target.origin, headers, body: null, maxBytes });
  };

  test("returns the whole response with its type", async () => {
    const answer = await fetchFrom((response) => {
      response.setHeader("content-type", "application/json");
      response.end("x".repeat(100));
    });
    expect(answer).toMatchObject({
      kind: "answered",
      contentType: "application/json",
      text: "x".repeat(100),
    });
  });

  test("fails for a response above its size", async () => {
    const answer = await fetchFrom((response) => response.end("x".repeat(101)));
    expect(answer).toMatchObject({ kind: "failed", reason: expect.stringContaining("larger") });
  });

  test("follows no redirect", async () => {
    const answer = await fetchFrom((response) =>
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    );
    expect(answer).toMatchObject({ kind: "answered", status: 302 });
  });
});
