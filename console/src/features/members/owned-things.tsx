import type { OwnedKind, OwnedThing } from "@bursar/contract/admin/owned-things.ts";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Member } from "../../kit/members/queries.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { lateDialog } from "../../late-dialog.tsx";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { useLeftBehind, useOwnedThings } from "./queries.ts";

const HandOverDialog = lateDialog(() => import("./hand-over-dialog.tsx"), "HandOverDialog");

/** Things that name the member as responsible. Hidden without any. */
export function OwnedThings({ member, mayHandOver }: { member: Member; mayHandOver: boolean }) {
  const owned = useOwnedThings(member.id, useMay()("members:write"));
  const [isHandingOver, setIsHandingOver] = useState(false);
  if (owned.error) return <FormError error={owned.error} />;
  const things = owned.data?.data ?? [];
  if (things.length === 0) return null;
  const hasLeft = member.status !== "active";
  return (
    <Section
      title={hasLeft ? "Left behind" : "Responsible for"}
      lead={
        hasLeft
          ? `${member.name} is still named here. Hand these things over to another member.`
          : "Hand these things over before the member leaves, or afterwards."
      }
      actions={mayHandOver && <Button onClick={() => setIsHandingOver(true)}>Hand over…</Button>}
    >
      <Table
        label={hasLeft ? "Left behind" : "Responsible for"}
        columns={columns}
        rows={things}
        rowKey={({ kind, id }) => `${kind} ${id}`}
      />
      {isHandingOver && (
        <HandOverDialog member={member} things={things} onClose={() => setIsHandingOver(false)} />
      )}
    </Section>
  );
}

/** Members who left and are still responsible for things. Hidden without any. */
export function LeftBehind() {
  const left = useLeftBehind(useMay()("members:write"));
  const members = left.data?.data ?? [];
  if (members.length === 0) return null;
  return (
    <Section
      title="Left behind"
      lead="These members left, and are still named as reviewer, recipient or contact. Open a member to hand over."
    >
      <ul className="divide-y divide-line border-y border-line text-sm">
        {members.map(({ member_id, name, status, things }) => (
          <li key={member_id} className="flex flex-wrap items-baseline gap-x-4 gap-y-1 py-2.5">
            <Link
              to="/members/$memberId"
              params={{ memberId: member_id }}
              className="min-w-0 truncate font-medium hover:underline"
            >
              {name}
            </Link>
            <span className="text-quiet">{status}</span>
            <span className="ml-auto text-quiet">{formatPlural(things, "thing")}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const dutyWords: Record<OwnedThing["duty"], string> = {
  reviewer: "Reviewer",
  next_reviewer: "Reviewer of the next review",
  recipient: "Gets its e-mail",
  contact: "Contact",
};

const kindWords: Record<OwnedKind, string> = {
  access_review: "Access review",
  alert_channel: "Alert channel",
  api_key: "API key",
  admin_key: "Admin key",
};

const columns: Column<OwnedThing>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ name }) => name,
    cell: (thing) => (
      <span className="grid">
        <ThingLink thing={thing} />
        <span className="text-xs text-quiet">{kindWords[thing.kind]}</span>
      </span>
    ),
  },
  { id: "duty", header: "Duty", cell: ({ duty }) => dutyWords[duty] },
  {
    id: "workspace",
    header: "Workspace",
    from: "sm",
    isBelow: true,
    cell: ({ workspace_id }) => workspace_id !== null && <WorkspaceLink id={workspace_id} />,
  },
];

const linkStyle = "truncate rounded-sm font-medium hover:underline focus-visible:-outline-offset-2";

function ThingLink({ thing: { kind, id, name } }: { thing: OwnedThing }) {
  switch (kind) {
    case "access_review":
      return (
        <Link to="/access-reviews/$reviewId" params={{ reviewId: id }} className={linkStyle}>
          {name}
        </Link>
      );
    case "alert_channel":
      return (
        <Link to="/alerts/channels" className={linkStyle}>
          {name}
        </Link>
      );
    case "api_key":
      return (
        <Link to="/api-keys/$keyId" params={{ keyId: id }} className={linkStyle}>
          {name}
        </Link>
      );
    case "admin_key":
      return (
        <Link to="/admin-keys" className={linkStyle}>
          {name}
        </Link>
      );
  }
}
