import type { Socket } from "node:net";
import { ClientConnection, type ConnectionDeps, SWEEP_MS } from "./client-connection.ts";

/** Connections of clients that no other server has taken. */
export interface ClientConnections {
  /** Reads requests from a socket, which may be one of TLS. */
  accept(socket: Socket): void;
  /** Closes idle connections, and the others after their current request. */
  closeIdle(): void;
  /** Stops the checks of time limits. */
  stop(): void;
}

export function makeClientConnections(deps: ConnectionDeps): ClientConnections {
  const open = new Set<ClientConnection>();
  const onOver = (connection: ClientConnection) => void open.delete(connection);
  const sweep = setInterval(() => {
    for (const connection of open) connection.sweep();
  }, SWEEP_MS).unref();
  return {
    accept: (socket) => void open.add(new ClientConnection(socket, deps, onOver)),
    closeIdle() {
      for (const connection of open) connection.closeWhenIdle();
    },
    stop: () => clearInterval(sweep),
  };
}
