import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EmbeddedPostgresEvent } from "#src/db/embedded-postgres.ts";

export const POSTGRES_PROGRAM = join(import.meta.dirname, "postgres-process.ts");

type Told =
  | EmbeddedPostgresEvent
  | Ready
  | { kind: "failed"; message: string }
  | { kind: "stopped" };
interface Ready {
  kind: "ready";
  pid: number;
  connectionString: string;
}

/** A process with an embedded PostgreSQL. */
export interface PostgresProgram {
  child: ChildProcess;
  /** Waits for the next event of this kind. Throws if the program ends without one. */
  told<Kind extends Told["kind"]>(kind: Kind): Promise<Extract<Told, { kind: Kind }>>;
  exited: Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts a server on a data folder, as this or another user. */
export function startPostgresProgram(
  args: readonly string[],
  user: { uid?: number; gid?: number } = {},
): PostgresProgram {
  const child = spawn(process.execPath, [POSTGRES_PROGRAM, ...args], {
    ...user,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await exited;
  };
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const seen: Told[] = [];
  async function told<Kind extends Told["kind"]>(kind: Kind) {
    const matches = (event: Told): event is Extract<Told, { kind: Kind }> => event.kind === kind;
    for (;;) {
      const found = seen.find(matches);
      if (found) return found;
      const { value, done } = await lines.next();
      if (done) throw new Error(`ended without "${kind}" after ${JSON.stringify(seen)}`);
      seen.push(JSON.parse(value));
    }
  }
  return { child, told, exited, stop };
}
