import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import type { NewFiring } from "./new-firing.rule.ts";

export interface InsertedFiring {
  id: string;
  isMuted: boolean;
  firedAt: Date;
}

/**
 * Inserts firings that are not recorded yet, and returns them. An alert that is off, deleted or of another organization fires
 * nothing. The rows must be in key order: concurrent transactions with the same rows then wait, and do not deadlock.
 */
export async function insertFirings(
  tx: Tx,
  firings: readonly (NewFiring & { id: string })[],
): Promise<InsertedFiring[]> {
  const { rows } = await sql<InsertedFiring>`
    INSERT INTO alert_firing (id, organization_id, alert_id, kind, scope_type, scope_id, workspace_id, episode,
      threshold, facts, is_muted, fired_at)
    SELECT f.id, alert.organization_id, alert.id, alert.kind, f.scope_type, f.scope_id, f.workspace_id, f.episode,
      f.threshold, f.facts, coalesce(alert.muted_until > now(), false), date_trunc('milliseconds', now())
    FROM unnest(${firings.map(({ id }) => id)}::text[],
      ${firings.map(({ organizationId }) => organizationId)}::uuid[],
      ${firings.map(({ alertId }) => alertId)}::text[], ${firings.map(({ scopeType }) => scopeType)}::text[],
      ${firings.map(({ scopeId }) => scopeId)}::text[], ${firings.map(({ workspaceId }) => workspaceId)}::text[],
      ${firings.map(({ episode }) => episode)}::text[], ${firings.map(({ threshold }) => threshold)}::text[],
      ${firings.map(({ facts }) => JSON.stringify(facts))}::jsonb[]) WITH ORDINALITY
      AS f (id, organization_id, alert_id, scope_type, scope_id, workspace_id, episode, threshold, facts, place)
    JOIN alert ON alert.id = f.alert_id AND alert.organization_id = f.organization_id
      AND alert.deleted_at IS NULL AND alert.is_enabled
    ORDER BY f.place
    ON CONFLICT DO NOTHING
    RETURNING id, is_muted AS "isMuted", fired_at AS "firedAt"`.execute(tx);
  return rows;
}

/** Saves for each covered firing the id of the firing that covers it. */
export async function saveCoveredFirings(
  tx: Tx,
  covered: ReadonlyMap<string, string>,
): Promise<void> {
  if (covered.size === 0) return;
  await sql`UPDATE alert_firing AS firing SET covered_by_id = covered.by_id
    FROM unnest(${[...covered.keys()]}::text[], ${[...covered.values()]}::text[]) AS covered (id, by_id)
    WHERE firing.id = covered.id`.execute(tx);
}

/** Saves that the messages of the first firing also cover the others. */
export async function saveDigestMembers(
  tx: Tx,
  { firstId, otherIds }: { firstId: string; otherIds: readonly string[] },
): Promise<void> {
  if (otherIds.length === 0) return;
  await sql`UPDATE alert_firing SET told_with_id = ${firstId} WHERE id = ANY(${[...otherIds]}::text[])`.execute(
    tx,
  );
}
