import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { connectServer } from "./connection.ts";
import { type DatabaseAccess, isPrepared, isRoleRefused, prepareDatabase } from "./roles.ts";
import type { ServerExit, ServerProcess } from "./server-process.ts";

export type Readiness =
  /** `wasSuperuser`: the server's role was a superuser until now. */
  { kind: "ready"; wasSuperuser: boolean } | { kind: "exited"; exit: ServerExit };

type Probe = { kind: "ready" } | { kind: "unprepared" } | { kind: "failed"; error: unknown };

const POLL_MS = 10;
/** Replaying the log after a crash can take minutes on a slow disk. The server responds 57P03 during it. */
const READY_TIMEOUT_MS = 600_000;

const STARTING_UP = "57P03";
const NO_SUCH_DATABASE = "3D000";

/**
 * Waits until the server accepts a connection of the server's role, and prepares a new or earlier database once. A connection is
 * the only reliable test, because log lines only announce intentions. Throws the server's error if it is up and
 * refuses.
 */
export async function waitUntilReady(
  server: ServerProcess,
  access: DatabaseAccess,
): Promise<Readiness> {
  let exit: ServerExit | null = null;
  void server.exited.then((ended) => {
    exit = ended;
  });
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += POLL_MS) {
    const probe = await probeServer(access);
    if (probe.kind === "ready") return { kind: "ready", wasSuperuser: false };
    if (exit !== null) return { kind: "exited", exit };
    if (probe.kind === "unprepared") {
      return { kind: "ready", wasSuperuser: await prepareDatabase(access) };
    }
    const { error } = probe;
    if (error instanceof pg.DatabaseError && error.code !== STARTING_UP) throw error;
    await delay(POLL_MS);
  }
  throw new Error(`PostgreSQL was not ready after ${READY_TIMEOUT_MS / 60_000} minutes`);
}

async function probeServer({ server, database }: DatabaseAccess): Promise<Probe> {
  try {
    const client = await connectServer(server, database, { isSuperuser: false });
    try {
      return { kind: (await isPrepared(client)) ? "ready" : "unprepared" };
    } finally {
      await client.end().catch(() => undefined);
    }
  } catch (error) {
    const isMissing = error instanceof pg.DatabaseError && error.code === NO_SUCH_DATABASE;
    return isMissing || isRoleRefused(error) ? { kind: "unprepared" } : { kind: "failed", error };
  }
}
