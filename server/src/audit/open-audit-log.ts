import type { Database } from "#src/db/pool.ts";
import type { ClaimedChanges } from "#src/domain/claim.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import type { AddedEvent, AuditDeps } from "./audited-transaction.ts";
import { beginKeyedChains } from "./begin-keyed-chains.ts";
import { makeClaimedChanges } from "./claimed-changes.ts";
import { type DenialLog, makeDenialLog } from "./denials.ts";
import { deriveAuditKey } from "./sign.ts";
import { type ChainWatch, makeChainWatch } from "./watch-chains.ts";
import { openWitness, type Witness } from "./witness.ts";

/** Parts of the audit log that changes and readers need. */
export interface AuditLog extends AuditDeps {
  witness: Witness;
  chains: ChainWatch;
  denials: DenialLog;
  claims: ClaimedChanges;
}

export interface AuditLogOptions {
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** Secret of the installation: BURSAR_SECRET. */
  secret: string;
  /** Data folder, for the files of the witness. */
  folder: string;
  /** Number of the process in the folder. Default: 1. */
  index?: number;
  /** Called after each change that this process commits. */
  onChange?: () => void;
  logger: Logger;
}

/** Opens the log for this node. The caller must stop `witness` at the end. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { database, nowMs, randomBytes, secret, folder, index = 1, logger } = options;
  const key = deriveAuditKey(secret);
  const witness = await openWitness({ folder, index, auditKey: key, nowMs, logger });
  const deps = {
    database,
    nowMs,
    randomBytes,
    auditKey: key,
    sealingKey: deriveSealingKey(secret),
    onAudited: (added: AddedEvent) => {
      witness.recordEvent(added);
      options.onChange?.();
    },
    logger,
  };
  await beginKeyedChains({ ...deps, findAnchor: witness.findAnchor });
  return {
    ...deps,
    witness,
    chains: makeChainWatch({ ...deps, witness }),
    denials: makeDenialLog(deps),
    claims: makeClaimedChanges(deps),
  };
}
