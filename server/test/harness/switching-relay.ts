import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Socket file, or port on loopback, of a PostgreSQL server. */
export type RelayTarget = { path: string } | { port: number };

/** A TCP relay to one PostgreSQL server at a time, as HAProxy in front of a primary. */
export interface SwitchingRelay {
  readonly port: number;
  /** Ends all connections. New ones go to `target`. Null: they are closed at once. */
  connectTo(target: RelayTarget | null): void;
  /** Stops all traffic in both directions. Connections stay open. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

interface Connection {
  client: Socket;
  database: Socket;
}

export async function startSwitchingRelay(): Promise<SwitchingRelay> {
  const connections = new Set<Connection>();
  let target: RelayTarget | null = null;
  let isPaused = false;

  const server = createServer((client) => {
    if (target === null) {
      client.destroy();
      return;
    }
    const database = connect({ host: "127.0.0.1", ...target });
    const connection = { client, database };
    connections.add(connection);
    for (const socket of [client, database]) {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => end(connection));
    }
    if (!isPaused) passTraffic(connection);
  });

  function end(connection: Connection): void {
    connections.delete(connection);
    connection.client.destroy();
    connection.database.destroy();
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connectTo(next) {
      target = next;
      for (const connection of connections) end(connection);
    },
    pause() {
      isPaused = true;
      for (const { client, database } of connections) {
        client.unpipe().pause();
        database.unpipe().pause();
      }
    },
    resume() {
      if (!isPaused) return;
      isPaused = false;
      for (const connection of connections) passTraffic(connection);
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const connection of connections) end(connection);
      await closed;
    },
  };
}

function passTraffic({ client, database }: Connection): void {
  client.pipe(database).pipe(client);
}
