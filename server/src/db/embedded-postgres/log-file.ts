import { copyFile, rm, stat, truncate } from "node:fs/promises";

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const CHECK_MS = 60_000;

export interface LogTrimming {
  stop(): void;
}

/**
 * Keeps the server's log at about 10 MB, with the 10 MB before in `<log>.1`. The server appends to the open file, so
 * the file is emptied in place: a line written between the copy and that is lost.
 */
export async function startLogTrimming(
  logFile: string,
  maxBytes = MAX_LOG_BYTES,
): Promise<LogTrimming> {
  await trimLog(logFile, maxBytes);
  const timer = setInterval(() => {
    // A full disk or a removed file is met again, and said, where it matters more.
    trimLog(logFile, maxBytes).catch(() => undefined);
  }, CHECK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

async function trimLog(logFile: string, maxBytes: number): Promise<void> {
  const found = await stat(logFile).catch(() => null);
  if (found === null || found.size <= maxBytes) return;
  // On a full disk the copy fails, and emptying the log is what helps.
  await copyFile(logFile, `${logFile}.1`).catch(() => rm(`${logFile}.1`, { force: true }));
  await truncate(logFile);
}
