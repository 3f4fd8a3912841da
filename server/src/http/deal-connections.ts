import { type AddressInfo, createServer, type Socket } from "node:net";
import { startListening } from "./listen.ts";

// One port for several processes. Each connection goes to the next free process. Node's cluster module is not used.
// That module loses a connection in transit to a process that dies, and the client waits without end. Here the sender's copy stays open
// until the process confirms its own.

/** Process that can receive connections. */
export interface Taker {
  /** Sends a copy of the connection. Calls back with an error if sending failed. */
  take(connection: Socket, sent: (error: Error | null) => void): void;
}

export interface Dealer {
  /** `http://127.0.0.1:8484`, without a slash at its end. */
  url: string;
  /** Adds a process. From now on it gets connections, one at a time. */
  add(taker: Taker): void;
  /** Confirms receipt of the last connection. The process gets the next one. */
  taken(taker: Taker): void;
  /** Removes a process. The process gets no more connections. */
  remove(taker: Taker): void;
  /**
   * Removes a process that died. A connection in transit to it is closed. Another process could not serve it, because
   * part of its request may be read already.
   */
  lost(taker: Taker): void;
  /** Accepts no new connection and closes the waiting ones. */
  close(): Promise<void>;
}

/** Roughly the operating system's own queue. Beyond it connections are closed at once. */
const MAX_WAITING = 1_000;

/** Throws a StartError if the address is in use or not permitted. */
export async function dealConnections(options: {
  host: string;
  port: number;
  isTls: boolean;
}): Promise<Dealer> {
  const waiting: Socket[] = [];
  const members = new Set<Taker>();
  /** Free processes in order. A process that received a connection moves to the end. */
  const free = new Set<Taker>();
  /** Local copies of connections in transit. */
  const onTheWay = new Map<Taker, Socket>();
  const server = createServer({ pauseOnConnect: true }, (connection) => {
    // A waiting connection can break. Its receiver notices.
    connection.on("error", () => undefined);
    if (waiting.length >= MAX_WAITING) connection.destroy();
    else waiting.push(connection);
    deal();
  });

  function deal(): void {
    for (const taker of free) {
      const connection = waiting.shift();
      if (connection === undefined) return;
      free.delete(taker);
      onTheWay.set(taker, connection);
      taker.take(connection, (error) => {
        if (error === null || !onTheWay.delete(taker)) return;
        waiting.unshift(connection);
        deal();
      });
    }
  }

  function letGo(taker: Taker): void {
    onTheWay.get(taker)?.destroy();
    onTheWay.delete(taker);
  }

  function remove(taker: Taker): void {
    members.delete(taker);
    free.delete(taker);
  }

  await startListening(server, { host: options.host, port: options.port });
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `${options.isTls ? "https" : "http"}://${host}:${port}`,
    add: (taker) => {
      members.add(taker);
      free.add(taker);
      deal();
    },
    taken: (taker) => {
      letGo(taker);
      if (!members.has(taker)) return;
      free.add(taker);
      deal();
    },
    remove,
    lost: (taker) => {
      remove(taker);
      letGo(taker);
    },
    close: async () => {
      server.close();
      for (const connection of waiting.splice(0)) connection.destroy();
    },
  };
}
