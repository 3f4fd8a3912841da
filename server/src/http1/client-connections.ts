import type { Socket } from "node:net";
import { BodyTurns } from "./body-turns.ts";
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

export interface ConnectionsDeps extends ConnectionDeps {
  /** Most open connections. */
  maxConnections?: number;
}

const DEFAULT_MAX_CONNECTIONS = 14_000;
/** Part of an address's connections that one search closes, so that a flood does not search for each connection. */
const CLOSED_PART = 1 / 16;

/**
 * At the highest number, older connections without a running request are closed for new ones. The address with the most
 * connections loses them, the idle ones first. So one address cannot take the places of others.
 */
export function makeClientConnections(deps: ConnectionsDeps): ClientConnections {
  const maxConnections = deps.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const open = new Set<ClientConnection>();
  const connected = { ...deps, turns: new BodyTurns() };
  const byAddress = new Map<string, Set<ClientConnection>>();
  /** Runs only while connections are open, so an idle process does not wake. */
  let timer: NodeJS.Timeout | undefined;

  function onOver(connection: ClientConnection): void {
    open.delete(connection);
    const ofAddress = byAddress.get(connection.address);
    ofAddress?.delete(connection);
    if (ofAddress?.size === 0) byAddress.delete(connection.address);
  }

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
      if (open.size >= maxConnections && !closeOldest(byAddress)) {
        socket.destroy();
        return;
      }
      const connection = new ClientConnection(socket, connected, onOver);
      open.add(connection);
      const ofAddress = byAddress.get(connection.address) ?? new Set();
      byAddress.set(connection.address, ofAddress.add(connection));
      timer ??= setInterval(sweep, SWEEP_MS).unref();
    },
    closeIdle() {
      for (const connection of open) connection.closeWhenIdle();
    },
    stop,
  };
}

/** Closes waiting connections of the address with the most. False: every connection has a running request. */
function closeOldest(byAddress: ReadonlyMap<string, ReadonlySet<ClientConnection>>): boolean {
  const addresses = [...byAddress.values()].sort((a, b) => b.size - a.size);
  for (const connections of addresses) {
    const waiting = [...connections].filter(({ waitedSweeps }) => waitedSweeps !== null);
    if (waiting.length === 0) continue;
    const rankOf = (one: ClientConnection) => (one.isIdle ? 1_000 : 0) + (one.waitedSweeps ?? 0);
    // The order of the set is the order of arrival, and the sort keeps it.
    waiting.sort((a, b) => rankOf(b) - rankOf(a));
    const closed = waiting.slice(0, Math.max(1, Math.floor(connections.size * CLOSED_PART)));
    for (const connection of closed) connection.closeWaiting();
    return true;
  }
  return false;
}
