import { idPrefixes } from "@bursar/contract/ids.ts";
import { addJob, removeJob } from "#src/db/job-queue.ts";
import type { Tx } from "#src/db/pool.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { type MessageBody, oneLine } from "./layout.ts";
import { insertMail, withdrawMail as withdrawRows } from "./mail.sql.ts";

export interface MailDeps {
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** Seals the body: it holds links that let their reader in. */
  sealingKey: Buffer;
}

export interface OutgoingMail extends MessageBody {
  organizationId: string;
  to: string;
  kind: "invite" | "password_reset" | "notice";
  subject: string;
  /** Id of what the message is about; `withdrawMail` takes it back with that. */
  aboutId?: string;
  /** Its link gives the rights of an owner: nobody else may read it in the list of messages. */
  isForOwner?: boolean;
}

export const SEND_MAIL = "send_mail";
/** About a day: 2.7 s after the first failure, 6 h after the tenth. */
const MAX_ATTEMPTS = 12;

/**
 * Puts the message into the caller's transaction: it is sent once that commits, and never if it does not. Where no mail
 * server is configured it waits, and administrators can read it. Gives its id.
 */
export async function queueMail(tx: Tx, deps: MailDeps, mail: OutgoingMail): Promise<string> {
  const id = newId(idPrefixes.mail, deps.nowMs(), deps.randomBytes);
  const body: MessageBody = { text: mail.text, html: mail.html };
  await insertMail(tx, {
    id,
    organizationId: mail.organizationId,
    kind: mail.kind,
    to: mail.to,
    subject: oneLine(mail.subject),
    bodySealed: seal(deps.sealingKey, JSON.stringify(body), contextOf(id)),
    aboutId: mail.aboutId ?? null,
    isForOwner: mail.isForOwner ?? false,
  });
  await addSendJob(tx, id);
  return id;
}

/** Takes back what has not been sent about the thing, since its link is dead from this transaction on. */
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

/** Throws where the secret of the installation is another one. */
export function openBody(sealingKey: Buffer, mailId: string, sealed: Uint8Array): MessageBody {
  return JSON.parse(unseal(sealingKey, sealed, contextOf(mailId))) as MessageBody;
}

export function keyOf(mailId: string): string {
  return `mail:${mailId}`;
}

function contextOf(mailId: string): string {
  return `mail ${mailId}`;
}
