import { createHash } from "node:crypto";
import { access, link, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { openTableDump, type TableDump } from "#src/db/dump-tables.ts";
import { FINGERPRINT_KEY } from "#src/db/installation-secret.ts";
import { computeFingerprint } from "#src/lib/seal.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import { BackupError } from "./backup-error.ts";
import { type BackupHeader, MAGIC, makeFrame } from "./backup-format.ts";
import { deriveKey, encryptStream, makeEncryption } from "./encrypt-stream.ts";
import { type JournalFileToCopy, listJournalFiles, readJournalFile } from "./journal-copies.ts";

export interface BackupOptions {
  connectionString: string;
  /** File to create. An existing file is refused. */
  file: string;
  /** Secret of the installation. Only an encrypted backup includes it. */
  secret: string;
  passphrase: string | undefined;
  /** Folder of an embedded database, whose journals are included. Null: a database shared by several nodes. */
  journalsOf: string | null;
  bursarVersion: string;
  madeBy: string;
  /** Scrypt's N. Lower only in tests. */
  cost?: number;
  signal?: AbortSignal;
}

export interface WrittenBackup {
  header: BackupHeader;
  file: string;
  sizeBytes: number;
  /** Digest of the whole file. */
  sha256: Buffer;
  /** Rows by table. */
  rows: ReadonlyMap<string, number>;
  journalFiles: number;
  isEncrypted: boolean;
}

/** Fast, with files a third larger than at the best level: backups are made daily and rarely read. */
const COMPRESSION_LEVEL = constants.Z_BEST_SPEED + 2;
const DATA_FRAME_BYTES = 256 * 1024;
const NEWLINE = 10;

/**
 * Writes one snapshot of the database to one file. The file gets its name when it is complete and on disk. Memory is
 * constant. Throws a BackupError for an existing file, and a StartError for an unreadable database.
 */
export async function writeBackup(options: BackupOptions): Promise<WrittenBackup> {
  const file = resolve(options.file);
  await refuseExisting(file);
  const dump = await openTableDump(options.connectionString);
  const staging = `${file}.${process.pid}.partial`;
  try {
    const written = await writeStaging(options, dump, staging);
    await moveIntoPlace(staging, file);
    return { ...written, file };
  } catch (error) {
    throw explainWriteError(error, file);
  } finally {
    await rm(staging, { force: true });
    await dump.close();
  }
}

async function refuseExisting(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) {
    throw new BackupError(
      "usage",
      `${file} exists, and a backup overwrites nothing. Choose another name, such as bursar-$(date +%F).backup.`,
    );
  }
}

async function writeStaging(
  options: BackupOptions,
  dump: TableDump,
  staging: string,
): Promise<Omit<WrittenBackup, "file">> {
  const { passphrase, journalsOf, secret, signal } = options;
  const header = makeHeader(options, dump);
  refuseOtherSecret(header, dump);
  const journals = journalsOf === null ? [] : await listJournalFiles(journalsOf, dump.plan.nodes);
  const encryption = passphrase === undefined ? null : makeEncryption(options.cost);
  const prefix = Buffer.from(`${MAGIC}\n${JSON.stringify({ encryption })}\n`);
  const key = encryption && passphrase ? await deriveKey(encryption, passphrase) : null;
  const rows = new Map<string, number>();
  const content = { header, dump, journals, secret: key === null ? null : secret, rows };
  const wholeFile = createHash("sha256").update(prefix);
  const handle = await open(staging, "wx", 0o600);
  try {
    await handle.writeFile(prefix);
    await pipeline(
      Readable.from(addFooter(prefix, makeFrames(content))),
      createGzip({ level: COMPRESSION_LEVEL }),
      key === null ? new PassThrough() : encryptStream(key, prefix),
      // No stream of the handle, because closing the handle would wait for that stream without end.
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          wholeFile.update(chunk);
          await handle.writeFile(chunk);
        }
      },
      { ...(signal && { signal }) },
    );
    await handle.sync();
    const { size } = await handle.stat();
    const isEncrypted = key !== null;
    const about = { header, rows, journalFiles: journals.length, isEncrypted };
    return { ...about, sizeBytes: size, sha256: wholeFile.digest() };
  } finally {
    await handle.close();
  }
}

function makeHeader(
  { bursarVersion, madeBy, secret }: BackupOptions,
  { plan }: TableDump,
): BackupHeader {
  return {
    bursar_version: bursarVersion,
    postgres_version: plan.postgresVersion,
    made_at: plan.now.toISOString(),
    made_by: madeBy,
    installation_id: plan.installation.get("installation_id") ?? null,
    secret_fingerprint: computeFingerprint(secret),
    organizations: plan.organizations,
    migrations: plan.migrations,
    tables: plan.tables,
    sequences: plan.sequences,
    partitions: plan.partitions,
  };
}

/** Refuses another secret, because the fault would otherwise appear only at a restore. */
function refuseOtherSecret({ secret_fingerprint }: BackupHeader, { plan }: TableDump): void {
  const known = plan.installation.get(FINGERPRINT_KEY);
  if (known === undefined || known === secret_fingerprint) return;
  throw new BackupError(
    "usage",
    "The secret on this machine is not the secret of this database. Run the command with the environment of the server (BURSAR_SECRET).",
  );
}

interface Content {
  header: BackupHeader;
  dump: TableDump;
  journals: readonly JournalFileToCopy[];
  secret: string | null;
  /** Filled during the write. */
  rows: Map<string, number>;
}

async function* makeFrames({
  header,
  dump,
  journals,
  secret,
  rows,
}: Content): AsyncGenerator<Buffer> {
  yield makeFrame("H", header);
  if (secret !== null) yield makeFrame("S", Buffer.from(secret));
  for (const file of journals) {
    if (file.bytes === 0) continue;
    const { folder, name, source } = readJournalFile(file);
    yield makeFrame("J", { folder, name });
    yield* makeDataFrames(source, () => undefined);
  }
  for (const table of dump.plan.tables) {
    yield makeFrame("T", { name: table.name });
    yield* makeDataFrames(dump.copyOut(table), (count) => rows.set(table.name, count));
  }
}

/** Yields the bytes in large frames and their count. In a table's text each line is a row. */
async function* makeDataFrames(
  source: Readable,
  onEnd: (rows: number) => void,
): AsyncGenerator<Buffer> {
  let [rows, bytes, waitingBytes] = [0, 0, 0];
  let waiting: Buffer[] = [];
  for await (const chunk of source as AsyncIterable<Buffer>) {
    rows += countLines(chunk);
    bytes += chunk.length;
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes < DATA_FRAME_BYTES) continue;
    yield makeFrame("D", Buffer.concat(waiting));
    waiting = [];
    waitingBytes = 0;
  }
  if (waitingBytes > 0) yield makeFrame("D", Buffer.concat(waiting));
  onEnd(rows);
  yield makeFrame("E", { rows, bytes });
}

export function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

async function* addFooter(prefix: Buffer, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const digest = createHash("sha256").update(prefix);
  for await (const frame of source) {
    digest.update(frame);
    yield frame;
  }
  yield makeFrame("Z", { sha256: digest.digest("hex") });
}

/** Moves the file to its name without replacing a new file of that name. */
async function moveIntoPlace(staging: string, file: string): Promise<void> {
  try {
    await link(staging, file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    await refuseExisting(file);
    if (code === "EEXIST" || code === "ENOENT") throw error;
    await rename(staging, file); // on a file system without links
  }
  await syncFolder(dirname(file));
}

/** Error codes of a disk or a path. A lost connection has other codes. */
const FILE_ERRORS = new Set(
  "ENOSPC EDQUOT EFBIG EIO EROFS EACCES EPERM ENOENT ENOTDIR EISDIR ENAMETOOLONG".split(" "),
);

function explainWriteError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (!FILE_ERRORS.has(String(error.code))) return error;
  return new BackupError("usage", `Cannot write ${file}: ${error.message}.`, { cause: error });
}
