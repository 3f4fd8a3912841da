import type { ClientCall } from "#src/http1/client-call.ts";
import { releaseMemory } from "#src/lib/release-memory.ts";

// Bodies of refused requests, whose clients still send. An earlier close would reset the connection, and the client could lose
// the response before it has read it. All of them together are read at a limited rate, in turn. So they take
// little processor time from other tenants.

/** Time for which one body is read, milliseconds. */
const LINGER_MS = 5_000;
const TICK_MS = 10;
/** Bytes of all bodies in a millisecond: 32 MB a second. Thus a lone body of the highest size is read to its end. */
const BYTES_PER_MS = 32 * 1024;
/** Most bytes at once, after late ticks. */
const MAX_LEFT_BYTES = 1024 * 1024;
/** Most bodies at the same time. Each can hold about 128 KB of buffers. */
const MAX_BODIES = 256;

interface RefusedBody {
  call: ClientCall;
  isWaiting: boolean;
  timer: NodeJS.Timeout;
}

const open = new Set<RefusedBody>();
/** Bodies that wait for the next tick, in order. */
const waiting: RefusedBody[] = [];
let leftBytes = MAX_LEFT_BYTES;
let lastTickMs = 0;
let ticks: NodeJS.Timeout | null = null;

/** Ends a response after the body of its request, or after a bounded time. */
export function endAfterBody(call: ClientCall): void {
  const [oldest] = open;
  if (open.size >= MAX_BODIES && oldest !== undefined) endBody(oldest);
  const body: RefusedBody = {
    call,
    isWaiting: false,
    timer: setTimeout(() => endBody(body), LINGER_MS),
  };
  open.add(body);
  if (ticks === null) {
    lastTickMs = performance.now();
    ticks = setInterval(startTick, TICK_MS);
  }
  readOn(body);
}

function readOn(body: RefusedBody): void {
  const { call } = body;
  body.isWaiting = false;
  const end = (): void => endBody(body);
  call.readBody({
    onData(chunk) {
      leftBytes -= chunk.length;
      if (call.isBodyOwned) releaseMemory(chunk);
      if (leftBytes > 0 || body.isWaiting || !open.has(body)) return;
      call.pauseBody();
      body.isWaiting = true;
      waiting.push(body);
    },
    onEnd: end,
    onGone: end,
  });
}

function startTick(): void {
  const nowMs = performance.now();
  leftBytes = Math.min(MAX_LEFT_BYTES, leftBytes + (nowMs - lastTickMs) * BYTES_PER_MS);
  lastTickMs = nowMs;
  if (leftBytes <= 0) return;
  let next = waiting.shift();
  while (next !== undefined && !open.has(next)) next = waiting.shift();
  // Its bytes arrive later, and can use up the whole tick. So the other bodies wait.
  if (next !== undefined) readOn(next);
}

function endBody(body: RefusedBody): void {
  if (!open.delete(body)) return;
  clearTimeout(body.timer);
  if (open.size === 0 && ticks !== null) {
    clearInterval(ticks);
    ticks = null;
    waiting.length = 0;
  }
  body.call.pauseBody();
  body.call.end();
}
