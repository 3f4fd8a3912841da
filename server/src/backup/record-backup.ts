import { basename } from "node:path";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { listAuditHeads } from "#src/audit/audit.sql.ts";
import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { newId } from "#src/lib/ids.ts";
import { countRequests } from "./backup-format.ts";
import { insertBackup } from "./backups.sql.ts";
import type { WrittenBackup } from "./write-backup.ts";

/** Records a complete backup for the system page, and in each organization's audit log, because its data left. */
export async function recordBackup(
  deps: AuditDeps,
  backup: WrittenBackup,
  actor: { type: string; id: string },
): Promise<void> {
  const madeAt = new Date(backup.header.made_at);
  const requests = countRequests(backup.rows);
  const { isEncrypted, sizeBytes, sha256 } = backup;
  const noted = {
    madeAt,
    fileName: basename(backup.file),
    sizeBytes,
    sha256,
    requests,
    isEncrypted,
  };
  const heads = await listAuditHeads(deps.database);
  for (const [index, { organizationId }] of heads.entries()) {
    const requestId = newId(idPrefixes.request, deps.nowMs(), deps.randomBytes);
    const origin = { requestId, ipAddress: null, userAgent: null };
    await auditedTransactionByActor(deps, { organizationId, actor, origin }, async (tx) => {
      if (index === 0) await insertBackup(tx, { ...noted, actor });
      return {
        result: undefined,
        audit: {
          event: "backup.made",
          subject: { type: "backup", id: sha256.toString("hex").slice(0, 16) },
          workspaceId: null,
          before: null,
          after: {
            made_at: backup.header.made_at,
            size_bytes: sizeBytes,
            is_encrypted: isEncrypted,
            sha256: sha256.toString("hex"),
          },
        },
      };
    });
  }
}
