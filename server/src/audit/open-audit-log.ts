import type { Database } from "#src/db/pool.ts";
import type { ClaimedChanges } from "#src/domain/claim.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { listAuditHeads } from "./audit.sql.ts";
import type { AddedEvent, AuditDeps } from "./audited-transaction.ts";
import { beginKeyedChains } from "./begin-keyed-chains.ts";
import { beginSignedRows } from "./begin-signed-rows.ts";
import { makeClaimedChanges } from "./claimed-changes.ts";
import { type DenialLog, makeDenialLog } from "./denials.ts";
import { type FailoverGate, makeFailoverGate } from "./failover-gate.ts";
import { type FailoverRecorderDeps, recordFailover } from "./record-failover.ts";
import type { LostChange } from "./recorded-failover.sql.ts";
import { readRetiredKeys } from "./retired-keys.ts";
import { readServerIdentity, type ServerIdentity } from "./server-identity.sql.ts";
import { deriveAuditKey } from "./sign.ts";
import { type ChainWatch, makeChainWatch } from "./watch-chains.ts";
import { openWitness, type Witness } from "./witness.ts";

/** A failover in the audit logs of all organizations. */
export interface FailoverLog {
  gate: FailoverGate;
  /**
   * Records a change of the database server in each chain, once for all nodes. Returns the number of lost events that this
   * node knows, by organization. Rejects while the database is unavailable.
   */
  record(failover: NewFailover): Promise<ReadonlyMap<string, bigint>>;
}

export interface NewFailover {
  /** Current incarnation of the database. */
  incarnation: bigint;
  /** Changes that this node remembers and the database lacks. */
  listLost: (organizationId: string) => readonly LostChange[];
}

/** Parts of the audit log that changes and readers need. */
export interface AuditLog extends AuditDeps {
  witness: Witness;
  chains: ChainWatch;
  denials: DenialLog;
  claims: ClaimedChanges;
  failovers: FailoverLog;
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
  /** Database for the events about failovers, while changes wait for them with connections of `database`. Default: `database`. */
  failoverDatabase?: Database;
  /** Value of the current incarnation of the database. Default: 0. */
  incarnation?: () => bigint;
  /** Reads the identity of the database server. Default: from PostgreSQL. */
  readServer?: () => Promise<ServerIdentity | null>;
  /** Called after each change that this process commits. */
  onChange?: () => void;
  logger: Logger;
}

/** Opens the log for this node. The caller must stop `witness` at the end. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { database, nowMs, randomBytes, secret, folder, index = 1, logger } = options;
  const key = deriveAuditKey(secret);
  const retiredKeys = await readRetiredKeys(database, key);
  const witness = await openWitness({ folder, index, auditKey: key, retiredKeys, nowMs, logger });
  const gate = makeFailoverGate();
  const deps = {
    database,
    nowMs,
    randomBytes,
    auditKey: key,
    sealingKey: deriveSealingKey(secret),
    rows: makeRowSigner({
      secret,
      onRefused: (table, id) =>
        logger.error(
          { table, id },
          "a row without a valid MAC is refused: see `bursar audit verify`",
        ),
    }),
    onAudited: (added: AddedEvent) => {
      witness.recordEvent(added);
      options.onChange?.();
    },
    beforeAppend: gate.pass,
    logger,
  };
  const chains = makeChainWatch({ ...deps, witness });
  const failoverDatabase = options.failoverDatabase ?? database;
  const record = makeRecordFailovers({
    ...{ deps: { ...deps, database: failoverDatabase, witness }, witness, chains },
    readServer: options.readServer ?? (() => readServerIdentity(failoverDatabase)),
  });
  // The database can have failed over while this node was stopped.
  await record({ incarnation: options.incarnation?.() ?? 0n, listLost: () => [] });
  await beginKeyedChains({ ...deps, findAnchor: witness.findAnchor });
  await beginSignedRows({ ...deps, witness });
  return {
    ...deps,
    witness,
    chains,
    failovers: { gate, record },
    denials: makeDenialLog(deps),
    claims: makeClaimedChanges(deps),
  };
}

function makeRecordFailovers(of: {
  deps: FailoverRecorderDeps;
  witness: Witness;
  chains: ChainWatch;
  readServer: () => Promise<ServerIdentity | null>;
}): FailoverLog["record"] {
  const { deps, witness, chains } = of;
  return async ({ incarnation, listLost }) => {
    const lost = new Map<string, bigint>();
    const server = await of.readServer();
    witness.observeServer(server);
    if (server === null) return lost;
    for (const { organizationId } of await listAuditHeads(deps.database)) {
      if (chains.getReport(organizationId).firstBroken !== null) {
        deps.logger.error(
          { organizationId },
          "a broken audit log is not continued after a failover",
        );
        continue;
      }
      const lostChanges = listLost(organizationId);
      const found = { organizationId, server, incarnation, lostChanges };
      const recorded = await recordFailover(deps, found);
      if (recorded !== null) lost.set(organizationId, recorded.lostEvents);
    }
    return lost;
  };
}
