import { roleNames } from "@bursar/contract/permissions.ts";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatPlural } from "../../ui/format.ts";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { ClaimsForm } from "./claims-form.tsx";
import { DeletionConsequences } from "./directory-consequences.tsx";
import { DirectoryForm } from "./directory-form.tsx";
import {
  type Directory,
  type Group,
  type ScimToken,
  useDeleteDirectory,
  useDirectory,
  useGroups,
  useScimTokens,
} from "./queries.ts";
import { ScimSection } from "./scim-section.tsx";
import { TestDirectory } from "./test-directory.tsx";

/** One directory: sign-in, claims, SCIM and deletion. */
export function DirectoryPage() {
  const { directoryId = "" }: { directoryId?: string } = useParams({ strict: false });
  const directory = useDirectory(directoryId);
  // The sections have their final height at the first view.
  const tokens = useScimTokens(directoryId);
  const groups = useGroups(useMay()("groups:read"));
  const error = directory.error ?? tokens.error ?? groups.error;
  const retry = () => {
    for (const query of [directory, tokens, groups]) if (query.error) void query.refetch();
  };
  if (error) return <LoadError error={error} onRetry={retry} />;
  if (!directory.data || !tokens.data || groups.isLoading) return <SkeletonRows />;
  return (
    <LoadedDirectory
      directory={directory.data}
      tokens={tokens.data.items}
      groups={groups.data?.items.filter(({ directory_id }) => directory_id === directoryId) ?? []}
    />
  );
}

interface LoadedProps {
  directory: Directory;
  tokens: readonly ScimToken[];
  /** Groups that the directory provides. */
  groups: readonly Group[];
}

function LoadedDirectory({ directory, tokens, groups }: LoadedProps) {
  const mayChange = useMay()("directories:write");
  return (
    <Page
      title={directory.name}
      guide="directories"
      above={<BackLink to="/directories">Directories</BackLink>}
      lead={
        <Badge tone={directory.is_enabled ? "good" : "plain"}>
          {directory.is_enabled ? "sign-in enabled" : "sign-in disabled"}
        </Badge>
      }
    >
      <div className="grid gap-12">
        <SignIn directory={directory} mayChange={mayChange} />
        <Section
          title="Claims"
          lead="Claims of the provider can set roles and groups at each sign-in."
        >
          {mayChange ? <ClaimsForm directory={directory} /> : <ClaimFacts directory={directory} />}
        </Section>
        <ScimSection directory={directory} tokens={tokens} groups={groups} mayChange={mayChange} />
        {mayChange && (
          <Deletion
            directory={directory}
            groups={groups.length}
            tokens={tokens.filter(({ status }) => status === "active").length}
          />
        )}
      </div>
    </Page>
  );
}

function SignIn({ directory, mayChange }: { directory: Directory; mayChange: boolean }) {
  return (
    <Section title="Sign-in" lead="People sign in at the provider by OpenID Connect.">
      <div className="grid max-w-2xl gap-8">
        <Facts
          items={[
            ["Issuer", <code key="issuer">{directory.issuer}</code>],
            ["People", `${formatPlural(directory.people.linked, "member")} signed in through it`],
            ...(mayChange ? [] : listSettings(directory)),
            ["Changed", <RelativeTime key="changed" at={directory.updated_at} />],
          ]}
        />
        <Uri title="Redirect URI" what="redirect URI" text={directory.redirect_uri}>
          Register this address at the provider.
        </Uri>
        <Uri title="Logout URI" what="logout URI" text={directory.logout_uri}>
          A provider with back-channel logout ends sessions here when people sign out there.
        </Uri>
        {mayChange && (
          <>
            <TestDirectory directory={directory} />
            <DirectoryForm directory={directory} />
          </>
        )}
      </div>
    </Section>
  );
}

interface UriProps {
  title: string;
  what: string;
  text: string;
  children: ReactNode;
}

function Uri({ title, what, text, children }: UriProps) {
  return (
    <div className="grid gap-2">
      <h3 className="text-sm font-medium">{title}</h3>
      <p className="text-sm text-quiet">{children}</p>
      <CodeBlock text={text} what={what} />
    </div>
  );
}

const factorWords: Record<Directory["second_factor"], string> = {
  claims: "At the provider, if its token shows it",
  trusted: "At the provider, always",
  here: "In Bursar",
};

/** Settings for members who cannot change them. */
function listSettings(directory: Directory): (readonly [string, ReactNode])[] {
  return [
    [
      "Client ID",
      directory.client_id === null ? "Not set" : <code key="client">{directory.client_id}</code>,
    ],
    ["Allowed domains", directory.allowed_domains.join(", ") || "None"],
    ["Default role", roleNames[directory.default_role]],
    ["Second factor", factorWords[directory.second_factor]],
  ];
}

function ClaimFacts({ directory }: { directory: Directory }) {
  const groups = useGroups();
  const nameOf = (id: string) => groups.data?.items.find((group) => group.id === id)?.name ?? id;
  return (
    <Facts
      items={[
        ["Role claim", directory.role_claim ?? "None"],
        ...directory.role_mappings.map(({ value, role }) => [value, roleNames[role]] as const),
        ["Group claim", directory.group_claim ?? "None"],
        ...directory.group_mappings.map(
          ({ value, group_id }) =>
            [
              value,
              <Link
                key={group_id}
                to="/groups/$groupId"
                params={{ groupId: group_id }}
                className="link"
              >
                {nameOf(group_id)}
              </Link>,
            ] as const,
        ),
      ]}
    />
  );
}

interface DeletionProps {
  directory: Directory;
  /** Number of groups that it provides. */
  groups: number;
  /** Number of valid SCIM tokens. */
  tokens: number;
}

function Deletion({ directory, groups, tokens }: DeletionProps) {
  const [isDeleting, setIsDeleting] = useState(false);
  const remove = useDeleteDirectory();
  const navigate = useNavigate();
  return (
    <Section title="Delete directory" lead="Members stay. Their way to sign in ends.">
      <div>
        <Button onClick={() => setIsDeleting(true)}>Delete directory…</Button>
      </div>
      <ConfirmDelayedChange
        change={remove}
        input={{ params: { directory_id: directory.id } }}
        action="Delete directory"
        urgentAction="Delete now"
        subject={directory.id}
        name={`Directory “${directory.name}”`}
        done="deleted"
        isOpen={isDeleting}
        onClose={() => setIsDeleting(false)}
        onConfirmed={() => void navigate({ to: "/directories", ignoreBlocker: true })}
        typed={directory.name}
      >
        <p>This cannot be undone. Members stay, and need a password or a passkey to sign in.</p>
        {isDeleting && (
          <DeletionConsequences directory={directory} groups={groups} tokens={tokens} />
        )}
      </ConfirmDelayedChange>
    </Section>
  );
}
