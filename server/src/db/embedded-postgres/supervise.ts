import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "#src/lib/clock.ts";
import { StartError } from "#src/lib/start-error.ts";
import { explainProcessError } from "./explain.ts";
import { type LogTrimming, startLogTrimming } from "./log-file.ts";
import { waitUntilReady } from "./readiness.ts";
import type { DatabaseAccess } from "./roles.ts";
import {
  type ServerExit,
  type ServerOptions,
  type ServerProcess,
  startServerProcess,
} from "./server-process.ts";

export type SupervisorEvent =
  /** The server's role was the superuser of an earlier version, and now owns its database only. */
  | { kind: "server_role_demoted" }
  /** The server died and restarts. */
  | { kind: "died"; how: string; reason: string | null }
  | { kind: "restarted"; pid: number }
  /** The server died too often and stays down, with everything that needs it. */
  | { kind: "gave_up"; reason: string | null };

export interface SupervisorOptions extends ServerOptions {
  /** Its roles and its database are created at the first start. */
  access: DatabaseAccess;
  onEvent: (event: SupervisorEvent) => void;
}

export interface Supervisor {
  pid(): number;
  stop(): Promise<void>;
}

/** A start can find the shared memory of a server that was just killed. The memory is freed a little later. */
const BUSY_RETRIES = 20;
const BUSY_DELAY_MS = 250;
const BUSY = /shared memory block|postmaster[.]pid/;

const MAX_DEATHS = 5;
/** Older deaths do not count towards MAX_DEATHS. */
const DEATH_WINDOW_MS = 60_000;
const FIRST_RESTART_DELAY_MS = 100;

/** Starts the server and restarts it when it dies, up to MAX_DEATHS within DEATH_WINDOW_MS. */
export async function superviseServer(options: SupervisorOptions): Promise<Supervisor> {
  const trimming = await startLogTrimming(options.logFile);
  try {
    return supervise(await startReady(options), options, trimming);
  } catch (error) {
    trimming.stop();
    throw error;
  }
}

function supervise(
  first: ServerProcess,
  options: SupervisorOptions,
  trimming: LogTrimming,
): Supervisor {
  let server = first;
  let isStopping = false;
  let deaths: number[] = [];

  // `process.exit` and an uncaught error leave no time to wait, but the request to stop is still sent.
  const onProcessExit = () => server.requestStop();
  process.once("exit", onProcessExit);

  async function watch(): Promise<void> {
    while (!isStopping) {
      const exit = await server.exited;
      if (isStopping) return;
      options.onEvent({ kind: "died", ...exit });
      if (!(await restart(exit))) return;
    }
  }

  /** Returns false if the server stays down. */
  async function restart(death: ServerExit): Promise<boolean> {
    let reason = death.reason;
    while (!isStopping) {
      const nowMs = systemClock.monotonicMs();
      deaths = [...deaths.filter((atMs) => nowMs - atMs < DEATH_WINDOW_MS), nowMs];
      if (deaths.length > MAX_DEATHS) {
        options.onEvent({ kind: "gave_up", reason });
        return false;
      }
      await delay(FIRST_RESTART_DELAY_MS * 2 ** (deaths.length - 1));
      try {
        server = await startReady(options);
        options.onEvent({ kind: "restarted", pid: server.pid });
        return true;
      } catch (error) {
        reason = error instanceof StartError ? error.message : explainProcessError(error);
      }
    }
    return false;
  }

  const watching = watch();
  let stopped: Promise<void> | null = null;
  async function stop(): Promise<void> {
    isStopping = true;
    trimming.stop();
    await server.stop();
    await watching; // a concurrent restart may have started another server
    await server.stop();
    process.off("exit", onProcessExit);
  }
  return {
    pid: () => server.pid,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

async function startReady(options: SupervisorOptions): Promise<ServerProcess> {
  for (let attempt = 0; ; attempt++) {
    const server = await startServerProcess(options);
    let reason: string | null;
    try {
      const readiness = await waitUntilReady(server, options.access);
      if (readiness.kind === "ready") {
        if (readiness.wasSuperuser) options.onEvent({ kind: "server_role_demoted" });
        return server;
      }
      reason = readiness.exit.reason ?? readiness.exit.how;
    } catch (error) {
      await server.stop();
      throw new StartError(
        `PostgreSQL started but refused a connection: ${explainProcessError(error)}. Its log is ${options.logFile}.`,
        { cause: error },
      );
    }
    if (attempt >= BUSY_RETRIES || !BUSY.test(reason)) {
      throw new StartError(`PostgreSQL did not start: ${reason}. Its log is ${options.logFile}.`);
    }
    await delay(BUSY_DELAY_MS);
  }
}
