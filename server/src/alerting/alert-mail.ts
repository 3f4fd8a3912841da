import type { Tx } from "#src/db/pool.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { type MailDeps, queueMail } from "#src/mail/queue-mail.ts";
import type { AlertMessage } from "./alert-message.ts";
import {
  type ChannelToSend,
  type DeliveryToSend,
  findAddresses,
  findOwnerAddress,
} from "./deliveries.sql.ts";
import { findToldFiring } from "./firing-message.sql.ts";

interface MailOf {
  delivery: Pick<DeliveryToSend, "id" | "organization_id" | "alert_firing_id">;
  /** Null: to the person whose key it is. */
  channel: Pick<ChannelToSend, "recipients"> | null;
  message: AlertMessage;
}

/** One mail to each receiver, in the caller's transaction. Gives how many. */
export async function queueAlertMail(
  tx: Tx,
  deps: MailDeps,
  { delivery, channel, message }: MailOf,
): Promise<number> {
  const receivers = await findReceiversOf(tx, delivery, channel);
  const body = layoutMessage({
    title: message.title,
    paragraphs: [
      message.next,
      ...message.facts.map(({ label, value }) => `${label}: ${value}`),
      ...(message.list?.items ?? []),
    ],
    action: { label: "Open in Bursar", url: message.url },
    notes: [`${message.name} · ${message.source}`],
  });
  for (const to of receivers) {
    await queueMail(tx, deps, {
      ...body,
      organizationId: delivery.organization_id,
      to,
      kind: "notice",
      subject: message.title,
      aboutId: delivery.id,
    });
  }
  return receivers.length;
}

async function findReceiversOf(
  tx: Tx,
  { organization_id: organizationId, alert_firing_id: firingId }: MailOf["delivery"],
  channel: MailOf["channel"],
): Promise<string[]> {
  if (channel !== null) {
    const { roles, addresses } = channel.recipients ?? { roles: [], addresses: [] };
    return findAddresses(tx, { organizationId, roles, addresses });
  }
  const firing = firingId === null ? null : await findToldFiring(tx, firingId);
  if (firing === null || firing.scope_type !== "api_key") return [];
  const address = await findOwnerAddress(tx, { organizationId, apiKeyId: firing.scope_id });
  return address === null ? [] : [address];
}
