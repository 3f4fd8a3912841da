import { type AddressInfo, createServer, type Socket } from "node:net";
import { startListening } from "./listen.ts";

// One port, several processes behind it: each connection goes to the next process that is free to take it. Ours, not
// node:cluster's, which forgets a connection that was on its way to a process that died: its client waits for ever.
// So our copy stays open until the process says that it has its own.

/** Where a connection can go. */
export interface Taker {
  /** Hands a copy of it over. Calls back with an error when it could not be sent. */
  take(connection: Socket, sent: (error: Error | null) => void): void;
}

export interface Dealer {
  /** `http://127.0.0.1:8484`, without a slash at its end. */
  url: string;
  /** From now on it gets connections, one at a time. */
  add(taker: Taker): void;
  /** It has the last one, and takes the next. */
  taken(taker: Taker): void;
  /** It gets no more. */
  remove(taker: Taker): void;
  /**
   * It died. A connection that was on its way to it is closed, not given to another: it may have read of it, and the
   * rest of a request is none.
   */
  lost(taker: Taker): void;
  /** Takes no new connection; those that wait are closed. */
  close(): Promise<void>;
}

/** About what the system itself lets wait. Beyond it clients are told at once. */
const MAX_WAITING = 1_000;

/** Throws a StartError when the address is taken or not allowed. */
export async function dealConnections(options: {
  host: string;
  port: number;
  isTls: boolean;
}): Promise<Dealer> {
  const waiting: Socket[] = [];
  const members = new Set<Taker>();
  /** In turn: who took a connection comes last. */
  const free = new Set<Taker>();
  /** Our copies of connections on their way. */
  const onTheWay = new Map<Taker, Socket>();
  const server = createServer({ pauseOnConnect: true }, (connection) => {
    // It may break while it waits; whoever takes it finds out.
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
