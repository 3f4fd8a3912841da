import { once } from "node:events";
import { type RequestListener, type ServerResponse, request as startPlainRequest } from "node:http";
import { Agent, request as startTlsRequest } from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientCall } from "#src/http1/client-call.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";
import {
  acceptConnections,
  type Listener,
  type ListenOptions,
  listen,
  makeBrowserUrl,
} from "./listen.ts";

let closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

const TLS = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };

function makeOptions(onRequest: RequestListener): ListenOptions {
  return { host: "127.0.0.1", port: 0, tls: null, onRequest, onCheckContinue: onRequest };
}

/** Reads requests for paths below `/v1/` from sockets. */
function readSockets(handle: (call: ClientCall) => void): NonNullable<ListenOptions["sockets"]> {
  const handles = (_: string, target: string) => target.startsWith("/v1/");
  return { turnEnd: makeTurnEnd(), handles, handle };
}

async function startListener(
  onRequest: RequestListener,
  options: Partial<ListenOptions> = {},
): Promise<Listener> {
  const listener = await listen({ ...makeOptions(onRequest), ...options });
  closing.push(() => listener.close(Promise.resolve()));
  return listener;
}

interface Connected {
  socket: Socket;
  received: () => string;
}

/** Connects, and keeps its own side open as long as the other side. */
function connectTo(listener: Pick<Listener, "url">): Connected {
  const socket = connect({ port: Number(new URL(listener.url).port), allowHalfOpen: true });
  socket.on("error", () => undefined);
  closing.push(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  return { socket, received: () => text };
}

const readers: [string, NonNullable<ListenOptions["sockets"]> | null][] = [
  ["node:http", null],
  ["sockets", readSockets(() => undefined)],
];

describe.each(readers)("over %s", (_, sockets) => {
  test("rejects invalid HTTP with an official 400 and closes the connection", async () => {
    const listener = await startListener((_request, response) => response.end(), { sockets });
    const { socket, received } = connectTo(listener);
    socket.write("no HTTP at all\r\n\r\n");
    await once(socket, "end");
    expect(received()).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*invalid_request_error[\s\S]*"error_code":"invalid_http"/,
    );
  });

  test("closes a request without a response when garbage follows it", async () => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    const listener = await startListener((_request, response) => resolve(response), { sockets });
    const { socket, received } = connectTo(listener);
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const response = await promise;
    socket.write("garbage\r\n\r\n");
    await once(response, "close");
    expect(received()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  });

  test("writes nothing to a started response when garbage follows the request", async () => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    const listener = await startListener(
      (_request, response) => {
        response.writeHead(200, { "content-type": "text/plain" });
        response.write("first");
        resolve(response);
      },
      { sockets },
    );
    const { socket, received } = connectTo(listener);
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const response = await promise;
    await once(socket, "data");
    socket.write("garbage\r\n\r\n");
    await Promise.all([once(response, "close"), once(socket, "end")]);
    expect(received().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(received()).not.toContain("400");
  });
});

/** Sends a request on a kept connection. Returns the text of the response. */
async function fetchText(
  listener: Pick<Listener, "url">,
  path: string,
  agent: Agent,
): Promise<string> {
  const isTls = listener.url.startsWith("https:");
  const sent = isTls
    ? startTlsRequest(listener.url + path, { agent, method: "POST" })
    : startPlainRequest(listener.url + path, { method: "POST" });
  sent.end("body");
  const [response] = await once(sent, "response");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text;
}

function respondOwn(call: ClientCall): void {
  call.writeHead(200, FieldLines.fromList([]));
  call.end(`own ${call.takeBody()?.toString()}`);
}

describe.each([
  ["plain HTTP", null],
  ["TLS", TLS],
])("sockets over %s", (_, tls) => {
  test("serve the Claude API, and node:http serves other paths of the same connection", async () => {
    const options = { tls, sockets: readSockets(respondOwn) };
    const listener = await startListener((_request, response) => response.end("node"), options);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    closing.push(() => agent.destroy());
    const texts: string[] = [];
    for (const path of ["/v1/x", "/", "/v1/y", "/v1/z"]) {
      texts.push(await fetchText(listener, path, agent));
    }
    // After the hand-over, node:http keeps the connection.
    expect(texts).toEqual(["own body", "node", "node", "node"]);
  });
});

test("a graceful stop closes idle connections at once, and the others after their request", async () => {
  const running = Promise.withResolvers<ClientCall>();
  const answer = (call: ClientCall) => {
    call.writeHead(200, FieldLines.fromList(["content-length", "0"]));
    call.end();
  };
  const sockets = readSockets((call) => {
    if (call.target === "/v1/busy") running.resolve(call);
    else answer(call);
  });
  const listener = await startListener((_request, response) => response.end(), { sockets });
  const [idle, busy, handedOver] = [1, 2, 3].map(() => connectTo(listener)) as [
    Connected,
    Connected,
    Connected,
  ];
  handedOver.socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  idle.socket.write("GET /v1/idle HTTP/1.1\r\nhost: x\r\n\r\n");
  busy.socket.write("GET /v1/busy HTTP/1.1\r\nhost: x\r\n\r\n");
  for (const { received } of [idle, handedOver]) {
    await expect.poll(received).toContain("Connection: keep-alive");
  }
  const call = await running.promise;
  const drained = Promise.withResolvers<void>();
  const closed = listener.close(drained.promise);
  await Promise.all([idle, handedOver].map(({ socket }) => once(socket, "end")));
  expect(busy.socket.readableEnded).toBe(false);
  answer(call);
  await once(busy.socket, "end");
  expect(busy.received()).toMatch(/200 OK[\s\S]*Connection: close/);
  drained.resolve();
  busy.socket.end();
  await closed;
});

test.each([
  ["node:http", null, "node"],
  ["sockets", readSockets(respondOwn), "own"],
] as const)(
  "an acceptor serves connections over %s, and a stop closes idle ones",
  async (_, sockets, text) => {
    const onRequest: RequestListener = (_request, response) => response.end("node");
    const acceptor = acceptConnections({ ...makeOptions(onRequest), sockets });
    const front = createServer({ pauseOnConnect: true }, acceptor.accept).listen(0, "127.0.0.1");
    closing.push(() => front.close());
    await once(front, "listening");
    const { port } = front.address() as AddressInfo;
    const client = connectTo({ url: `http://127.0.0.1:${port}` });
    client.socket.write("GET /v1/x HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect.poll(client.received).toContain(text);
    const drained = Promise.withResolvers<void>();
    const closed = acceptor.close(drained.promise);
    await once(client.socket, "end");
    drained.resolve();
    client.socket.end();
    await closed;
  },
);

test.each([
  ["http://0.0.0.0:8484", "http://localhost:8484"],
  ["https://[::]:8484", "https://localhost:8484"],
  ["http://127.0.0.1:8484", "http://127.0.0.1:8484"],
  ["http://10.0.0.0:80", "http://10.0.0.0:80"],
])("%s opens as %s", (url, opened) => {
  expect(makeBrowserUrl(url)).toBe(opened);
});
