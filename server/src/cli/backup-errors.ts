import { userInfo } from "node:os";
import { CommandError, exitCodes } from "./command-error.ts";

const exitCodeOfKind = {
  usage: exitCodes.usage,
  passphrase: exitCodes.authentication,
  damaged: exitCodes.error,
  conflict: exitCodes.conflict,
  not_found: exitCodes.notFound,
} as const;

/** Runs work of `backup/` with its errors as those of commands. */
export async function explained<Result>(work: () => Promise<Result>): Promise<Result> {
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

/** Aborted when somebody wants an end, so that nothing half made is left. A second time ends at once. */
export function onInterrupt(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => stopping.abort());
  }
  return stopping.signal;
}

/** Somebody on the server's own machine, as the admin socket names it. */
export function asOperator(): { type: string; id: string } {
  return { type: "local_operator", id: String(process.getuid?.() ?? "unknown") };
}

/** For people who read a backup later: who is not named by a number alone. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return asOperator().id;
  }
}
