import type { ServerResponse } from "node:http";
import type { Directives } from "./directives.ts";
import { overloadedEvent } from "./wire-answer.ts";

// Sends responses, at the pace and with the failures that the model name requests. Everything stops when the client
// disconnects, and writing waits for a slow client.

/** Without a pace, events are collected up to this many characters before they are written. */
const BATCH_CHARACTERS = 16 * 1024;

/** Waits, and returns whether the client is still connected. */
export function waitFor(response: ServerResponse, delayMs: number): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  if (delayMs <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      response.off("close", finish);
      resolve(!response.destroyed);
    };
    const timer = setTimeout(finish, delayMs);
    response.on("close", finish);
  });
}

/** Waits until the client disconnects. */
export function waitForClose(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => response.once("close", resolve));
}

/** Sends a JSON body, or half of it for `cut` and `hang`. */
export async function sendJson(
  response: ServerResponse,
  body: string,
  headers: Record<string, string>,
  directives: Directives | null,
): Promise<void> {
  const isCut = directives?.cutAfter != null;
  const isHung = directives?.hangAfter != null;
  response.writeHead(200, {
    ...headers,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  if (!isCut && !isHung) {
    response.end(body);
    return;
  }
  await writeFully(response, body.slice(0, body.length >> 1));
  if (isHung) await waitForClose(response);
  else response.destroy();
}

/** Sends the events of a stream. */
export async function sendEvents(
  response: ServerResponse,
  events: Iterable<string>,
  headers: Record<string, string>,
  directives: Directives | null,
): Promise<void> {
  response.writeHead(200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  const paceMs = directives?.paceMs ?? 0;
  const end = endOf(directives);
  let batch = "";
  let sent = 0;
  for (const event of events) {
    if (sent === end?.after) {
      await endEarly(response, batch, event, end.how);
      return;
    }
    batch += event;
    sent++;
    if (paceMs === 0 && batch.length < BATCH_CHARACTERS) continue;
    if (!(await write(response, batch))) return;
    batch = "";
    if (paceMs > 0 && !(await waitFor(response, paceMs))) return;
  }
  response.end(batch);
}

type EarlyEnd = "cut" | "tear" | "hang" | "break";

function endOf(directives: Directives | null): { after: number; how: EarlyEnd } | null {
  if (directives === null) return null;
  const { cutAfter, hangAfter, breakAfter } = directives;
  if (cutAfter !== null)
    return { after: cutAfter, how: directives.isCutInsideEvent ? "tear" : "cut" };
  if (hangAfter !== null) return { after: hangAfter, how: "hang" };
  return breakAfter === null ? null : { after: breakAfter, how: "break" };
}

async function endEarly(
  response: ServerResponse,
  batch: string,
  next: string,
  how: EarlyEnd,
): Promise<void> {
  if (how === "break") {
    response.end(batch + overloadedEvent());
    return;
  }
  const text = how === "tear" ? batch + next.slice(0, next.length >> 1) : batch;
  if (text === "") response.flushHeaders();
  else await writeFully(response, text);
  if (how === "hang") await waitForClose(response);
  else response.destroy();
}

/** Writes, waits for a slow client, and returns whether it is still connected. */
async function write(response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(text)) return true;
  await new Promise<void>((resolve) => {
    const finish = () => {
      response.off("drain", finish);
      response.off("close", finish);
      resolve();
    };
    response.on("drain", finish);
    response.on("close", finish);
  });
  return !response.destroyed;
}

/** Writes, and waits until the bytes are sent, because a later destroy would discard them. */
function writeFully(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    response.write(text, () => resolve());
  });
}
