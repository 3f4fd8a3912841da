import { roleNames } from "@bursar/contract/permissions.ts";
import { Ellipsis } from "lucide-react";
import { useMemo, useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { describeRevokedInvite } from "./invite-effects.ts";
import { type Invite, useInvites, useResendInvite, useRevokeInvite } from "./queries.ts";

const tones: Record<Invite["status"], Tone> = {
  pending: "accent",
  accepted: "good",
  expired: "warn",
  revoked: "plain",
};

export function InvitesTab() {
  const invites = useInvites();
  const may = useMay();
  const [resent, setResent] = useState<Invite | null>(null);
  const [revoked, setRevoked] = useState<Invite | null>(null);
  const mayWrite = may("invites:write");
  const columns = useMemo(() => makeColumns(mayWrite, setResent, setRevoked), [mayWrite]);
  if (invites.error)
    return <LoadError error={invites.error} onRetry={() => void invites.refetch()} />;
  if (invites.isPending) return <SkeletonRows />;
  return (
    <div className="grid gap-4">
      {invites.data.items.length === 0 ? (
        <EmptyState title="No invites yet">
          An invite is a link for one person. The link expires after 21 days.
        </EmptyState>
      ) : (
        <Table
          label="Invites"
          columns={columns}
          rows={sortInvites(invites.data.items)}
          rowKey={(invite) => invite.id}
          isDimmed={(invite) => invite.status !== "pending"}
        />
      )}
      {resent && <ResendDialog invite={resent} onClose={() => setResent(null)} />}
      {revoked && <RevokeInviteDialog invite={revoked} onClose={() => setRevoked(null)} />}
    </div>
  );
}

/** Pending ones first, because they wait for someone. */
function sortInvites(invites: readonly Invite[]): Invite[] {
  return invites.toSorted(
    (a, b) => Number(b.status === "pending") - Number(a.status === "pending"),
  );
}

/** Resends an invite with a new link, which is shown once. */
function ResendDialog({ invite, onClose }: { invite: Invite; onClose: () => void }) {
  const resend = useResendInvite();
  const [link, setLink] = useState<string | null>(null);
  const send = async () => {
    const made = await resend.mutateAsync({ params: { invite_id: invite.id } });
    setLink(made.link);
    resend.reset();
  };
  return (
    <Dialog
      title="Resend invite"
      description={`${invite.email} gets a new link that expires after 21 days. The previous link stops working.`}
      isOpen
      onClose={onClose}
    >
      <FormError error={resend.error} />
      {link && (
        <p className="text-sm text-quiet">
          The link is queued for e-mail. Without a mail server, send this link yourself. The link is
          shown only once.
        </p>
      )}
      <DialogActions>
        {link === null ? (
          <>
            <CancelButton />
            <Button
              kind="primary"
              isBusy={resend.isPending}
              onClick={() => void send().catch(() => undefined)}
            >
              Resend invite
            </Button>
          </>
        ) : (
          <>
            <CopyButton text={link} what="link" kind="primary" autoFocus />
            <Button onClick={onClose}>Done</Button>
          </>
        )}
      </DialogActions>
    </Dialog>
  );
}

function RevokeInviteDialog({ invite, onClose }: { invite: Invite; onClose: () => void }) {
  const revoke = useRevokeInvite();
  return (
    <ConfirmDelayedChange
      change={revoke}
      input={{ params: { invite_id: invite.id } }}
      action="Revoke invite"
      urgentAction="Revoke now"
      subject={invite.id}
      name={`Invite of ${invite.email}`}
      done="revoked"
      onClose={onClose}
    >
      <p>
        The link of <strong className="font-semibold text-ink">{invite.email}</strong> stops
        working.
      </p>
      <Consequences sentences={describeRevokedInvite(invite)} />
    </ConfirmDelayedChange>
  );
}

function makeColumns(
  mayWrite: boolean,
  onResend: (invite: Invite) => void,
  onRevoke: (invite: Invite) => void,
): Column<Invite>[] {
  return [
    {
      id: "email",
      header: "Address",
      sortBy: (invite) => invite.email,
      cell: (invite) => <span className="font-medium wrap-anywhere">{invite.email}</span>,
    },
    {
      id: "role",
      header: "Role",
      from: "sm",
      isBelow: true,
      cell: (invite) => roleNames[invite.role],
    },
    {
      id: "status",
      header: "Status",
      from: "sm",
      isBelow: true,
      sortBy: (invite) => invite.status,
      cell: (invite) => <Badge tone={tones[invite.status]}>{invite.status}</Badge>,
    },
    {
      id: "sent",
      header: "Sent",
      from: "sm",
      isBelow: true,
      isTime: true,
      sortBy: (invite) => invite.invited_at,
      cell: (invite) => <RelativeTime at={invite.invited_at} />,
    },
    {
      id: "expires",
      header: "Expires",
      from: "lg",
      isBelow: true,
      isTime: true,
      cell: (invite) =>
        invite.status === "pending" ? <RelativeTime at={invite.expires_at} /> : null,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (invite) =>
        mayWrite && ["pending", "expired"].includes(invite.status) ? (
          <Menu
            trigger={
              <IconButton label={`Actions for the invite of ${invite.email}`}>
                <Ellipsis size={16} />
              </IconButton>
            }
          >
            <MenuItem onSelect={() => onResend(invite)}>Resend invite…</MenuItem>
            <MenuItem isDanger onSelect={() => onRevoke(invite)}>
              Revoke invite…
            </MenuItem>
          </Menu>
        ) : null,
    },
  ];
}
