import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail } from "#src/mail/queue-mail.ts";
import { pauseChannel as pauseRow } from "./pause-channel.sql.ts";
import { findAddresses } from "./receivers.sql.ts";

/**
 * Stops sending through a channel that does not work, until somebody resumes it, and writes to the Owners and Admins. What
 * is to be sent meanwhile waits. A channel that is paused, off or gone already stays as it is.
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
        "Messages about alerts do not get through it any more. They wait until somebody resumes the channel, for three days.",
        `What came back: ${reason}`,
      ],
      action: { label: "Open alert channels", url: `${deps.publicUrl()}/alerts/channels` },
      notes: ["Send a test there once it is mended, then resume it."],
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
