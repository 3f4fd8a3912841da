import { copyFile, rm, stat, truncate } from "node:fs/promises";

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const CHECK_MS = 60_000;

export interface LogTrimming {
  stop(): void;
}

/**
 * Limits the server's log to about 10 MB, with the previous 10 MB in `<log>.1`. The server appends to the open file, so
 * the file is truncated in place. A line written between the copy and the truncation is lost.
 */
export async function startLogTrimming(
  logFile: string,
  maxBytes = MAX_LOG_BYTES,
): Promise<LogTrimming> {
  await trimLog(logFile, maxBytes);
  const timer = setInterval(() => {
    // Other code reports a full disk or a removed file.
    trimLog(logFile, maxBytes).catch(() => undefined);
  }, CHECK_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

async function trimLog(logFile: string, maxBytes: number): Promise<void> {
  const found = await stat(logFile).catch(() => null);
  if (found === null || found.size <= maxBytes) return;
  // On a full disk the copy fails, and truncating the log frees space.
  await copyFile(logFile, `${logFile}.1`).catch(() => rm(`${logFile}.1`, { force: true }));
  await truncate(logFile);
}
