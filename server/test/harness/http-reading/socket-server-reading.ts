import { setImmediate } from "node:timers/promises";
import type { ClientCall } from "#src/http1/client-call.ts";
import { makeClientConnections } from "#src/http1/client-connections.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { MemorySocket } from "./memory-socket.ts";
import { isAnsweredEarly, type Reading, type ReadMessage } from "./message-reading.ts";
import { NodeRequestReader } from "./node-reading.ts";

/** Ticks for the requests of one connection, which are answered one after another. */
const TICKS = 60;

/**
 * Reads requests with the connections of `http1/`, which give unusual ones to node:http. Every other target is given to
 * node:http too. Each request is answered when its body has arrived, except for those that are answered early.
 */
export class SocketServerReader {
  readonly #node = new NodeRequestReader();

  /** Reads the cases at once. `isSlow`: each piece arrives in a tick of its own. */
  async read(cases: readonly (readonly Buffer[])[], isSlow: boolean): Promise<Reading[]> {
    const opened = cases.map((pieces) => ({ pieces, ...this.#open() }));
    const mostPieces = Math.max(...cases.map(({ length }) => length));
    for (let at = 0; at < mostPieces; at++) {
      for (const { pieces, socket } of opened) {
        const piece = pieces[at];
        if (piece !== undefined && !socket.destroyed) socket.push(piece);
      }
      if (isSlow) await setImmediate();
    }
    for (let tick = 0; tick < TICKS; tick++) await setImmediate();
    for (const { socket } of opened) socket.destroy();
    await setImmediate();
    return opened.map(({ reading }) => reading);
  }

  #open(): { socket: MemorySocket; reading: Reading } {
    const socket = new MemorySocket();
    const reading: Reading = { messages: [], refusal: null };
    const connections = makeClientConnections({
      turnEnd: makeTurnEnd(),
      handles: (_method, target) => target.length % 2 === 0,
      handle: (call) => answer(call, reading),
      handOver: (connection) => this.#node.accept(connection, reading),
      formatRefusal: (code) => {
        reading.refusal ??= code;
        return "";
      },
    });
    connections.accept(socket);
    socket.once("close", connections.stop);
    return { socket, reading };
  }
}

/** Records a request, and answers it when its body is complete. */
function answer(call: ClientCall, reading: Reading): void {
  const message: ReadMessage = {
    start: `${call.method} ${call.target}`,
    fields: call.fields.toList(),
    body: "",
    isComplete: false,
    isKeptAlive: null,
  };
  reading.messages.push(message);
  const finish = (): void => {
    message.isComplete = true;
    call.writeHead(200, FieldLines.fromList(["content-length", "0"]));
    call.end();
  };
  if (isAnsweredEarly(message)) {
    finish();
    return;
  }
  const body = call.takeBody();
  if (body !== null) {
    message.body = body.toString("latin1");
    finish();
    return;
  }
  call.readBody({
    onData(chunk) {
      message.body += chunk.toString("latin1");
    },
    onEnd: finish,
    onGone() {},
  });
}
