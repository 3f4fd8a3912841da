import { once } from "node:events";
import type { RequestListener, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type Listener, listen, urlForPeople } from "./listen.ts";

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

/** A connection that stays open on its side for as long as the other side is. */
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

test("what is no HTTP gets an official 400, and its connection is closed", async () => {
  const listener = await startListener((_request, response) => response.end());
  const { socket, received } = connectTo(listener);
  socket.write("no HTTP at all\r\n\r\n");
  await once(socket, "end");
  expect(received()).toMatch(
    /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*invalid_request_error[\s\S]*"error_code":"invalid_http"/,
  );
});

test("garbage behind a request that has no answer yet ends that request too", async () => {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>();
  const listener = await startListener((_request, response) => resolve(response));
  const { socket, received } = connectTo(listener);
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  const response = await promise;
  socket.write("garbage\r\n\r\n");
  await once(response, "close");
  expect(received()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});

test("garbage behind a request puts nothing into the answer that is under way", async () => {
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
])("%s is opened as %s", (url, opened) => {
  expect(urlForPeople(url)).toBe(opened);
});
