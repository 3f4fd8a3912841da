import { roleNames } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { type MailDeps, queueMail, withdrawMail } from "#src/mail/queue-mail.ts";
import type { InviteGroupRow, InviteRow, InviteWorkspaceRow } from "./invites.sql.ts";

export interface InviteMailDeps extends MailDeps {
  /** Public address of this server, without a trailing slash. Read from the configuration, never from a request. */
  publicUrl: () => string;
}

/** Returns the link of an invite. Browsers do not send the fragment, so no log on the way contains the token. */
export function linkOf(deps: InviteMailDeps, token: string): string {
  return `${deps.publicUrl()}/invite#token=${token}`;
}

/** Queues the message with the link, and withdraws unsent older ones. */
export async function queueInviteMail(
  tx: Tx,
  deps: InviteMailDeps,
  what: {
    invite: InviteRow;
    link: string;
    organizationName: string;
    workspaces: readonly Pick<InviteWorkspaceRow, "workspace_name">[];
    groups: readonly Pick<InviteGroupRow, "name">[];
  },
): Promise<void> {
  const { invite, link, organizationName } = what;
  const names = what.workspaces.map(({ workspace_name: name }) => name);
  const groups = what.groups.map(({ name }) => name);
  const body = layoutMessage({
    title: `You are invited to ${organizationName}`,
    paragraphs: [
      `${organizationName} uses Bursar for its work with Claude, and you are invited to join as ${roleNames[invite.role]}.`,
      ...(names.length > 0
        ? [
            `You will be in ${names.length === 1 ? "the workspace" : "the workspaces"} ${names.join(", ")}.`,
          ]
        : []),
      ...(groups.length > 0
        ? [
            `You will join ${groups.length === 1 ? "the group" : "the groups"} ${groups.join(", ")}.`,
          ]
        : []),
    ],
    action: { label: "Accept the invite", url: link },
    notes: [
      `The link is for ${invite.email} alone, works once, and until ${toDay(invite.expires_at)}.`,
      "If you did not expect this message, ignore it. Nothing happens until the invite is accepted.",
    ],
  });
  await withdrawMail(tx, invite.id);
  await queueMail(tx, deps, {
    ...body,
    organizationId: invite.organization_id,
    to: invite.email,
    kind: "invite",
    subject: `You are invited to ${organizationName}`,
    aboutId: invite.id,
    isForOwner: invite.role === "owner",
  });
}

function toDay(date: Date): string {
  return `${date.toISOString().slice(0, 10)} (UTC)`;
}
