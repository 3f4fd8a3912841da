import { z } from "zod";
import { BackupError } from "./backup-error.ts";
import { encryptionHeader } from "./encrypt-stream.ts";

// Format of a backup file: two plain lines, then a gzip stream of frames, encrypted if a passphrase is set. A frame is
// a letter, the length of its content (4 bytes, big endian), and the content. Order of frames:
//
//   H header · S the secret (of an encrypted file only) · J D… E each file of a journal · T D… E each table · Z footer
//
// The footer has the SHA-256 over the two lines and all earlier frames. A file without it is incomplete.

export const MAGIC = "BURSAR BACKUP 1";
export const MAX_PREFIX_BYTES = 4096;
const FRAME_HEAD_BYTES = 5;
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export type FrameKind = "H" | "S" | "J" | "T" | "D" | "E" | "Z";

export interface Frame {
  kind: FrameKind;
  body: Buffer;
}

export const prefixLine = z.strictObject({ encryption: encryptionHeader.nullable() });

const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
const tableOfFile = z.strictObject({ name, columns: z.array(name).min(1) });
const digits = z.string().regex(/^-?\d{1,20}$/);

export const backupHeader = z.strictObject({
  bursar_version: z.string(),
  postgres_version: z.string(),
  /** Time of the snapshot on the database's clock. */
  made_at: z.iso.datetime(),
  made_by: z.string(),
  installation_id: z.string().nullable(),
  secret_fingerprint: z.string(),
  organizations: z.array(z.string()),
  migrations: z
    .array(z.strictObject({ number: z.int(), name: z.string(), sha256: z.string() }))
    .min(1),
  /** Tables in load order: referenced tables first. */
  tables: z.array(tableOfFile).min(1),
  sequences: z.array(
    z.strictObject({ table: name, column: name, last_value: digits, is_called: z.boolean() }),
  ),
  /** Monthly partitions of usage_event and usage_record. */
  partitions: z.array(z.string().regex(/^usage_(?:event|record)_\d{4}_\d{2}$/)),
});

export type BackupHeader = z.output<typeof backupHeader>;

export const journalFile = z.strictObject({
  folder: z.string().regex(/^journal(?:-[1-9]\d{0,5})?$/),
  name: z.string().regex(/^(?:\d{12}\.journal(?:\.zst)?|node-id|journal-id|installation-id)$/),
});
export const tableBegin = z.strictObject({ name });
export const endOfPart = z.strictObject({ rows: z.int().min(0), bytes: z.int().min(0) });
export const footer = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export function makeFrame(kind: FrameKind, body: Buffer | object): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return Buffer.concat([makeFrameHead(kind, bytes.length), bytes]);
}

export function makeFrameHead(kind: FrameKind, length: number): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.write(kind, 0, "latin1");
  head.writeUInt32BE(length, 1);
  return head;
}

/** Reads the frames of a decrypted and decompressed stream. Throws a BackupError if the stream is cut off. */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let wanted = FRAME_HEAD_BYTES;
  for await (const chunk of source) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < wanted) continue;
    rest = Buffer.concat(chunks);
    for (;;) {
      wanted = lengthOf(rest);
      if (rest.length < wanted) break;
      const body = rest.subarray(FRAME_HEAD_BYTES, wanted);
      yield { kind: rest.toString("latin1", 0, 1) as FrameKind, body };
      rest = rest.subarray(wanted);
    }
    chunks.splice(0, chunks.length, rest);
    bytes = rest.length;
  }
  if (bytes > 0) throw makeDamagedError();
}

function lengthOf(bytes: Buffer): number {
  if (bytes.length < FRAME_HEAD_BYTES) return FRAME_HEAD_BYTES;
  const length = bytes.readUInt32BE(1);
  if (length > MAX_FRAME_BYTES) throw makeDamagedError();
  return FRAME_HEAD_BYTES + length;
}

/** Parses a frame's JSON. Throws a BackupError for other content. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  { body }: Frame,
): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(body.toString("utf8")));
  } catch {
    throw makeDamagedError();
  }
}

export function makeDamagedError(cause?: unknown): BackupError {
  return new BackupError("damaged", "The backup is damaged: the file was cut off or changed.", {
    cause,
  });
}

/** Counts the requests among the rows of each table. */
export function countRequests(rows: ReadonlyMap<string, number>): number {
  return (rows.get("usage_record") ?? 0) + (rows.get("usage_event") ?? 0);
}
