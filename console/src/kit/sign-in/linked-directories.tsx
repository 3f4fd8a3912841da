import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { useApi, useChange } from "../../queries.ts";
import { forgetSession, useSession } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { ConfirmChange } from "../confirm-change.tsx";

type LinkedDirectory = Answer<"listLinkedDirectories">["data"][number];

const stale = ["listLinkedDirectories", "listMemberDirectories", "listGroups"] as const;

/** Directories that open the account of this member. */
export function OwnDirectories() {
  const links = useApi("listLinkedDirectories", {});
  const { directory } = useSession();
  const [chosen, setChosen] = useState<LinkedDirectory | null>(null);
  const endsSession = chosen !== null && chosen.directory_id === directory?.id;
  // Without a session, no query succeeds.
  const unlink = useChange("unlinkDirectory", endsSession ? [] : stale);
  if (links.error) return <FormError error={links.error} />;
  if (!links.data) return <SkeletonRows rows={1} />;
  return (
    <>
      <Links links={links.data.data} currentId={directory?.id ?? null} onUnlink={setChosen} isOwn />
      {chosen && (
        <ConfirmChange
          change={unlink}
          input={{ params: { linked_directory_id: chosen.directory_id } }}
          action="Unlink directory"
          toast={`${chosen.name} unlinked`}
          onClose={() => setChosen(null)}
          onSaved={() => {
            if (endsSession) void forgetSession();
          }}
        >
          <p>
            {chosen.name} no longer opens your account.{" "}
            {endsSession
              ? "You are signed out, and sign in another way."
              : "Your sessions that it started end."}
          </p>
        </ConfirmChange>
      )}
    </>
  );
}

interface MemberDirectoriesProps {
  memberId: string;
  name: string;
  mayUnlink: boolean;
}

/** Directories that open the account of a member. */
export function MemberDirectories({ memberId, name, mayUnlink }: MemberDirectoriesProps) {
  const links = useApi("listMemberDirectories", { params: { member_id: memberId } });
  const unlink = useChange("unlinkMemberDirectory", stale);
  const [chosen, setChosen] = useState<LinkedDirectory | null>(null);
  if (links.error) return <FormError error={links.error} />;
  if (!links.data) return <SkeletonRows rows={1} />;
  return (
    <>
      <Links links={links.data.data} currentId={null} onUnlink={mayUnlink ? setChosen : null} />
      {chosen && (
        <ConfirmChange
          change={unlink}
          input={{ params: { member_id: memberId, linked_directory_id: chosen.directory_id } }}
          action="Unlink directory"
          toast={`${chosen.name} unlinked`}
          onClose={() => setChosen(null)}
        >
          <p>
            Sessions of <strong className="font-semibold text-ink">{name}</strong> that{" "}
            {chosen.name} started end now. Groups from its claims stay, as groups by hand. At the
            next sign-in the person confirms a new link.
          </p>
        </ConfirmChange>
      )}
    </>
  );
}

interface LinksProps {
  links: readonly LinkedDirectory[];
  /** Directory of this session. */
  currentId: string | null;
  onUnlink: ((link: LinkedDirectory) => void) | null;
  isOwn?: boolean;
}

function Links({ links, currentId, onUnlink, isOwn = false }: LinksProps) {
  if (links.length === 0) return <p className="text-quiet">No linked directory.</p>;
  return (
    <ul className="divide-y divide-line border-y border-line text-sm">
      {links.map((link) => (
        <li key={link.directory_id} className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
          <span className="flex-1 basis-44">
            <span className="font-medium">{link.name}</span>{" "}
            {link.directory_id === currentId && <Badge tone="good">this session</Badge>}{" "}
            {!link.is_enabled && <Badge tone="warn">sign-in disabled</Badge>}
            <span className="block text-quiet">
              last used <RelativeTime at={link.last_used_at} />
              {link.is_managing && ", decides about role or groups"}
              {link.is_managing && isOwn && ". An administrator can unlink it"}
            </span>
          </span>
          {onUnlink && !(isOwn && link.is_managing) && (
            <Button onClick={() => onUnlink(link)}>Unlink…</Button>
          )}
        </li>
      ))}
    </ul>
  );
}
