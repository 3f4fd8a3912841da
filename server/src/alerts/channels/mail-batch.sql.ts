import type { OrganizationRole } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/** Mail message of one evaluation. */
export interface MailDelivery {
  id: string;
  firingId: string;
  /** Null: the recipient is the owner of the key. */
  channelId: string | null;
  recipients: { roles: OrganizationRole[]; addresses: string[] } | null;
  /** Address of the key's owner. Null: the key has no owner, or the owner is not an active member. */
  ownerAddress: string | null;
}

/**
 * Lists the message and the other queued or sent mail messages of its evaluation, by id. Their rows stay locked, so two
 * of them never write to one person at the same time.
 */
export async function lockMailBatch(tx: Tx, deliveryId: string): Promise<MailDelivery[]> {
  const { rows } = await sql<MailDelivery>`
    SELECT delivery.id, delivery.alert_firing_id AS "firingId", delivery.alert_channel_id AS "channelId",
      channel.recipients, member.email AS "ownerAddress"
    FROM alert_delivery AS delivery
      JOIN alert_firing AS firing ON firing.id = delivery.alert_firing_id
      LEFT JOIN alert_channel AS channel ON channel.id = delivery.alert_channel_id
      LEFT JOIN api_key ON firing.scope_type = 'api_key' AND api_key.id = firing.scope_id
      LEFT JOIN member ON member.id = api_key.owner_member_id AND member.status = 'active'
    WHERE delivery.id = ${deliveryId} OR (
      delivery.batch_id = (SELECT batch_id FROM alert_delivery WHERE id = ${deliveryId})
      AND delivery.status IN ('queued', 'sent') AND (channel.id IS NULL OR (channel.kind = 'email'
        AND channel.is_enabled AND channel.archived_at IS NULL AND channel.paused_at IS NULL)))
    ORDER BY delivery.id FOR UPDATE OF delivery`.execute(tx);
  return rows;
}

/** Lists the addresses that have mail about one of these messages. */
export async function listMailedAddresses(
  tx: Tx,
  deliveryIds: readonly string[],
): Promise<string[]> {
  if (deliveryIds.length === 0) return [];
  const { rows } = await sql<{ to_address: string }>`
    SELECT DISTINCT to_address FROM mail WHERE about_id = ANY(${[...deliveryIds]}::text[])`.execute(
    tx,
  );
  return rows.map(({ to_address }) => to_address);
}
