import { once } from "node:events";
import type { RequestListener, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Listener, listen, makeBrowserUrl } from "./listen.ts";

let closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function startListener(onRequest: RequestListener): Promise<Listener> {
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    tls: null,
    onRequest,
    onCheckContinue: onRequest,
  });
  closing.push(() => listener.close(Promise.resolve()));
  return listener;
}

/** Connects, and keeps its own side open as long as the other side. */
function connectTo(listener: Listener): { socket: Socket; received: () => string } {
  const socket = connect({ port: Number(new URL(listener.url).port), allowHalfOpen: true });
  socket.on("error", () => undefined);
  closing.push(() => socket.destroy());
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  return { socket, received: () => text };
}

test("rejects invalid HTTP with an official 400 and closes the connection", async () => {
  const listener = await startListener((_request, response) => response.end());
  const { socket, received } = connectTo(listener);
  socket.write("no HTTP at all\r\n\r\n");
  await once(socket, "end");
  expect(received()).toMatch(
    /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*invalid_request_error[\s\S]*"error_code":"invalid_http"/,
  );
});

test("closes a request without a response when garbage follows it", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const listener = await startListener((_request, response) => resolve(response));
  const { socket, received } = connectTo(listener);
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  const response = await promise;
  socket.write("garbage\r\n\r\n");
  await once(response, "close");
  expect(received()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});

test("writes nothing to a started response when garbage follows the request", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const listener = await startListener((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("first");
    resolve(response);
  });
  const { socket, received } = connectTo(listener);
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  const response = await promise;
  await once(socket, "data");
  socket.write("garbage\r\n\r\n");
  await Promise.all([once(response, "close"), once(socket, "end")]);
  expect(received().match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(received()).not.toContain("400");
});

test.each([
  ["http://0.0.0.0:8484", "http://localhost:8484"],
  ["https://[::]:8484", "https://localhost:8484"],
  ["http://127.0.0.1:8484", "http://127.0.0.1:8484"],
  ["http://10.0.0.0:80", "http://10.0.0.0:80"],
])("%s opens as %s", (url, opened) => {
  expect(makeBrowserUrl(url)).toBe(opened);
});
