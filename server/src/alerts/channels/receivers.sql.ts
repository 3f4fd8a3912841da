import type { AlertChannelKind } from "@bursar/contract/admin/alert-channels.ts";
import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface AlertReceivers {
  alertId: string;
  channels: { id: string; kind: AlertChannelKind }[];
  notifiesOwner: boolean;
  /** Minutes in which mail and Slack collect firings into one message. */
  collectMinutes: number;
}

/** Finds the channels of alerts, and whether each alert notifies the owner of a key. */
export async function findReceivers(
  tx: Tx,
  alertIds: readonly string[],
): Promise<AlertReceivers[]> {
  const { rows } = await sql<AlertReceivers>`
    SELECT alert.id AS "alertId", alert.notifies_owner AS "notifiesOwner",
      alert.collect_minutes AS "collectMinutes",
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', channel.id, 'kind', channel.kind) ORDER BY channel.id)
        FROM alert_to_channel AS given
        JOIN alert_channel AS channel ON channel.id = given.alert_channel_id AND channel.archived_at IS NULL
        WHERE given.alert_id = alert.id), '[]') AS channels
    FROM alert WHERE alert.id = ANY(${[...alertIds]}::text[])`.execute(tx);
  return rows;
}

/** Finds the owners of keys, by key id. Keys without an owner are omitted. */
export async function findKeyOwners(
  tx: Tx,
  apiKeyIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; owner: string }>`
    SELECT id, owner_member_id AS owner FROM api_key
    WHERE id = ANY(${[...apiKeyIds]}::text[]) AND owner_member_id IS NOT NULL`.execute(tx);
  return new Map(rows.map(({ id, owner }) => [id, owner]));
}

/** Returns the given addresses and those of active members with the roles, sorted, each once. */
export async function findAddresses(
  db: Database | Tx,
  of: {
    organizationId: string;
    roles: readonly OrganizationRole[];
    addresses: readonly string[];
  },
): Promise<string[]> {
  const { rows } = await sql<{ email: string }>`
    SELECT email FROM member WHERE organization_id = ${of.organizationId} AND status = 'active'
      AND role = ANY(${[...of.roles]}::text[])`.execute(db);
  return [...new Set([...rows.map(({ email }) => email), ...of.addresses])].sort();
}
