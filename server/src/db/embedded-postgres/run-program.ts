import { spawn } from "node:child_process";
import type { FolderForServer } from "./folder-for-server.ts";
import { makePostgresEnvironment } from "./postgres-environment.ts";
import type { ServerUser } from "./server-user.ts";

export interface ProgramRun {
  program: string;
  args: readonly string[];
  /** User of the process. Null: this process's user. */
  user: ServerUser | null;
  folder: FolderForServer;
  timeoutMs: number;
}

const MAX_OUTPUT_CHARS = 64 * 1024;

/** A program that failed, with its output. */
export class ProgramFailure extends Error {
  readonly stderr: string;

  constructor(program: string, how: string, stderr: string) {
    super(`${program} ${how}`);
    this.name = "ProgramFailure";
    this.stderr = stderr;
  }
}

/** Runs a PostgreSQL program to its end. Throws a ProgramFailure, or the system's error if it cannot start. */
export function runProgram(run: ProgramRun): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(run.program, run.args, {
      ...run.user,
      cwd: run.folder.cwd,
      env: makePostgresEnvironment(),
      stdio: ["ignore", "pipe", "pipe", ...run.folder.descriptors],
      timeout: run.timeoutMs,
      windowsHide: true,
    });
    let output = "";
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-MAX_OUTPUT_CHARS);
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new ProgramFailure(run.program, `ended with ${signal ?? code}`, output));
    });
  });
}
