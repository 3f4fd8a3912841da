import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { assert } from "#src/lib/assert.ts";
import { layoutMessage } from "./layout.ts";
import { findMail, type MailRow } from "./list-mail.sql.ts";
import { queueMail } from "./queue-mail.ts";

export interface TestMailDeps extends AuditDeps {
  sealingKey: Buffer;
}

/** Queues a message that only says that mail works. Without a mail server it waits, as all do. */
export function sendTestMail(
  deps: TestMailDeps,
  { caller, origin }: Call,
  to: string,
): Promise<MailRow> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const id = await queueMail(tx, deps, {
      ...layoutMessage({
        title: "Mail works",
        paragraphs: [
          "This is a test message: the mail server that Bursar is set up with has taken it.",
        ],
        notes: ["Somebody who administers Bursar sent it. Nothing has to be done."],
      }),
      organizationId,
      to,
      kind: "notice",
      subject: "Test message of Bursar",
    });
    const row = await findMail(tx, { organizationId, id });
    assert(row !== null, "a message is there once it is queued");
    const { body_sealed: _, is_owners_only: __, ...shown } = row;
    return {
      result: shown,
      audit: {
        event: "mail.test_queued",
        subject: { type: "mail", id },
        workspaceId: null,
        before: null,
        after: { to },
      },
    };
  });
}
