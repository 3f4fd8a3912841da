import { fireFailover } from "#src/alerts/firing/fire-failovers.ts";
import { createDefaultAlerts } from "#src/alerts/rules/default-alerts.ts";
import { startAuditMaintenance } from "#src/audit/audit-maintenance.ts";
import { type AuditLog, openAuditLog } from "#src/audit/open-audit-log.ts";
import type { Storage } from "#src/db/storage.ts";
import {
  type FailoverFollower,
  followFailovers,
  type SettledFailover,
} from "#src/failover/follow-failovers.ts";
import { RecentChanges } from "#src/failover/recent-changes.ts";
import { systemClock } from "#src/lib/clock.ts";
import { systemRandomBytes } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import { ensureOrganization } from "#src/organizations/organizations.ts";

interface StartAuditOptions {
  storage: Storage;
  /** Secret of the installation: BURSAR_SECRET. */
  secret: string;
  /** Number of the process in the folder. */
  index: number;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  /** Called after each change that this process commits. */
  onChange: () => void;
  /** Address of this server for people, for links in messages. */
  publicUrl: () => string;
  logger: Logger;
}

const ORGANIZATION_NAME = "My organization";

export interface StartedAudit {
  audit: AuditLog;
  organizationId: string;
  recent: RecentChanges;
  failovers: FailoverFollower;
}

/** Opens the audit log, creates the first organization, and follows failovers of the database. */
export async function startAudit(
  { storage, ...options }: StartAuditOptions,
  parts: AsyncDisposableStack,
): Promise<StartedAudit> {
  const { logger } = options;
  const audit = await openAuditLog({
    ...options,
    database: storage.adminDatabase,
    failoverDatabase: storage.database,
    incarnation: () => storage.incarnations.current?.value ?? 0n,
    randomBytes: systemRandomBytes,
    folder: storage.folder,
  });
  parts.defer(() => audit.witness.stop());
  const { id: organizationId } = await ensureOrganization(audit, ORGANIZATION_NAME);
  await createDefaultAlerts(audit);
  const maintenance = startAuditMaintenance({ ...audit, logger });
  parts.defer(() => maintenance.stop());
  const recent = new RecentChanges({ database: storage.database, clock: systemClock, logger });
  const failovers = followFailovers({
    ...{ audit, recent, logger, incarnations: storage.incarnations },
    onSettled: (failover) => fireFailovers({ ...audit, publicUrl: options.publicUrl }, failover),
  });
  parts.defer(() => failovers.stop());
  await recent.read();
  return { audit, organizationId, recent, failovers };
}

async function fireFailovers(
  deps: Parameters<typeof fireFailover>[0],
  { incarnation, organizations }: SettledFailover,
): Promise<void> {
  for (const { organizationId, lostEvents, changes, restored } of organizations) {
    await fireFailover(deps, {
      organizationId,
      incarnationId: incarnation.id,
      lostEvents: Number(lostEvents),
      lostChanges: changes.map(({ event, subjectId }) => `${event} ${subjectId}`),
      restoredRestrictions: restored,
    });
  }
}
