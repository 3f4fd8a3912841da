import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { secretFingerprint } from "#src/lib/seal.ts";
import { StartError } from "#src/lib/start-error.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import type { Database } from "./pool.ts";

const SECRET_FILE = "secret";
const SECRET_BYTES = 32;
/** 24 random bytes in base64, or a long sentence: below that a secret can be guessed from what it sealed. */
const MINIMUM_CHARS = 32;
/** In the table `installation`. */
export const FINGERPRINT_KEY = "secret_fingerprint";

export interface SecretOptions {
  /** The value of BURSAR_SECRET, when it is set. */
  given: string | undefined;
  /** True with DATABASE_URL: other nodes need the same secret, so a file made here would be the wrong one. */
  isDatabaseShared: boolean;
  dataDir: string;
}

/**
 * The installation's secret: BURSAR_SECRET, else the file `secret` in the data folder, which is made once (0600).
 * Throws a StartError when it is required and missing, or too short.
 */
export async function resolveSecret(options: SecretOptions): Promise<string> {
  if (options.given !== undefined) return checkLength(options.given, "BURSAR_SECRET");
  const file = join(options.dataDir, SECRET_FILE);
  const kept = await readSecretFile(file);
  if (options.isDatabaseShared) {
    throw new StartError(
      "BURSAR_SECRET is required with DATABASE_URL: every node seals upstream credentials with the same secret. " +
        "Make one (`openssl rand -base64 32`), keep it safe, and give it to every node as BURSAR_SECRET or BURSAR_SECRET_FILE." +
        (kept === null ? "" : ` The secret of the embedded database before is in ${file}.`),
    );
  }
  return kept === null ? makeSecret(options.dataDir, file) : checkLength(kept, file);
}

/** As `resolveSecret`, for a command that makes none: null where there is none. */
export async function findSecret(
  options: Pick<SecretOptions, "given" | "dataDir">,
): Promise<string | null> {
  const { given, dataDir } = options;
  if (given !== undefined) return checkLength(given, "BURSAR_SECRET");
  return readSecretFile(join(dataDir, SECRET_FILE));
}

/** Puts the secret of a backup into a data folder that has none. Gives the file. */
export async function keepSecret(dataDir: string, secret: string): Promise<string> {
  const file = join(dataDir, SECRET_FILE);
  try {
    await writeSecretFile(dataDir, file, secret);
  } catch (error) {
    throw unusableFile(file, error);
  }
  return file;
}

/**
 * Keeps the fingerprint of the secret in the database at the first start, and compares it at each later one. Throws a
 * StartError when this node has another secret: it could not open what the others have sealed.
 */
export async function checkSecretFingerprint(database: Database, secret: string): Promise<void> {
  const fingerprint = secretFingerprint(secret);
  await database
    .insertInto("installation")
    .values({ key: FINGERPRINT_KEY, value: fingerprint })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  const { value } = await database
    .selectFrom("installation")
    .select("value")
    .where("key", "=", FINGERPRINT_KEY)
    .executeTakeFirstOrThrow();
  if (value === fingerprint) return;
  throw new StartError(
    "This node's secret is not the one of this database: stored upstream credentials could not be opened. " +
      "Give it the BURSAR_SECRET of the other nodes, or the file `secret` of the data folder that the database began with.",
  );
}

async function readSecretFile(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unusableFile(file, error);
  }
}

function checkLength(secret: string, source: string): string {
  if (secret.length >= MINIMUM_CHARS) return secret;
  throw new StartError(
    `${source} has ${secret.length} characters; at least ${MINIMUM_CHARS} are needed (\`openssl rand -base64 32\` makes a good one).`,
  );
}

async function makeSecret(dataDir: string, file: string): Promise<string> {
  try {
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    await writeSecretFile(dataDir, file, secret);
    return secret;
  } catch (error) {
    throw unusableFile(file, error);
  }
}

function unusableFile(file: string, error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StartError(`The secret of this installation, ${file}, cannot be used: ${reason}.`, {
    cause: error,
  });
}

/** Written and synced under another name first, so that the file never exists half written. */
async function writeSecretFile(dataDir: string, file: string, secret: string): Promise<void> {
  const staging = `${file}.new`;
  await rm(staging, { force: true });
  const handle = await open(staging, "wx", 0o600);
  try {
    await handle.writeFile(`${secret}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(staging, file);
  await syncFolder(dataDir);
}
