// A pooler that shares few server sessions between its clients, one transaction at a time, as PgBouncer in
// transaction mode. The session returned last is lent first. Only the simple query protocol is supported
// (https://www.postgresql.org/docs/current/protocol-flow.html).
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import pg from "pg";

export interface SharingPooler {
  connectionString: string;
  close(): Promise<void>;
}

export interface PoolerOptions {
  /** Number of server sessions to share. */
  sessions: number;
  /** Refuses startup parameters that it cannot separate between clients. */
  isStrict?: boolean;
}

const SSL_REQUEST = 80_877_103;
const TEXT_OID = 25;

export async function startSharingPooler(
  connectionString: string,
  options: PoolerOptions,
): Promise<SharingPooler> {
  const sessions = await openSessions(connectionString, options.sessions);
  const pool = makePool(sessions);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    serveClient(socket, pool, options.isStrict === true);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL("postgresql://me:any@127.0.0.1/bursar");
  url.port = String(portOf(server));
  return {
    connectionString: url.href,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
      await Promise.all(sessions.map((session) => session.end()));
    },
  };
}

async function openSessions(connectionString: string, count: number): Promise<pg.Client[]> {
  const sessions: pg.Client[] = [];
  for (let index = 0; index < count; index++) {
    const session = new pg.Client({ connectionString });
    await session.connect();
    sessions.push(session);
  }
  return sessions;
}

interface Pool {
  acquireSession(): Promise<pg.Client>;
  releaseSession(session: pg.Client): void;
}

function makePool(sessions: readonly pg.Client[]): Pool {
  const free = [...sessions];
  const waiting: ((session: pg.Client) => void)[] = [];
  return {
    acquireSession: async () => free.pop() ?? new Promise((resolve) => waiting.push(resolve)),
    releaseSession: (session) => {
      const next = waiting.shift();
      if (next) next(session);
      else free.push(session);
    },
  };
}

function serveClient(socket: Socket, pool: Pool, isStrict: boolean): void {
  let pending = Buffer.alloc(0);
  let hasStarted = false;
  let held: pg.Client | null = null;
  let work = Promise.resolve();

  function acquireSession(size: number): Buffer {
    const part = pending.subarray(0, size);
    pending = pending.subarray(size);
    return part;
  }

  async function run(text: string): Promise<void> {
    held ??= await pool.acquireSession();
    socket.write(await answer(held, text));
    const isInTransaction = /^BEGIN/i.test(text);
    if (!isInTransaction) {
      pool.releaseSession(held);
      held = null;
    }
    socket.write(message("Z", Buffer.from(isInTransaction ? "T" : "I")));
  }

  function start(): boolean {
    if (pending.length < 8 || pending.length < pending.readInt32BE(0)) return false;
    const packet = acquireSession(pending.readInt32BE(0));
    if (packet.readInt32BE(4) === SSL_REQUEST) {
      socket.write("N");
      return true;
    }
    hasStarted = true;
    if (isStrict && packet.includes("statement_timeout")) {
      socket.end(errorMessage("08P01", "unsupported startup parameter: statement_timeout"));
      return true;
    }
    const authenticated = message("R", Buffer.alloc(4));
    const key = message("K", Buffer.from([0, 0, 0, 1, 0, 0, 0, 2]));
    socket.write(Buffer.concat([authenticated, key, message("Z", Buffer.from("I"))]));
    return true;
  }

  function next(): boolean {
    if (!hasStarted) return start();
    if (pending.length < 5 || pending.length < pending.readInt32BE(1) + 1) return false;
    const packet = acquireSession(pending.readInt32BE(1) + 1);
    if (packet.toString("latin1", 0, 1) === "Q") {
      const text = packet.toString("utf8", 5, packet.length - 1);
      work = work.then(() => run(text));
    }
    return true;
  }

  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (next());
  });
  socket.on("close", () => {
    // The transaction of a client that left is rolled back before the session serves another client.
    const left = held;
    held = null;
    // The rollback fails when the pooler closes, and then it serves no client.
    if (left)
      left.query("ROLLBACK").then(
        () => pool.releaseSession(left),
        () => undefined,
      );
  });
}

async function answer(session: pg.Client, text: string): Promise<Buffer> {
  try {
    const found = await session.query<unknown[]>({ text, rowMode: "array" });
    const result = Array.isArray(found) ? found.at(-1) : found;
    const columns: Buffer[] = result.fields.map(({ name }: { name: string }) => column(name));
    const rows: Buffer[] = result.rows.map((row: unknown[]) => dataRow(row));
    return Buffer.concat([
      message("T", Buffer.concat([int16(columns.length), ...columns])),
      ...rows,
      message("C", Buffer.from("SELECT\0")),
    ]);
  } catch (error) {
    return errorMessage("XX000", error instanceof Error ? error.message : String(error));
  }
}

function column(name: string): Buffer {
  const rest = Buffer.alloc(18);
  rest.writeInt32BE(TEXT_OID, 6);
  rest.writeInt16BE(-1, 10);
  rest.writeInt32BE(-1, 12);
  return Buffer.concat([Buffer.from(`${name}\0`), rest]);
}

function dataRow(row: readonly unknown[]): Buffer {
  const cells = row.map((value) => {
    if (value === null) return int32(-1);
    const bytes = Buffer.from(String(value));
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return message("D", Buffer.concat([int16(row.length), ...cells]));
}

function errorMessage(code: string, text: string): Buffer {
  return message("E", Buffer.from(`SERROR\0C${code}\0M${text}\0\0`));
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the server has no TCP address");
  return address.port;
}
