import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

// A client may send its next request before it has the answer to the last one. Answers leave in order, and what is not
// safe to repeat may not run at the same time (RFC 9112 §9.3.2): the next request is looked at when its turn has come.
// Until then its connection holds it, nothing is sent for a client that leaves, and no answer waits behind another one.

/** A client with more requests than that in one connection, unanswered, is cut off: each costs memory. */
const MAX_WAITING = 100;
const waiting = new WeakMap<Socket, number>();

/** Whether the response of an earlier request still has the connection. */
export function isConnectionBusy(response: ServerResponse): boolean {
  return response.socket === null;
}

/** Resolves with true when the response has got its connection, with false when the connection has closed before. */
export function waitForConnection(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const { socket } = request;
  const others = waiting.get(socket) ?? 0;
  if (others >= MAX_WAITING) socket.destroy();
  if (socket.destroyed) return Promise.resolve(false);
  waiting.set(socket, others + 1);
  socket.setMaxListeners(0);
  return new Promise((resolve) => {
    const settle = (isTurn: boolean) => {
      socket.off("close", onClose);
      response.off("socket", onTurn);
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      resolve(isTurn);
    };
    const onClose = () => settle(false);
    const onTurn = () => settle(true);
    socket.on("close", onClose);
    response.on("socket", onTurn);
  });
}
