import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { z } from "zod";
import { BackupError } from "./backup-error.ts";

// Encrypts a stream with a passphrase. The key is derived by scrypt, and AES-256-GCM seals pieces of 64 KiB. So memory
// is constant and only verified data is returned. A piece's nonce is its number and a flag for the last one, so pieces
// cannot be exchanged, omitted or cut off. Each file has a new key, because its salt is new.

const PIECE_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SALT_BYTES = 32;
const NONCE_BYTES = 12;
/** 128 MiB of memory and about half a second for each guess. */
const COST = 2 ** 17;
const BLOCK_SIZE = 8;
/** Maximum cost that a file may request: one gigabyte of memory. */
const MAX_COST = 2 ** 20;

export const encryptionHeader = z.strictObject({
  cipher: z.literal("aes-256-gcm"),
  kdf: z.literal("scrypt"),
  cost: z.int().min(2).max(MAX_COST),
  salt: z.base64(),
});

export type EncryptionHeader = z.output<typeof encryptionHeader>;

/** `cost`: scrypt's N. Lower only in tests. */
export function makeEncryption(cost: number = COST): EncryptionHeader {
  const salt = randomBytes(SALT_BYTES).toString("base64");
  return { cipher: "aes-256-gcm", kdf: "scrypt", cost, salt };
}

export function deriveKey({ cost, salt }: EncryptionHeader, passphrase: string): Promise<Buffer> {
  const options: ScryptOptions = { N: cost, r: BLOCK_SIZE, p: 1, maxmem: 256 * BLOCK_SIZE * cost };
  return new Promise((resolve, reject) => {
    // Unicode normalization, because keyboards produce different forms of a character.
    scrypt(
      passphrase.normalize("NFKC"),
      Buffer.from(salt, "base64"),
      KEY_BYTES,
      options,
      (error, key) => {
        if (error) reject(error);
        else resolve(key);
      },
    );
  });
}

/** Encrypts a stream. `context` is authenticated with every piece. */
export function encryptStream(key: Buffer, context: Buffer): Transform {
  return processPieces(PIECE_BYTES, (piece, number, isLast) => {
    const cipher = createCipheriv("aes-256-gcm", key, nonceOf(number, isLast));
    cipher.setAAD(context);
    return Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
  });
}

/** Decrypts a stream. Fails with a BackupError at the first changed piece, without returning any of it. */
export function decryptStream(key: Buffer, context: Buffer): Transform {
  return processPieces(PIECE_BYTES + TAG_BYTES, (piece, number, isLast) => {
    if (piece.length < TAG_BYTES) throw makePieceError(number);
    const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(number, isLast));
    decipher.setAAD(context);
    decipher.setAuthTag(piece.subarray(piece.length - TAG_BYTES));
    const body = decipher.update(piece.subarray(0, piece.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      throw makePieceError(number);
    }
    return body;
  });
}

function makePieceError(number: number): BackupError {
  return number === 0
    ? new BackupError(
        "passphrase",
        "The passphrase is wrong, or the beginning of the file was changed.",
      )
    : new BackupError("damaged", "The backup is damaged: the file was cut off or changed.");
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeBigUInt64BE(BigInt(number));
  nonce.writeUInt32BE(isLast ? 1 : 0, 8);
  return nonce;
}

/** Processes pieces. The last piece is known only at the end, so a whole piece waits until more bytes arrive. */
function processPieces(
  size: number,
  work: (piece: Buffer, number: number, isLast: boolean) => Buffer,
): Transform {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let number = 0;
  const failing = (done: TransformCallback, run: () => void) => {
    try {
      run();
      done();
    } catch (error) {
      done(error as Error);
    }
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes <= size) return done();
      failing(done, () => {
        let all = Buffer.concat(waiting);
        for (; all.length > size; all = all.subarray(size)) {
          this.push(work(all.subarray(0, size), number++, false));
        }
        waiting = [all];
        bytes = all.length;
      });
    },
    flush(done) {
      failing(done, () => {
        this.push(work(Buffer.concat(waiting), number, true));
      });
    },
  });
}
