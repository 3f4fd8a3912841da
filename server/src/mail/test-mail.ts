import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { assert } from "#src/lib/assert.ts";
import { layoutMessage } from "./layout.ts";
import { findMail, type MailRow } from "./list-mail.sql.ts";
import { queueMail } from "./queue-mail.ts";

export interface TestMailDeps extends AuditDeps {
  sealingKey: Buffer;
}

/** Queues a test message. Without a mail server it waits like other messages. */
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
        paragraphs: ["This is a test message. The configured mail server has accepted it."],
        notes: ["An administrator of Bursar sent this message. No action is needed."],
      }),
      organizationId,
      to,
      kind: "notice",
      subject: "Test message of Bursar",
    });
    const row = await findMail(tx, { organizationId, id });
    assert(row !== null, "a queued message exists");
    const { body_sealed: _, ...shown } = row;
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
