import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import type { AuditHead } from "#src/audit/hash-event.ts";
import { type AuditLog, openAuditLog } from "#src/audit/open-audit-log.ts";
import type { ServerIdentity } from "#src/audit/server-identity.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";

export interface TestAuditLog {
  audit: AuditLog;
  /** Data folder of a node. */
  folder: string;
  /** Removes the folder, unless the test passed its own. */
  close(): Promise<void>;
}

/** Opens the audit log of one node, without background work. Two logs on one database are two nodes. */
export async function openTestAuditLog(options: {
  database: Database;
  nowMs: () => number;
  logs?: string[];
  folder?: string;
  /** Index of the process within the data folder. */
  index?: number;
  /** Secret of the installation. Default: the same for all tests. */
  secret?: string;
  /** Identity of the database server. Default: PostgreSQL's own. */
  readServer?: () => Promise<ServerIdentity | null>;
}): Promise<TestAuditLog> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "bursar-test-")));
  const audit = await openAuditLog({
    database: options.database,
    nowMs: options.nowMs,
    randomBytes: systemRandomBytes,
    secret: options.secret ?? "a secret that only this test knows",
    folder,
    ...(options.index !== undefined && { index: options.index }),
    ...(options.readServer !== undefined && { readServer: options.readServer }),
    logger: makeLogger("info", { write: (line) => options.logs?.push(line) }),
  });
  return {
    audit,
    folder,
    close: async () => {
      await audit.witness.stop();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Removes the events after `head`, as a standby that lacks them, or an attacker. */
export function cutAuditLog(
  database: Database,
  organizationId: string,
  head: AuditHead,
): Promise<void> {
  return asDatabaseOwner(database, async (tx) => {
    await sql`DELETE FROM audit_event WHERE organization_id = ${organizationId} AND seq > ${head.seq}`.execute(
      tx,
    );
    await sql`UPDATE audit_head SET seq = ${head.seq}, hash = ${head.hash}, mac = ${head.mac}
      WHERE organization_id = ${organizationId}`.execute(tx);
  });
}

const TABLES = ["audit_event", "audit_head", "audit_checkpoint"];

/** Runs `work` without triggers, as an owner of the database can. */
export async function asDatabaseOwner(
  database: Database,
  work: (tx: Tx) => Promise<unknown>,
): Promise<void> {
  await database.transaction().execute(async (tx) => {
    for (const table of TABLES) {
      await sql`ALTER TABLE ${sql.table(table)} DISABLE TRIGGER USER`.execute(tx);
    }
    await work(tx);
    for (const table of TABLES) {
      await sql`ALTER TABLE ${sql.table(table)} ENABLE TRIGGER USER`.execute(tx);
    }
  });
}
