import { userInfo } from "node:os";
import { CommandError, exitCodes } from "./command-error.ts";

const exitCodeOfKind = {
  usage: exitCodes.usage,
  passphrase: exitCodes.authentication,
  damaged: exitCodes.error,
  conflict: exitCodes.conflict,
  not_found: exitCodes.notFound,
} as const;

/** Runs work of `backup/` and converts its errors to command errors. */
export async function convertBackupErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  const { BackupError } = await import("#src/backup/backup-error.ts");
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupError) {
      throw new CommandError(error.message, exitCodeOfKind[error.kind]);
    }
    if (error instanceof Error && error.name === "AbortError") {
      throw new CommandError("Stopped.", exitCodes.error);
    }
    throw error;
  }
}

/** Signal that aborts on an interrupt, so that no partial file stays. A second interrupt ends the process. */
export function makeInterruptSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => stopping.abort());
  }
  return stopping.signal;
}

/** Actor for a user of the server's own machine, as on the admin socket. */
export function getOperator(): { type: string; id: string } {
  return { type: "local_operator", id: String(process.getuid?.() ?? "unknown") };
}

/** User name for readers of the backup, or the numeric user id. */
export function findOperatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return getOperator().id;
  }
}
