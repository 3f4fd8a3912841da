import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { computeFingerprint } from "#src/lib/seal.ts";
import { StartError } from "#src/lib/start-error.ts";
import { syncFolder } from "#src/lib/sync-folder.ts";
import type { Database, Tx } from "./pool.ts";
import { findWeakness, MINIMUM_CHARS } from "./secret-strength.rule.ts";

const SECRET_FILE = "secret";
/** New secret of a rotation, until the database has it and it replaces the file above. */
const NEXT_FILE = "secret.next";
const SECRET_BYTES = 32;
const HOW_TO_CREATE = "Create one with `openssl rand -base64 32`.";
/** Key in the table `installation`. */
export const FINGERPRINT_KEY = "secret_fingerprint";

export interface SecretOptions {
  /** Value of BURSAR_SECRET, if set. */
  given: string | undefined;
  /** True with DATABASE_URL: other nodes need the same secret, so a new file would be wrong. */
  isDatabaseShared: boolean;
  dataDir: string;
}

/**
 * Returns the installation's secret: BURSAR_SECRET, else the file `secret` in the data folder, created once with mode
 * 0600. Throws a StartError if it is required and missing, or too short.
 */
export async function resolveSecret(options: SecretOptions): Promise<string> {
  if (options.given !== undefined) return checkLength(options.given, "BURSAR_SECRET");
  const file = join(options.dataDir, SECRET_FILE);
  const kept = await readSecretFile(file);
  if (options.isDatabaseShared) {
    throw new StartError(
      "BURSAR_SECRET is required with DATABASE_URL: every node seals upstream credentials with the same secret. " +
        "Create one (`openssl rand -base64 32`), store it safely, and set it on every node as BURSAR_SECRET or BURSAR_SECRET_FILE." +
        (kept === null ? "" : ` The secret of the earlier embedded database is in ${file}.`),
    );
  }
  return kept === null ? makeSecret(options.dataDir, file) : checkLength(kept, file);
}

export interface InstallationSecret {
  secret: string;
  /** Sentence for the operator of an existing installation with a weak secret. */
  warning: string | null;
}

/**
 * Returns the secret of the installation for a start, after an interrupted rotation if there was one. Throws a StartError
 * if it is missing, differs from the secret of the database, or is weak and the database is new.
 */
export async function openInstallationSecret({
  database,
  ...options
}: SecretOptions & { database: Database }): Promise<InstallationSecret> {
  if (options.given === undefined && !options.isDatabaseShared) {
    await finishRotation(database, options.dataDir);
  }
  const secret = await resolveSecret(options);
  const weakness = findWeakness(secret);
  // Weak secrets were accepted before. Their installations still start, because an upgrade must not stop Claude requests.
  if (weakness !== null && (await findFingerprint(database)) === null) {
    throw new StartError(`BURSAR_SECRET ${weakness}, so it can be guessed. ${HOW_TO_CREATE}`);
  }
  await checkSecretFingerprint(database, secret);
  const warning =
    weakness && `BURSAR_SECRET ${weakness}. Replace it with \`./bursar secret rotate\`.`;
  return { secret, warning };
}

/** Like `resolveSecret`, for a command that creates none. Null: no secret. */
export async function findSecret(
  options: Pick<SecretOptions, "given" | "dataDir">,
): Promise<string | null> {
  const { given, dataDir } = options;
  if (given !== undefined) return checkLength(given, "BURSAR_SECRET");
  return readSecretFile(join(dataDir, SECRET_FILE));
}

/** Writes the secret of a backup to a data folder without one. Returns the file. */
export async function storeSecret(dataDir: string, secret: string): Promise<string> {
  const file = join(dataDir, SECRET_FILE);
  try {
    await writeSecretFile(dataDir, file, secret);
  } catch (error) {
    throw makeFileError(file, error);
  }
  return file;
}

/**
 * Stores the fingerprint of the secret in the database at the first start, and compares it at later ones. Throws a
 * StartError if this node has another secret, because it could not decrypt data of the other nodes.
 */
export async function checkSecretFingerprint(database: Database, secret: string): Promise<void> {
  const fingerprint = computeFingerprint(secret);
  await database
    .insertInto("installation")
    .values({ key: FINGERPRINT_KEY, value: fingerprint })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  if ((await findFingerprint(database)) === fingerprint) return;
  throw new StartError(
    "This node's secret differs from the secret of this database, so stored upstream credentials cannot be decrypted. " +
      "Set the BURSAR_SECRET of the other nodes, or copy the file `secret` of the database's first data folder. " +
      "After `./bursar secret rotate`, every node needs the new secret.",
  );
}

/** Returns the fingerprint of the database's secret, after a running rotation. Null: no server has started on it. */
export async function findFingerprint(database: Database): Promise<string | null> {
  const row = await database
    .selectFrom("installation")
    .select("value")
    .where("key", "=", FINGERPRINT_KEY)
    .forShare()
    .executeTakeFirst();
  return row?.value ?? null;
}

/** Locks the fingerprint against starts of nodes, until the transaction ends. */
export async function lockFingerprint(tx: Tx): Promise<string | null> {
  const row = await tx
    .selectFrom("installation")
    .select("value")
    .where("key", "=", FINGERPRINT_KEY)
    .forUpdate()
    .executeTakeFirst();
  return row?.value ?? null;
}

/** Makes the database refuse nodes without this secret. */
export async function saveFingerprint(tx: Tx, secret: string): Promise<void> {
  await tx
    .updateTable("installation")
    .set({ value: computeFingerprint(secret) })
    .where("key", "=", FINGERPRINT_KEY)
    .execute();
}

/** Returns a new secret. */
export function createSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/**
 * Writes the new secret beside the current one, before the database changes. The old secret stays in another file, for older
 * backups. Returns that file.
 */
export async function stageSecret(
  dataDir: string,
  { from, to, suffix }: { from: string; to: string; suffix: string },
): Promise<string> {
  const oldFile = join(dataDir, `${SECRET_FILE}.${suffix}`);
  const nextFile = join(dataDir, NEXT_FILE);
  try {
    await writeSecretFile(dataDir, oldFile, from);
    await writeSecretFile(dataDir, nextFile, to);
  } catch (error) {
    throw makeFileError(nextFile, error);
  }
  return oldFile;
}

/**
 * Replaces the secret by the staged one, if the database has it. True: replaced. A staged secret that the database does not
 * have is of a rotation that changed nothing.
 */
export async function finishRotation(database: Database, dataDir: string): Promise<boolean> {
  const nextFile = join(dataDir, NEXT_FILE);
  const next = await readSecretFile(nextFile);
  if (next === null || (await findFingerprint(database)) !== computeFingerprint(next)) return false;
  try {
    await rename(nextFile, join(dataDir, SECRET_FILE));
    await syncFolder(dataDir);
  } catch (error) {
    throw makeFileError(nextFile, error);
  }
  return true;
}

/** Returns the current secret without a check of its strength, for a rotation. Null: no secret. */
export async function findCurrentSecret(
  options: Pick<SecretOptions, "given" | "dataDir">,
): Promise<string | null> {
  return options.given ?? readSecretFile(join(options.dataDir, SECRET_FILE));
}

async function readSecretFile(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw makeFileError(file, error);
  }
}

function checkLength(secret: string, source: string): string {
  if (secret.length >= MINIMUM_CHARS) return secret;
  throw new StartError(
    `${source} has ${secret.length} characters, but at least ${MINIMUM_CHARS} are required. ${HOW_TO_CREATE}`,
  );
}

async function makeSecret(dataDir: string, file: string): Promise<string> {
  try {
    const secret = createSecret();
    await writeSecretFile(dataDir, file, secret);
    return secret;
  } catch (error) {
    throw makeFileError(file, error);
  }
}

function makeFileError(file: string, error: unknown): StartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StartError(`Cannot use the secret of this installation, ${file}: ${reason}.`, {
    cause: error,
  });
}

/** Writes and syncs a temporary file first, so that a partial file never exists. */
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
