import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { readDirectives } from "./directives.ts";
import { sendEvents, waitFor } from "./send-answer.ts";

test("pauses for a client that does not read, and sends everything when it reads again", async () => {
  const { response, release } = stalledResponse();
  const counter = { asked: 0 };
  const sending = sendEvents(response, countedEvents(counter, 5_000), {}, null);
  await nextTurns();
  const asked = counter.asked;
  expect(asked).toBeLessThan(500);
  await nextTurns();
  expect(counter.asked).toBe(asked);
  release();
  await sending;
  expect(counter.asked).toBe(5_000);
});

test("stops the work when the client disconnects", async () => {
  const { response } = stalledResponse();
  const counter = { asked: 0 };
  const sending = sendEvents(response, countedEvents(counter, 5_000), {}, null);
  await nextTurns();
  response.destroy();
  await sending;
  expect(counter.asked).toBeLessThan(500);
});

test("ends a wait when the client disconnects", async () => {
  const { response } = stalledResponse();
  const waiting = waitFor(response, 600_000);
  response.destroy();
  expect(await waiting).toBe(false);
});

test("writes every event separately at a pace", async () => {
  const { response, release, writes } = stalledResponse();
  release();
  const directives = readDirectives("simulate-pace-1");
  if (directives === null || "unknown" in directives) throw new Error("these are directives");
  await sendEvents(response, countedEvents({ asked: 0 }, 3), {}, directives);
  await nextTurns();
  expect(writes.filter((write) => write.includes("event 1"))).toHaveLength(3);
});

function* countedEvents(
  counter: { asked: number },
  count: number,
): Generator<string, void, undefined> {
  while (counter.asked < count) {
    counter.asked++;
    yield `event 1${"x".repeat(200)}\n\n`;
  }
}

/** A response whose client reads nothing until it is released. */
function stalledResponse() {
  const writes: string[] = [];
  let isReleased = false;
  let pending: (() => void) | null = null;
  const socket = new Duplex({
    read() {},
    write(chunk, _, done) {
      writes.push(String(chunk));
      if (isReleased) done();
      else pending = done;
    },
  });
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.assignSocket(socket as Socket);
  socket.on("drain", () => response.emit("drain")); // like the HTTP server
  const release = () => {
    isReleased = true;
    pending?.();
  };
  return { response, release, writes };
}

async function nextTurns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}
