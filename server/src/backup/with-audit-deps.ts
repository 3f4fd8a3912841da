import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { requireSignedRows } from "#src/audit/begin-signed-rows.ts";
import { deriveAuditKey } from "#src/audit/sign.ts";
import { checkSecretFingerprint } from "#src/db/installation-secret.ts";
import { connectStorage, type DatabasePlace } from "#src/db/storage.ts";
import { systemClock } from "#src/lib/clock.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { type Logger, makeLogger } from "#src/lib/logger.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { readDatabaseNowMs } from "#src/recording/node.sql.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";

/**
 * Provides dependencies of audited changes to a command on the server's machine. Throws a StartError for another
 * secret.
 */
export async function withAuditDeps<Result>(
  { place, secret }: { place: DatabasePlace; secret: string },
  work: (deps: AuditDeps & { logger: Logger }) => Promise<Result>,
): Promise<Result> {
  const logger = makeLogger("silent");
  const storage = connectStorage(place, logger);
  try {
    const { database } = storage;
    await checkSecretFingerprint(database, secret);
    const offsetMs = (await readDatabaseNowMs(database)) - systemClock.monotonicMs();
    const auditKey = deriveAuditKey(secret);
    const rows = makeRowSigner({ secret });
    await requireSignedRows({ database, auditKey, rows });
    return await work({
      database,
      nowMs: () => Math.floor(systemClock.monotonicMs() + offsetMs),
      randomBytes: systemRandomBytes,
      auditKey,
      rows,
      sealingKey: deriveSealingKey(secret),
      // Nodes find the events in the chain.
      onAudited: () => undefined,
      beforeAppend: async () => undefined,
      logger,
    });
  } finally {
    await storage.close();
  }
}
