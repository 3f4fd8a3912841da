import { idPrefixes } from "@bursar/contract/ids.ts";
import { addJob, removeJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import { assert } from "#src/lib/assert.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { hasAccessLinks } from "./hide-links.rule.ts";
import { type MessageBody, toOneLine } from "./layout.ts";
import { insertMail, withdrawMail as withdrawRows } from "./mail.sql.ts";

export interface MailDeps {
  /** The database's clock, milliseconds since the epoch. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** Key that seals the body, whose links grant access. */
  sealingKey: Buffer;
}

export interface OutgoingMail extends MessageBody {
  organizationId: string;
  to: string;
  /** Links of a notice only open a page. See `hide-links.rule.ts`. */
  kind: "invite" | "password_reset" | "directory_link" | "notice";
  subject: string;
  /** Id of the message's subject, for `withdrawMail`. */
  aboutId?: string;
  /** True if the link grants owner rights. Version 0.1 hides the message from other roles. */
  isForOwner?: boolean;
}

export const SEND_MAIL = "send_mail";
/** Attempts within about a day: the delay is 2.7 s after the first failure and 6 h after the tenth. */
const MAX_ATTEMPTS = 12;

/**
 * Queues a message in the caller's transaction: it is sent after the commit, or never. Without a mail server it waits.
 * Returns its id.
 */
export async function queueMail(tx: Tx, deps: MailDeps, mail: OutgoingMail): Promise<string> {
  const id = newId(idPrefixes.mail, deps.nowMs(), deps.randomBytes);
  const body: MessageBody = { text: mail.text, html: mail.html };
  assert(
    hasAccessLinks(mail.kind) || !mail.text.includes("#token="),
    "no notice has a link that grants access",
  );
  await insertMail(tx, {
    id,
    organizationId: mail.organizationId,
    kind: mail.kind,
    to: mail.to,
    subject: toOneLine(mail.subject),
    bodySealed: seal(deps.sealingKey, JSON.stringify(body), mailSealContext(id)),
    aboutId: mail.aboutId ?? null,
    isForOwner: mail.isForOwner ?? false,
  });
  await addSendJob(tx, id);
  return id;
}

/** Withdraws unsent messages about an object, whose links are invalid from this transaction on. */
export async function withdrawMail(tx: Tx, aboutId: string): Promise<void> {
  for (const id of await withdrawRows(tx, aboutId)) await removeJob(tx, keyOf(id));
}

export function addSendJob(tx: Tx, mailId: string): Promise<void> {
  return addJob(tx, {
    task: SEND_MAIL,
    payload: { mail_id: mailId },
    key: keyOf(mailId),
    maxAttempts: MAX_ATTEMPTS,
  });
}

/** Decrypts a body. Throws if the installation's secret differs. */
export function openBody(sealingKey: Buffer, mailId: string, sealed: Uint8Array): MessageBody {
  return JSON.parse(unseal(sealingKey, sealed, mailSealContext(mailId))) as MessageBody;
}

export function keyOf(mailId: string): string {
  return `mail:${mailId}`;
}

export function mailSealContext(mailId: string): string {
  return `mail ${mailId}`;
}
