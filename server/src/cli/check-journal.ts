import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "#src/config.ts";
import { readFreeBytes } from "#src/lib/free-space.ts";
import type { Finding } from "./finding.ts";
import { formatBytes } from "./format-bytes.ts";

const FOLDER = /^journal(-\d+)?$/;
const SEGMENT = /^\d+\.(journal(\.zst)?|index)$/;
const UNFLUSHED = /^bursar_journal_unflushed_bytes(?:\{[^}]*\})? (\d+)$/gm;
/** Share of the cap from which the doctor warns. */
const WARN_FROM = 0.8;

/** Space of the journals of a data folder. `metrics`: Prometheus text of the server. Null: no server runs. */
export function checkJournal(config: Config, metrics: string | null): Finding {
  const check = "journal";
  if (config.journal === "postgres") return { check, ok: true, detail: "in the database" };
  const { dataDir, journalMaxBytes } = config;
  if (!existsSync(dataDir)) return { check, ok: true, detail: "created at the first start" };
  const bytes = sizeOfJournals(dataDir);
  const unflushedBytes = metrics === null ? null : sumUnflushed(metrics);
  const percent = Math.round((100 * bytes) / journalMaxBytes);
  const facts = [
    `${formatBytes(bytes)} of ${formatBytes(journalMaxBytes)} (${percent}%)`,
    unflushedBytes === null
      ? "unflushed part unknown without the server"
      : `${formatBytes(unflushedBytes)} unflushed`,
    `${formatBytes(readFreeBytes(dataDir))} free on its disk`,
  ].join(", ");
  if ((unflushedBytes ?? 0) >= WARN_FROM * journalMaxBytes) {
    const detail = `${facts}: new requests fail with 503 when it is full. Make PostgreSQL reachable`;
    return { check, ok: false, detail };
  }
  if (bytes < WARN_FROM * journalMaxBytes) return { check, ok: true, detail: facts };
  const detail = `${facts}: flushed segments are removed before 48 hours. See BURSAR_JOURNAL_MAX_SIZE`;
  return { check, ok: true, is_note: true, detail };
}

function sizeOfJournals(dataDir: string): number {
  const folders = readdirSync(dataDir).filter((name) => FOLDER.test(name));
  const files = folders.flatMap((folder) =>
    readdirSync(join(dataDir, folder))
      .filter((name) => SEGMENT.test(name))
      .map((name) => join(dataDir, folder, name)),
  );
  // A running server can remove a segment during the loop.
  const sizes = files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((total, size) => total + size, 0);
}

/** Sums over all processes of the port. */
function sumUnflushed(metrics: string): number {
  return [...metrics.matchAll(UNFLUSHED)].reduce((total, [, bytes]) => total + Number(bytes), 0);
}
