import type { Database } from "#src/db/pool.ts";
import type { ClaimedChanges } from "#src/domain/claim.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import type { AddedEvent, AuditDeps } from "./audited-transaction.ts";
import { beginKeyedChains } from "./begin-keyed-chains.ts";
import { makeClaimedChanges } from "./claimed-changes.ts";
import { type DenialLog, makeDenialLog } from "./denials.ts";
import { auditKey } from "./sign.ts";
import { type ChainWatch, makeChainWatch } from "./watch-chains.ts";
import { openWitness, type Witness } from "./witness.ts";

/** Everything that changes need of the audit log, and what reads it. */
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
  /** The installation's: BURSAR_SECRET. */
  secret: string;
  /** The data folder, for what this node has seen. */
  folder: string;
  /** Which of the processes of the folder; 1 when not given. */
  index?: number;
  /** Something was changed through this process. */
  onChange?: () => void;
  logger: Logger;
}

/** Opens the log for this node. Who opened it stops `witness` at the end. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { database, nowMs, randomBytes, secret, folder, index = 1, logger } = options;
  const key = auditKey(secret);
  const witness = await openWitness({ folder, index, auditKey: key, nowMs, logger });
  const deps = {
    database,
    nowMs,
    randomBytes,
    auditKey: key,
    sealingKey: deriveSealingKey(secret),
    onAudited: (added: AddedEvent) => {
      witness.saw(added);
      options.onChange?.();
    },
    logger,
  };
  await beginKeyedChains({ ...deps, anchorOf: witness.anchorOf });
  return {
    ...deps,
    witness,
    chains: makeChainWatch({ ...deps, witness }),
    denials: makeDenialLog(deps),
    claims: makeClaimedChanges(deps),
  };
}
