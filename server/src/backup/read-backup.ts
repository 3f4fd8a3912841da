import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { BackupError } from "./backup-error.ts";
import {
  type BackupHeader,
  backupHeader,
  endOfPart,
  type Frame,
  footer,
  journalFile,
  MAGIC,
  MAX_PREFIX_BYTES,
  makeDamagedError,
  makeFrameHead,
  parseBody,
  prefixLine,
  readFrames,
  tableBegin,
} from "./backup-format.ts";
import { decryptStream, deriveKey, type EncryptionHeader } from "./encrypt-stream.ts";
import { countLines } from "./write-backup.ts";

/** Callbacks for the parts of a backup, in order. Each must read all of `bytes`. */
export interface BackupReader {
  header?(header: BackupHeader): Promise<void> | void;
  secret?(secret: string): void;
  journalFile?(file: { folder: string; name: string }, bytes: AsyncIterable<Buffer>): Promise<void>;
  table?(name: string, bytes: AsyncIterable<Buffer>): Promise<void>;
}

export interface ReadBackup {
  header: BackupHeader;
  isEncrypted: boolean;
  /** Secret of an encrypted backup, or null. */
  secret: string | null;
  rows: ReadonlyMap<string, number>;
  journalFiles: number;
}

/**
 * Reads a backup to its end. Only then the file is known to be complete, so callers may have to undo earlier callbacks.
 * Throws a BackupError for a file that is no backup, is damaged, or needs another passphrase.
 */
export async function readBackup(
  { file, passphrase }: { file: string; passphrase: string | undefined },
  reader: BackupReader = {},
): Promise<ReadBackup> {
  const { prefix, encryption } = await readPrefix(file);
  const key = await deriveFileKey(encryption, passphrase);
  const source = createReadStream(file, { start: prefix.length });
  const gunzip = createGunzip();
  const failed = (error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined);
  const plain = key === null ? source : source.pipe(decryptStream(key, prefix));
  source.on("error", failed);
  plain.on("error", failed);
  pipeline(plain, gunzip, () => undefined);
  const digest = createHash("sha256").update(prefix);
  try {
    const content = await new Content(digest, reader).read(readFrames(gunzip));
    if ((content.secret !== null) !== (key !== null)) throw makeDamagedError();
    return { ...content, isEncrypted: key !== null };
  } catch (error) {
    // Error of gunzip for invalid data.
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) {
      throw makeDamagedError(error);
    }
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function deriveFileKey(
  encryption: EncryptionHeader | null,
  passphrase: string | undefined,
): Promise<Buffer | null> {
  if (encryption === null) return null;
  if (passphrase !== undefined) return deriveKey(encryption, passphrase);
  throw new BackupError(
    "passphrase",
    "The backup is encrypted: set BURSAR_BACKUP_PASSPHRASE, or BURSAR_BACKUP_PASSPHRASE_FILE to a file with the passphrase.",
  );
}

async function readPrefix(
  file: string,
): Promise<{ prefix: Buffer; encryption: EncryptionHeader | null }> {
  const beginning = Buffer.alloc(MAX_PREFIX_BYTES);
  let bytes: number;
  try {
    const handle = await open(file, "r");
    try {
      bytes = (await handle.read(beginning, 0, MAX_PREFIX_BYTES, 0)).bytesRead;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackupError("usage", `Cannot read ${file}: ${reason}.`, { cause: error });
  }
  const text = beginning.toString("utf8", 0, bytes);
  const [magic, line] = text.split("\n", 2);
  if (magic !== MAGIC) throw makeFormatError(file, magic ?? "");
  const end = MAGIC.length + 1 + Buffer.byteLength(line ?? "") + 1;
  const body = Buffer.from(line ?? "");
  const { encryption } = parseBody(prefixLine, { kind: "H", body });
  return { prefix: beginning.subarray(0, end), encryption };
}

function makeFormatError(file: string, magic: string): BackupError {
  return /^BURSAR BACKUP \d+$/.test(magic)
    ? new BackupError("usage", `${file} was made by a newer Bursar. Restore it with that version.`)
    : new BackupError("usage", `${file} is not a backup of Bursar.`);
}

/** Reads the frames in their fixed order. */
class Content {
  readonly #digest: Hash;
  readonly #reader: BackupReader;
  readonly #rows = new Map<string, number>();
  #journalFiles = 0;

  constructor(digest: Hash, reader: BackupReader) {
    this.#digest = digest;
    this.#reader = reader;
  }

  async read(frames: AsyncGenerator<Frame>): Promise<Omit<ReadBackup, "isEncrypted">> {
    let frame = await this.#next(frames);
    if (frame.kind !== "H") throw makeDamagedError();
    const header = parseBody(backupHeader, frame);
    await this.#reader.header?.(header);
    frame = await this.#next(frames);
    let secret: string | null = null;
    if (frame.kind === "S") {
      secret = frame.body.toString("utf8");
      this.#reader.secret?.(secret);
      frame = await this.#next(frames);
    }
    for (; frame.kind === "J"; frame = await this.#next(frames)) {
      const file = parseBody(journalFile, frame);
      this.#journalFiles += 1;
      const take = this.#reader.journalFile?.bind(this.#reader, file) ?? drain;
      await this.#part(frames, take);
    }
    for (const { name } of header.tables) {
      if (frame.kind !== "T" || parseBody(tableBegin, frame).name !== name)
        throw makeDamagedError();
      const take = this.#reader.table?.bind(this.#reader, name) ?? drain;
      this.#rows.set(name, await this.#part(frames, take));
      frame = await this.#next(frames);
    }
    if (frame.kind !== "Z") throw makeDamagedError();
    if (parseBody(footer, frame).sha256 !== this.#digest.digest("hex")) throw makeDamagedError();
    if ((await frames.next()).done !== true) throw makeDamagedError();
    return { header, secret, rows: this.#rows, journalFiles: this.#journalFiles };
  }

  async #next(frames: AsyncGenerator<Frame>): Promise<Frame> {
    const { value, done } = await frames.next();
    if (done === true) throw makeDamagedError();
    if (value.kind !== "Z") {
      this.#digest.update(makeFrameHead(value.kind, value.body.length)).update(value.body);
    }
    return value;
  }

  /** Reads a part and returns the number of lines. */
  async #part(
    frames: AsyncGenerator<Frame>,
    take: (bytes: AsyncIterable<Buffer>) => Promise<void>,
  ): Promise<number> {
    let [rows, bytes, isEnded] = [0, 0, false];
    const next = () => this.#next(frames);
    async function* data(): AsyncGenerator<Buffer> {
      for (;;) {
        const frame = await next();
        if (frame.kind === "D") {
          rows += countLines(frame.body);
          bytes += frame.body.length;
          yield frame.body;
          continue;
        }
        const end = frame.kind === "E" ? parseBody(endOfPart, frame) : null;
        if (end === null || end.rows !== rows || end.bytes !== bytes) throw makeDamagedError();
        isEnded = true;
        return;
      }
    }
    await take(data());
    if (!isEnded) throw new Error("a part of a backup was not read to its end");
    return rows;
  }
}

async function drain(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of bytes);
}
