import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Part of an address's connections that one search closes, so that a flood does not search for each connection. */
const CLOSED_PART = 1 / 16;

/**
 * Bounds the connections of a node:http server. Beyond the highest number, the oldest connections without a running request
 * are closed, from the address with the most. `event`: `secureConnection` with TLS. `http1/client-connections.ts` does the same
 * for connections whose requests are read from sockets.
 */
export function limitConnections(
  server: Server,
  event: "connection" | "secureConnection",
  maxConnections: number,
): void {
  const open = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    if (open.size >= maxConnections && !closeIdle(open)) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
}

/** False: every connection has a running request. */
function closeIdle(open: Set<Socket>): boolean {
  const counts = new Map<string, number>();
  const idle = new Map<string, Socket[]>();
  for (const socket of open) {
    const address = socket.remoteAddress ?? "";
    counts.set(address, (counts.get(address) ?? 0) + 1);
    if (hasRequest(socket)) continue;
    const ofAddress = idle.get(address) ?? [];
    ofAddress.push(socket);
    idle.set(address, ofAddress);
  }
  const countOf = (address: string): number => counts.get(address) ?? 0;
  const [address] = [...idle.keys()].sort((a, b) => countOf(b) - countOf(a));
  if (address === undefined) return false;
  const closed = Math.max(1, Math.floor(countOf(address) * CLOSED_PART));
  for (const socket of idle.get(address)?.slice(0, closed) ?? []) {
    open.delete(socket);
    socket.destroy();
  }
  return true;
}

/** True from the head of a request to the end of its response. */
function hasRequest(socket: Socket): boolean {
  // Node's internal property for the response of a connection. Node's own handlers check it too.
  return (Reflect.get(socket, "_httpMessage") ?? null) !== null;
}
