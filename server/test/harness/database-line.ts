import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";

/** A connection to a database that tests can cut. While cut, connections break and new ones are refused. */
export interface DatabaseLine {
  connectionString: string;
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

const POSTGRES_PORT = 5432;

export async function openDatabaseLine(connectionString: string): Promise<DatabaseLine> {
  const url = new URL(connectionString);
  const sockets = new Set<Socket>();
  let isCut: boolean = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const database = connectTo(url);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    client.pipe(database).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const line = new URL(connectionString);
  line.search = "";
  line.hostname = "127.0.0.1";
  line.port = String(port);
  return {
    connectionString: line.href,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    restore() {
      isCut = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** Opens a socket to PostgreSQL: in a folder for the embedded one, else at a port. */
function connectTo(url: URL): Socket {
  const folder = url.searchParams.get("host");
  const port = Number(url.searchParams.get("port") ?? (url.port || POSTGRES_PORT));
  if (folder?.startsWith("/")) return connect(join(folder, `.s.PGSQL.${port}`));
  return connect(port, url.hostname);
}
