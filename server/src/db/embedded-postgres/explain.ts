import { ProgramFailure } from "./run-program.ts";

const DISK_FULL = /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/i;
export const DISK_FULL_TEXT = "the disk is full (no space left on device)";
const NO_USER_NAME = /could not look up effective user ID (\d+)/;
const MAX_REASON_CHARS = 400;

/** True if output of PostgreSQL or the system reports a full disk. */
export function isDiskFullText(text: string): boolean {
  return DISK_FULL.test(text);
}

/** True if initdb refused because its user id is not in /etc/passwd. */
export function isNamelessUser(error: unknown): boolean {
  return error instanceof ProgramFailure && NO_USER_NAME.test(error.stderr);
}

/** Returns one sentence about a failed program: its standard error, else the system's error. */
export function explainProcessError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
  const code = "code" in error ? String(error.code) : "";
  return (
    explainOutput(stderr) ?? (isDiskFullText(code) ? DISK_FULL_TEXT : firstLine(error.message))
  );
}

/** Returns a sentence for the last error in the output of a program or a log. Null: no error. */
export function explainOutput(text: string): string | null {
  if (isDiskFullText(text)) return DISK_FULL_TEXT;
  const [, uid] = NO_USER_NAME.exec(text) ?? [];
  if (uid !== undefined) {
    return (
      `user id ${uid} has no name on this machine, and PostgreSQL needs one: ` +
      "add an entry for it to /etc/passwd, or run as a user that has one"
    );
  }
  const lines = text
    .split("\n")
    .filter((line) => /FATAL|PANIC|[Ee]rror|cannot|could not|not permitted/.test(line));
  const last = lines.at(-1)?.replace(/^.*?(?:FATAL|PANIC|error):\s*/i, "");
  return last ? last.slice(0, MAX_REASON_CHARS) : null;
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? text).slice(0, MAX_REASON_CHARS);
}
