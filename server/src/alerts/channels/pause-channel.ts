import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail } from "#src/mail/queue-mail.ts";
import { pauseChannel as pauseRow } from "./pause-channel.sql.ts";
import { findAddresses } from "./receivers.sql.ts";

/**
 * Pauses a channel that fails, and notifies the Owners and Admins by mail. Its messages wait until a member resumes it. Has
 * no effect on a channel that is paused, off or deleted.
 */
export async function pauseChannel(
  deps: AuditDeps & { publicUrl: () => string },
  { organizationId, id, reason }: { organizationId: string; id: string; reason: string },
): Promise<void> {
  const now = new Date(deps.nowMs());
  const maker = {
    organizationId,
    actor: { type: "system", id: "alert_channels" },
    origin: makeSystemOrigin(deps, now),
  };
  await auditedTransactionByActor(deps, maker, async (tx) => {
    const paused = await pauseRow(tx, { organizationId, id, reason, now });
    if (paused === null) return { result: undefined, audit: "unchanged" };
    const title = `The alert channel "${paused.name}" is paused`;
    const body = layoutMessage({
      title,
      paragraphs: [
        "Its alert messages wait until the channel is resumed. Messages that wait for three days fail.",
        `Reason: ${reason}`,
      ],
      action: { label: "Open alert channels", url: `${deps.publicUrl()}/alerts/channels` },
      notes: ["Fix the target, send a test from that page, then resume the channel."],
    });
    const addresses = await findAddresses(tx, {
      organizationId,
      roles: ["owner", "admin"],
      addresses: [],
    });
    for (const to of addresses) {
      const mail = { organizationId, to, kind: "notice", subject: title, aboutId: id } as const;
      await queueMail(tx, deps, { ...body, ...mail });
    }
    return {
      result: undefined,
      audit: {
        event: "alert_channel.paused",
        subject: { type: "alert_channel", id },
        workspaceId: null,
        before: { name: paused.name, kind: paused.kind, state: "working" },
        after: { name: paused.name, kind: paused.kind, state: "paused", pause_reason: reason },
      },
    };
  });
}
