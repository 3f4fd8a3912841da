import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";

/** A way to a database that can be cut without a word, as a network does it. */
export interface DatabaseRelay {
  connectionString: string;
  /** Nothing passes any more, in either direction; connections stay open and new ones are taken. */
  cut(): void;
  /** New connections pass again; those from before are reset. */
  mend(): void;
  close(): Promise<void>;
}

export async function startDatabaseRelay(connectionString: string): Promise<DatabaseRelay> {
  const { host, port, user, password, database } = new pg.Client({ connectionString });
  const sockets = new Set<Socket>();
  let isCut = false;

  const server = createServer((client) => {
    keep(client);
    if (isCut) return;
    const upstream = host.startsWith("/")
      ? connect({ path: `${host}/.s.PGSQL.${port}` })
      : connect({ host, port });
    keep(upstream);
    client.pipe(upstream).pipe(client);
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });

  function keep(socket: Socket): void {
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
    mend() {
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
