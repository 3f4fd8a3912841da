import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { listDescendants } from "./proc.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const { pid } of running) {
    if (pid === undefined) continue;
    for (const each of [pid, ...listDescendants(pid)]) killNow(each);
  }
});

function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process ended by itself meanwhile.
  }
}

/** Kills the process when this one exits for any reason. */
export function killOnExit<T extends ChildProcess>(child: T): T {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** A script of this folder as a separate process. Questions and answers pass over an IPC channel. */
export class ScriptProcess {
  readonly pid: number;
  readonly #child: ChildProcess;

  constructor(script: string, args: readonly string[] = []) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#child = killOnExit(
      spawn(process.execPath, [path, ...args], { stdio: ["ignore", "inherit", "inherit", "ipc"] }),
    );
    this.pid = pidOf(this.#child);
  }

  /** Waits for the next message of the process. Throws when the process ends instead. */
  async answer<T>(): Promise<T> {
    const ended = new AbortController();
    try {
      const [message] = await Promise.race([
        once(this.#child, "message", { signal: ended.signal }),
        once(this.#child, "exit", { signal: ended.signal }).then(([code]) => {
          throw new Error(`process ${this.pid} ended with ${code}`);
        }),
      ]);
      return message as T;
    } finally {
      ended.abort();
    }
  }

  /** Sends a message that has no answer. */
  tell(message: object): void {
    this.#child.send(message);
  }

  ask<T>(question: object): Promise<T> {
    this.tell(question);
    return this.answer();
  }

  async stop(): Promise<void> {
    await stopChild(this.#child, { signal: "SIGTERM", graceMs: 2_000 });
  }
}

/** Sends the signal, and SIGKILL after the grace period. Settles when the process has ended. */
export async function stopChild(
  child: ChildProcess,
  { signal, graceMs }: { signal: NodeJS.Signals; graceMs: number },
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  child.kill(signal);
  await gone;
  clearTimeout(timer);
}

/** Process id of the child. Throws when it could not be started. */
export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`cannot start ${child.spawnfile}`);
  return child.pid;
}
