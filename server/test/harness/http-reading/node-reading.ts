import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { findFramingFault } from "#src/http1/framing-fault.ts";
import { MemorySocket } from "./memory-socket.ts";
import type { Reading } from "./message-reading.ts";

/** The listener refuses this request of node:http, and serves no later one of the connection. */
const FRAMING_REFUSAL = "framing";

/** Connection of which node:http reads the requests. */
interface Connection {
  socket: MemorySocket;
  reading: Reading;
}

/**
 * Reads requests with a server of node:http, over sockets in memory. Each case has the pieces of one connection. No request
 * gets a response.
 */
export class NodeRequestReader {
  readonly #connections = new WeakMap<object, Reading>();
  /** The server itself refuses a request without Host, in a later tick. So such a request would make results differ. */
  readonly #server = createServer({ requireHostHeader: false });

  constructor() {
    this.#server.on("request", (request, response) => {
      const reading = this.#connections.get(request.socket);
      if (!reading || reading.refusal === FRAMING_REFUSAL) return;
      if (findFramingFault(request) === null) record(reading, request, response.shouldKeepAlive);
      else reading.refusal = FRAMING_REFUSAL;
    });
    for (const event of ["checkContinue", "checkExpectation"] as const) {
      this.#server.on(event, (request: IncomingMessage) => {
        const reading = this.#connections.get(request.socket);
        if (reading) reading.refusal = event;
      });
    }
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const reading = this.#connections.get(socket);
      if (reading) reading.refusal ??= error.code ?? error.message;
    });
  }

  /** Reads the cases at once, each on its own connection. */
  async read(cases: readonly (readonly Buffer[])[]): Promise<Reading[]> {
    const connections = cases.map((pieces) => this.#open(pieces));
    // Streams pass on data in later ticks.
    await setImmediate();
    await setImmediate();
    for (const { socket } of connections) socket.destroy();
    await setImmediate();
    return connections.map(({ reading }) => reading);
  }

  /** Reads the requests of a connection from here on, also those of bytes that its buffer has. */
  accept(socket: Socket, reading: Reading): void {
    this.#connections.set(socket, reading);
    this.#server.emit("connection", socket);
  }

  #open(pieces: readonly Buffer[]): Connection {
    const socket = new MemorySocket();
    const reading: Reading = { messages: [], refusal: null };
    this.accept(socket, reading);
    for (const piece of pieces) socket.push(piece);
    return { socket, reading };
  }
}

function record(reading: Reading, request: IncomingMessage, isKeptAlive: boolean): void {
  const message = {
    start: `${request.method} ${request.url}`,
    fields: request.rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
    body: "",
    isComplete: false,
    isKeptAlive,
  };
  reading.messages.push(message);
  request.on("error", () => {});
  request.on("data", (chunk: Buffer) => {
    message.body += chunk.toString("latin1");
  });
  request.on("end", () => {
    message.isComplete = true;
  });
}
