import type { AlertMessage } from "#src/alerts/firing/alert-message.ts";
import { makeMessage } from "#src/alerts/firing/firing-message.ts";
import type { Tx } from "#src/db/pool.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { type MailDeps, queueMail } from "#src/mail/queue-mail.ts";
import type { ChannelToSend, DeliveryToSend } from "./deliveries.sql.ts";
import { listMailedAddresses, type MailDelivery } from "./mail-batch.sql.ts";
import { listOtherFirings } from "./other-firings.sql.ts";
import { findAddresses } from "./receivers.sql.ts";

interface TestMail {
  delivery: Pick<DeliveryToSend, "id" | "organization_id">;
  channel: Pick<ChannelToSend, "recipients">;
  message: AlertMessage;
}

/** Queues a test mail to each receiver of the channel in the caller's transaction. Returns the number of mails. */
export async function queueTestMail(
  tx: Tx,
  deps: MailDeps,
  { delivery, channel, message }: TestMail,
): Promise<number> {
  const receivers = await findRecipients(tx, delivery.organization_id, channel.recipients);
  await queueMails(tx, deps, { delivery, message, receivers });
  return receivers.length;
}

export interface AlertMailDeps extends MailDeps {
  publicUrl: () => string;
}

interface BatchMail {
  delivery: DeliveryToSend;
  channel: ChannelToSend | null;
  /** Locked: the message, and the others of its evaluation. */
  batch: readonly MailDelivery[];
}

/**
 * Queues one mail to each receiver of the message in the caller's transaction. A person with several messages of one
 * evaluation gets one mail about all of them, when the first one is sent. Returns the number of receivers.
 */
export async function queueAlertMail(
  tx: Tx,
  deps: AlertMailDeps,
  { delivery, channel, batch }: BatchMail,
): Promise<number> {
  const receivers = await listReceivers(tx, delivery.organization_id, batch);
  const own = receivers.filter(({ deliveryIds }) => deliveryIds.has(delivery.id));
  const otherIds = batch.map(({ id }) => id).filter((id) => id !== delivery.id);
  const mailed = new Set(await listMailedAddresses(tx, otherIds));
  const left = own.filter(({ address }) => !mailed.has(address));
  const groups = Map.groupBy(left, ({ firings }) => JSON.stringify([...firings].sort()));
  for (const [first, ...others] of groups.values()) {
    if (first === undefined) continue;
    const messageDeps = { ...deps, database: tx };
    const firings = [...first.firings].map(([id, isToOwner]) => ({ id, isToOwner }));
    const message = await makeMessage(messageDeps, delivery, channel, firings);
    const addresses = [first, ...others].map(({ address }) => address);
    await queueMails(tx, deps, { delivery, message, receivers: addresses });
  }
  return own.length;
}

interface MailReceiver {
  address: string;
  deliveryIds: Set<string>;
  /** Firings of these deliveries. True: the person gets it only as the owner of a key. */
  firings: Map<string, boolean>;
}

async function listReceivers(
  tx: Tx,
  organizationId: string,
  batch: readonly MailDelivery[],
): Promise<MailReceiver[]> {
  const others = await listOtherFirings(
    tx,
    batch.map(({ id }) => id),
  );
  const receivers = new Map<string, MailReceiver>();
  for (const { id, firingId, channelId, recipients, ownerAddress } of batch) {
    const owners = ownerAddress === null ? [] : [ownerAddress];
    const addresses =
      channelId === null ? owners : await findRecipients(tx, organizationId, recipients);
    for (const address of addresses) {
      const receiver = receivers.get(address) ?? {
        address,
        deliveryIds: new Set(),
        firings: new Map(),
      };
      receiver.deliveryIds.add(id);
      for (const each of [firingId, ...(others.get(id) ?? [])]) {
        const isToOwner = channelId === null && receiver.firings.get(each) !== false;
        receiver.firings.set(each, isToOwner);
      }
      receivers.set(address, receiver);
    }
  }
  return [...receivers.values()];
}

function findRecipients(
  tx: Tx,
  organizationId: string,
  recipients: ChannelToSend["recipients"],
): Promise<string[]> {
  const { roles, addresses } = recipients ?? { roles: [], addresses: [] };
  return findAddresses(tx, { organizationId, roles, addresses });
}

async function queueMails(
  tx: Tx,
  deps: MailDeps,
  mail: { delivery: TestMail["delivery"]; message: AlertMessage; receivers: readonly string[] },
): Promise<void> {
  const { delivery, message } = mail;
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
  for (const to of mail.receivers) {
    await queueMail(tx, deps, {
      ...body,
      organizationId: delivery.organization_id,
      to,
      kind: "notice",
      subject: message.title,
      aboutId: delivery.id,
    });
  }
}
