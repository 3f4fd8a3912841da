import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

// A client can send its next request before the response to the last one. Responses are sent in order, and requests that
// are not safe to repeat must not run at the same time (RFC 9112 §9.3.2). So the next request waits until the connection is
// free. In the meantime nothing is sent upstream for a client that leaves.

/** Highest number of waiting requests on one connection. A client with more is disconnected, because each costs memory. */
const MAX_WAITING = 100;
const waiting = new WeakMap<Socket, number>();

/** True while the response of an earlier request uses the connection. */
export function isConnectionBusy(response: ServerResponse): boolean {
  return response.socket === null;
}

/** Waits until the response has its connection. False: the connection was closed before. */
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
