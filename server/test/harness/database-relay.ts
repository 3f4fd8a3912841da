import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";

/** A relay to a database with silent cuts, as in a network fault. */
export interface DatabaseRelay {
  connectionString: string;
  /** Stops all traffic in both directions. Connections stay open, and the relay accepts new ones. */
  cut(): void;
  /** Passes new connections again. Resets the earlier ones. */
  restore(): void;
  close(): Promise<void>;
}

export async function startDatabaseRelay(connectionString: string): Promise<DatabaseRelay> {
  const { host, port, user, password, database } = new pg.Client({ connectionString });
  const sockets = new Set<Socket>();
  let isCut = false;

  const server = createServer((client) => {
    track(client);
    if (isCut) return;
    const upstream = host.startsWith("/")
      ? connect({ path: `${host}/.s.PGSQL.${port}` })
      : connect({ host, port });
    track(upstream);
    client.pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });

  function track(socket: Socket): void {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  }

  function reset(): void {
    for (const socket of sockets) socket.destroy();
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL("postgresql://127.0.0.1/");
  url.port = String((server.address() as AddressInfo).port);
  url.username = user ?? "";
  url.password = typeof password === "string" ? password : "";
  url.pathname = `/${database}`;
  return {
    connectionString: url.href,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore() {
      isCut = false;
      reset();
    },
    async close() {
      server.close();
      reset();
      await once(server, "close");
    },
  };
}
