import { setTimeout as delay } from "node:timers/promises";
import { requireSignedRows } from "#src/audit/begin-signed-rows.ts";
import { rotateChains } from "#src/audit/rotate-chains.ts";
import { deriveAuditKey } from "#src/audit/sign.ts";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import {
  createSecret,
  findCurrentSecret,
  findFingerprint,
  finishRotation,
  lockFingerprint,
  saveFingerprint,
  stageSecret,
} from "#src/db/installation-secret.ts";
import { type LocateOptions, lockDatabase } from "#src/db/locate-database.ts";
import { migrate } from "#src/db/migrate.ts";
import type { Tx } from "#src/db/pool.ts";
import { findWeakness } from "#src/db/secret-strength.rule.ts";
import { connectStorage, type Storage } from "#src/db/storage.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { computeFingerprint, deriveSealingKey } from "#src/lib/seal.ts";
import { StartError } from "#src/lib/start-error.ts";
import { resealTwoFactors } from "#src/people/identity/reseal-two-factors.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { inSignedTransaction, replaceAllMacs } from "#src/signed-rows/signed-transaction.ts";
import { readConnectedNodes } from "./connected-nodes.sql.ts";
import { resealValues } from "./sealed-values.ts";

export interface RotateOptions {
  location: LocateOptions;
  /** BURSAR_SECRET. */
  secret: string | undefined;
  /** BURSAR_NEW_SECRET. */
  newSecret: string | undefined;
  actor: { type: string; id: string };
  nowMs: number;
}

export interface RotatedSecret {
  /** True: an earlier rotation had changed the database, and this call only finished it. */
  wasRotated: boolean;
  sealedValues: number;
  /** Values that the old secret does not open. They stay unreadable. */
  unreadableValues: number;
  signedRows: number;
  /** File with the old secret, for older backups. Null: the secret is in no file of the data folder. */
  oldSecretFile: string | null;
}

/** A stopped node's connections end within this time. */
const ATTEMPTS = 10;
const ATTEMPT_MS = 200;

/**
 * Replaces the installation's secret: seals every value and signs every row again in one transaction. In a data folder,
 * the new secret is staged first and replaces the file after the commit. So the secret fits the database after an
 * interruption at any time. Throws a StartError with the remedy, also while a node is connected.
 */
export async function rotateSecret(options: RotateOptions): Promise<RotatedSecret> {
  const located = await lockDatabase({ ...options.location, isRequired: true });
  try {
    await migrate(located.place);
    const storage = connectStorage(located.place, makeLogger("silent"));
    try {
      return await rotateStored(options, storage);
    } finally {
      await storage.close();
    }
  } finally {
    await located.close();
  }
}

async function rotateStored(options: RotateOptions, storage: Storage): Promise<RotatedSecret> {
  const { database, folder } = storage;
  const isInFile = options.secret === undefined && storage.isEmbedded;
  if (isInFile && (await finishRotation(database, folder))) return alreadyRotated;
  const secrets = await chooseSecrets(options, storage, isInFile);
  const stored = await findFingerprint(database);
  if (stored === computeFingerprint(secrets.to)) return alreadyRotated;
  if (stored !== computeFingerprint(secrets.from)) throw makeOtherSecretError();
  const suffix = `before-${new Date(options.nowMs).toISOString().replaceAll(/[:.]/g, "-")}`;
  const oldSecretFile = isInFile ? await stageSecret(folder, { ...secrets, suffix }) : null;
  const changed = await changeDatabase(options, storage, secrets);
  if (isInFile) await finishRotation(database, folder);
  return { wasRotated: false, ...changed, oldSecretFile };
}

const alreadyRotated: RotatedSecret = {
  wasRotated: true,
  sealedValues: 0,
  unreadableValues: 0,
  signedRows: 0,
  oldSecretFile: null,
};

interface Secrets {
  from: string;
  to: string;
}

async function chooseSecrets(
  { secret: given, newSecret }: RotateOptions,
  { folder, isEmbedded }: Storage,
  isInFile: boolean,
): Promise<Secrets> {
  const from = isEmbedded ? await findCurrentSecret({ given, dataDir: folder }) : given;
  if (from === undefined || from === null) {
    throw new StartError(
      "The current secret is missing: set BURSAR_SECRET or BURSAR_SECRET_FILE as on the nodes.",
    );
  }
  const to = newSecret ?? (isInFile ? createSecret() : undefined);
  if (to === undefined) {
    throw new StartError(
      "The new secret is missing. Create one (`openssl rand -base64 32`), store it safely, and set it as BURSAR_NEW_SECRET " +
        "or BURSAR_NEW_SECRET_FILE for this command.",
    );
  }
  const weakness = findWeakness(to);
  if (weakness !== null) {
    throw new StartError(
      `BURSAR_NEW_SECRET ${weakness}, so it can be guessed. Create one with \`openssl rand -base64 32\`.`,
    );
  }
  if (to === from) throw new StartError("BURSAR_NEW_SECRET is the current secret: set a new one.");
  return { from, to };
}

function makeOtherSecretError(): StartError {
  return new StartError(
    "The current secret of this command differs from the secret of the database: set BURSAR_SECRET or BURSAR_SECRET_FILE as on the nodes.",
  );
}

/** Changes everything that depends on the secret, or nothing. */
async function changeDatabase(
  options: RotateOptions,
  { database, isEmbedded }: Storage,
  secrets: Secrets,
): Promise<Pick<RotatedSecret, "sealedValues" | "unreadableValues" | "signedRows">> {
  const auditKeys = { from: deriveAuditKey(secrets.from), to: deriveAuditKey(secrets.to) };
  const sealingKeys = { from: deriveSealingKey(secrets.from), to: deriveSealingKey(secrets.to) };
  const rows = {
    from: makeRowSigner({ secret: secrets.from }),
    to: makeRowSigner({ secret: secrets.to }),
  };
  await requireSignedRows({ database, auditKey: auditKeys.from, rows: rows.from });
  if (rows.from.isRequired) rows.to.require();
  return inSignedTransaction({ database, rows: rows.to }, async (tx) => {
    // Nodes that start read it, so they wait until the commit, and then need the new secret.
    const stored = await lockFingerprint(tx);
    if (stored !== computeFingerprint(secrets.from)) throw makeOtherSecretError();
    // Without a shared database, the lock of the data folder excludes nodes.
    if (!isEmbedded) await refuseConnectedNodes(tx);
    // Before the values change: a signature of the new content would need a new check.
    const signedRows = await replaceAllMacs(tx, rows);
    const values = await resealValues(tx, sealingKeys);
    const twoFactors = await resealTwoFactors(tx, sealingKeys);
    const sealedValues = values.sealed + twoFactors.sealed;
    const unreadableValues = values.unreadable + twoFactors.unreadable;
    await rotateChains(tx, {
      ...auditKeys,
      randomBytes: systemRandomBytes,
      actor: options.actor,
      after: { sealed_values: sealedValues, signed_rows: signedRows },
    });
    await saveFingerprint(tx, secrets.to);
    await bumpChangeCounter(tx);
    return { sealedValues, unreadableValues, signedRows };
  });
}

async function refuseConnectedNodes(tx: Tx): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const { connections, addresses, nodes } = await readConnectedNodes(tx);
    if (connections === 0) return;
    if (attempt >= ATTEMPTS) {
      const named = nodes.length === 0 ? "" : ` Nodes in contact lately: ${nodes.join(", ")}.`;
      const from = addresses.length === 0 ? "" : ` from ${addresses.join(", ")}`;
      throw new StartError(
        `A Bursar is connected to this database (${connections} connections${from}).${named} Stop all nodes and run the command again. ` +
          "Then start them with the new secret.",
      );
    }
    await delay(ATTEMPT_MS);
  }
}
