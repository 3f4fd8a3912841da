import { type AddressInfo, createServer, type Socket } from "node:net";
import { startListening } from "./listen.ts";

// One port for several processes. Each connection goes to the next free process. Node's cluster module is not used.
// That module loses a connection in transit to a process that dies, and the client waits without end. Here the sender's copy stays open
// until the process confirms its own.

/** Process that can receive connections. */
export interface Receiver {
  /** Sends a copy of the connection. Calls back with an error if sending failed. */
  sendConnection(connection: Socket, sent: (error: Error | null) => void): void;
}

export interface Distributor {
  /** `http://127.0.0.1:8484`, without a slash at its end. */
  url: string;
  /** Adds a process. From now on it gets connections, one at a time. */
  add(receiver: Receiver): void;
  /** Confirms receipt of the last connection. The process gets the next one. */
  confirmReceipt(receiver: Receiver): void;
  /** Removes a process. The process gets no more connections. */
  remove(receiver: Receiver): void;
  /**
   * Removes a process that died. A connection in transit to it is closed. Another process could not serve it, because
   * part of its request may be read already.
   */
  discard(receiver: Receiver): void;
  /** Accepts no new connection and closes the waiting ones. */
  close(): Promise<void>;
}

/** Roughly the operating system's own queue. Beyond it connections are closed at once. */
const MAX_WAITING = 1_000;

/** Throws a StartError if the address is in use or not permitted. */
export async function distributeConnections(options: {
  host: string;
  port: number;
  isTls: boolean;
}): Promise<Distributor> {
  const waiting: Socket[] = [];
  const members = new Set<Receiver>();
  /** Free processes in order. A process that received a connection moves to the end. */
  const free = new Set<Receiver>();
  /** Local copies of connections in transit. */
  const inTransit = new Map<Receiver, Socket>();
  const server = createServer({ pauseOnConnect: true }, (connection) => {
    // A waiting connection can break. Its receiver notices.
    connection.on("error", () => undefined);
    if (waiting.length >= MAX_WAITING) connection.destroy();
    else waiting.push(connection);
    distribute();
  });

  function distribute(): void {
    for (const receiver of free) {
      const connection = waiting.shift();
      if (connection === undefined) return;
      free.delete(receiver);
      inTransit.set(receiver, connection);
      receiver.sendConnection(connection, (error) => {
        if (error === null || !inTransit.delete(receiver)) return;
        waiting.unshift(connection);
        distribute();
      });
    }
  }

  function releaseConnection(receiver: Receiver): void {
    inTransit.get(receiver)?.destroy();
    inTransit.delete(receiver);
  }

  function remove(receiver: Receiver): void {
    members.delete(receiver);
    free.delete(receiver);
  }

  await startListening(server, { host: options.host, port: options.port });
  const { address, family, port } = server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `${options.isTls ? "https" : "http"}://${host}:${port}`,
    add: (receiver) => {
      members.add(receiver);
      free.add(receiver);
      distribute();
    },
    confirmReceipt: (receiver) => {
      releaseConnection(receiver);
      if (!members.has(receiver)) return;
      free.add(receiver);
      distribute();
    },
    remove,
    discard: (receiver) => {
      remove(receiver);
      releaseConnection(receiver);
    },
    close: async () => {
      server.close();
      for (const connection of waiting.splice(0)) connection.destroy();
    },
  };
}
