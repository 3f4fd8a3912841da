import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpCallController, HttpClient, HttpRequest } from "#src/lib/http-client.ts";

// An upstream that sends any bytes at any time, and a record of all events of a call to it.

export interface RawRequest {
  socket: Socket;
  /** Number of the connection, from 0. */
  connection: number;
  head: string;
  body: Buffer;
}

/** Handles one complete request. */
export type Script = (request: RawRequest) => unknown;

export interface RawUpstream {
  server: Server;
  port: number;
  origin: string;
  /** Complete requests, in the order of arrival. */
  received: RawRequest[];
  sockets: Socket[];
  close(): Promise<void>;
}

/** Starts on a free port of loopback, until the end of the test. */
export function startRawUpstream(script: Script): Promise<RawUpstream> {
  return listenRaw(createServer({ noDelay: true }), "connection", script);
}

/** Starts over a server of TCP or TLS, until the end of the test. `event` reports its connections. */
export async function listenRaw(
  server: Server,
  event: "connection" | "secureConnection",
  script: Script,
): Promise<RawUpstream> {
  const received: RawRequest[] = [];
  const sockets: Socket[] = [];
  server.on(event, (socket: Socket) => {
    const connection = sockets.push(socket) - 1;
    socket.on("error", () => undefined);
    readRequests(socket, (head, body) => {
      const request = { socket, connection, head, body };
      received.push(request);
      script(request);
    });
  });
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    origin: `http://127.0.0.1:${port}`,
    received,
    sockets,
    close,
  };
}

/** Starts a server of TCP whose connections the test handles, until the end of the test. Returns its port. */
export async function listenTcp(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.push(socket);
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/**
 * Starts a server of TCP that accepts no connection, and fills its queue, so that the system answers no further attempt. Runs
 * until the end of the test. Returns its port.
 */
export async function listenWithoutAccept(): Promise<number> {
  // The thread blocks as soon as its server listens, so it accepts no filler.
  const code = `
    const { parentPort } = require("node:worker_threads");
    const server = require("node:net").createServer();
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, "message")) as [number];
  const fillers = Array.from({ length: MOST_QUEUED }, () => connect(port, "127.0.0.1"));
  for (const filler of fillers) filler.on("error", () => undefined);
  onTestFinished(async () => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  });
  return port;
}

/** More connections than a queue of one place takes. */
const MOST_QUEUED = 8;

function readRequests(socket: Socket, onRequest: (head: string, body: Buffer) => void): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let needed = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    while (bytes >= needed) {
      const held = Buffer.concat(chunks);
      const end = held.indexOf("\r\n\r\n");
      const head = held.toString("latin1", 0, end + 4);
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      needed = end === -1 ? bytes + 1 : end + 4 + length;
      chunks = [held];
      if (bytes < needed) return;
      chunks = [held.subarray(needed)];
      bytes -= needed;
      const body = held.subarray(end + 4, needed);
      needed = 1;
      onRequest(head, body);
    }
  });
}

/** Bytes of a response with a length. */
export function rawResponse(text: string, more: readonly string[] = []): string {
  const lines = ["HTTP/1.1 200 OK", `content-length: ${Buffer.byteLength(text)}`, ...more];
  return `${lines.join("\r\n")}\r\n\r\n${text}`;
}

/** All that happened in one call. */
export interface CallRecord {
  starts: number;
  isSent: boolean;
  /** Statuses of all heads, informational ones too. */
  statuses: number[];
  /** Names and values of the last head in turn. */
  fields: string[];
  body: string;
  chunks: number;
  framed: string;
  ends: number;
  errors: string[];
}

export interface RecordedCall extends Partial<HttpRequest> {
  onStart?(controller: HttpCallController): void;
  onHead?(controller: HttpCallController): void;
  onData?(controller: HttpCallController, chunk: Buffer): void;
}

/** Sends a request. Resolves with its record after its last event. */
export function recordCall(client: HttpClient, options: RecordedCall = {}): Promise<CallRecord> {
  const { onStart, onHead, onData, ...request } = options;
  const { promise, resolve } = Promise.withResolvers<CallRecord>();
  const record: CallRecord = {
    starts: 0,
    isSent: false,
    statuses: [],
    fields: [],
    body: "",
    chunks: 0,
    framed: "",
    ends: 0,
    errors: [],
  };
  // A wrong second end would come in the same turn or the next one.
  const finish = () => setTimeout(resolve, 5, record);
  const whole: HttpRequest = {
    method: "POST",
    path: "/v1/messages",
    headers: new FieldLines(),
    body: Buffer.from("{}"),
    headersTimeoutMs: null,
    ...request,
  };
  client.send(whole, {
    onRequestStart(controller) {
      record.starts++;
      onStart?.(controller);
    },
    onRequestSent() {
      record.isSent = true;
    },
    onResponseStart(controller, status, fields) {
      record.statuses.push(status);
      record.fields = fields.toList();
      onHead?.(controller);
    },
    onResponseData(controller, chunk, framed) {
      record.chunks++;
      record.body += chunk.toString("latin1");
      record.framed += framed?.toString("latin1") ?? "";
      onData?.(controller, chunk);
    },
    onResponseEnd() {
      record.ends++;
      finish();
    },
    onResponseError(_, error) {
      record.errors.push("code" in error ? String(error.code) : error.message);
      finish();
    },
  });
  return promise;
}
