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
  /** Runs only while connections are open, so an idle process does not wake. */
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  function sweep(): void {
    for (const connection of open) connection.sweep();
    if (open.size === 0) stop();
  }

  return {
    accept: (socket) => {
      open.add(new ClientConnection(socket, deps, onOver));
      timer ??= setInterval(sweep, SWEEP_MS).unref();
    },
    closeIdle() {
      for (const connection of open) connection.closeWhenIdle();
    },
    stop,
  };
}
