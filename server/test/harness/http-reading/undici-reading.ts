import { setImmediate } from "node:timers/promises";
import { Client, type Dispatcher } from "undici";
import { MemorySocket } from "./memory-socket.ts";
import type { Reading, ReadMessage } from "./message-reading.ts";

/** Responses on one connection, and the methods of their requests. */
export interface ResponseCase {
  pieces: readonly Buffer[];
  /** GET or HEAD, because undici sends only such requests before the response to the one before. */
  methods: readonly string[];
}

/** One connection with its requests. */
interface Connection {
  socket: MemorySocket;
  client: Client;
  /** Messages of each request, interim responses too. */
  readings: Reading[];
}

/** Most ticks until all requests are sent. */
const MOST_TICKS = 100;

/** Reads responses with a client of undici over sockets in memory. All cases are read at once. */
export async function readWithUndici(cases: readonly ResponseCase[]): Promise<Reading[]> {
  const connections = cases.map(open);
  // undici connects and sends the requests in later ticks.
  for (let tick = 0; tick < MOST_TICKS && !connections.every(isSent); tick++) await setImmediate();
  await setImmediate();
  for (const [index, { socket }] of connections.entries()) {
    for (const piece of cases[index]?.pieces ?? []) socket.push(piece);
    socket.push(null);
  }
  for (let tick = 0; tick < 4; tick++) await setImmediate();
  return connections.map(({ client, readings }) => {
    void client.destroy(new Error("the case ends")).catch(() => {});
    return joinReadings(readings);
  });
}

function isSent({ socket }: Connection): boolean {
  return socket.writtenBytes > 0;
}

function open({ methods }: ResponseCase): Connection {
  const socket = new MemorySocket();
  let isConnected = false;
  const client = new Client("http://upstream", {
    pipelining: methods.length,
    allowH2: false,
    connect: (_options, callback) => {
      // undici expects the connection in a later tick.
      process.nextTick(() => {
        if (isConnected) callback(new Error("a second connection"), null);
        else Reflect.apply(callback, null, [null, socket]);
        isConnected = true;
      });
    },
  });
  const readings = methods.map((method) => send(client, method));
  return { socket, client, readings };
}

function send(client: Client, method: string): Reading {
  const reading: Reading = { messages: [], refusal: null };
  let message: ReadMessage | null = null;
  client.dispatch(
    { path: "/", method: method as Dispatcher.HttpMethod, blocking: false },
    {
      onRequestStart() {},
      onResponseStart(controller, status) {
        message = {
          start: String(status),
          fields: readFields(controller.rawHeaders),
          body: "",
          isComplete: status < 200,
          isKeptAlive: null,
        };
        reading.messages.push(message);
      },
      onResponseData(_controller, chunk) {
        if (message !== null) message.body += chunk.toString("latin1");
      },
      onResponseEnd() {
        if (message !== null) message.isComplete = true;
      },
      onResponseError(_controller, error: NodeJS.ErrnoException) {
        reading.refusal = error.code ?? error.message;
      },
    },
  );
  return reading;
}

/** undici keeps spaces at the end of a value, which are no part of it. */
function readFields(rawHeaders: unknown): string[] {
  if (!Array.isArray(rawHeaders)) return [];
  return rawHeaders.map((part: Buffer | string, at) => {
    const text = typeof part === "string" ? part : part.toString("latin1");
    return at % 2 === 0 ? text.toLowerCase() : text.replace(/[ \t]+$/, "");
  });
}

/** Joins the messages of the requests of one connection. The first refusal counts. */
function joinReadings(readings: readonly Reading[]): Reading {
  const messages: ReadMessage[] = [];
  for (const reading of readings) {
    messages.push(...reading.messages);
    if (reading.refusal !== null) return { messages, refusal: reading.refusal };
  }
  return { messages, refusal: null };
}
