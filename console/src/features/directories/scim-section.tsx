import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatPlural } from "../../ui/format.ts";
import { RowLink } from "../../ui/name-link.tsx";
import { Facts, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SecretDialog } from "../../ui/secret-dialog.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import {
  type Directory,
  type Group,
  type ScimToken,
  useCreateScimToken,
  useRevokeScimToken,
} from "./queries.ts";
import { RotateTokenDialog } from "./rotate-token-dialog.tsx";
import { describeRevokedToken } from "./scim-effects.ts";

interface ScimSectionProps {
  directory: Directory;
  tokens: readonly ScimToken[];
  groups: readonly Group[];
  mayChange: boolean;
}

/** People and groups that the directory provides, and the tokens with which it does. */
export function ScimSection({ directory, tokens, groups, mayChange }: ScimSectionProps) {
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <>
      <Section
        title="SCIM"
        lead="With a token, the provider creates and deactivates members, and fills groups."
      >
        <div className="grid max-w-2xl gap-2">
          <h3 className="text-sm font-medium">Base URL</h3>
          <p className="text-sm text-quiet">Enter this address and a token at the provider.</p>
          <CodeBlock text={directory.scim_uri} what="base URL" />
        </div>
        <div className="max-w-2xl">
          <Facts
            items={[
              ["Provided people", formatPlural(directory.people.provided, "member")],
              ["Provided groups", formatPlural(groups.length, "group")],
            ]}
          />
        </div>
      </Section>
      <Tokens
        directory={directory}
        tokens={tokens}
        groups={groups.length}
        mayChange={mayChange}
        onMade={setSecret}
      />
      {groups.length > 0 && (
        <Section
          title="Provided groups"
          lead="The provider changes their names and the members that it provides."
        >
          <Table
            label="Provided groups"
            columns={groupColumns}
            rows={groups}
            rowKey={({ id }) => id}
          />
        </Section>
      )}
      <SecretDialog
        title="Store the SCIM token"
        description="The provider sends it as Authorization: Bearer. The token has no other right."
        secret={secret}
        what="token"
        onDone={() => setSecret(null)}
      />
    </>
  );
}

interface TokensProps {
  directory: Directory;
  tokens: readonly ScimToken[];
  /** Number of groups that the directory provides. */
  groups: number;
  mayChange: boolean;
  /** Receives the secret, to show it once. Do not store it. */
  onMade: (secret: string) => void;
}

function Tokens({ directory, tokens, groups, mayChange, onMade }: TokensProps) {
  const create = useCreateScimToken();
  const [rotated, setRotated] = useState<ScimToken | null>(null);
  const [revoked, setRevoked] = useState<ScimToken | null>(null);
  const columns = useMemo(
    () => makeColumns(mayChange ? { onRotate: setRotated, onRevoke: setRevoked } : null),
    [mayChange],
  );
  const createToken = async () => {
    const { token } = await create.mutateAsync({ params: { directory_id: directory.id } });
    create.reset();
    onMade(token);
  };
  return (
    <Section
      title="SCIM tokens"
      actions={
        mayChange && (
          <Button
            isBusy={create.isPending}
            // The change reports its own error.
            onClick={() => void createToken().catch(() => undefined)}
          >
            <Plus size={16} /> Create token
          </Button>
        )
      }
    >
      {tokens.length === 0 ? (
        <p className="text-quiet">No token. The provider cannot connect yet.</p>
      ) : (
        <Table
          label="SCIM tokens"
          columns={columns}
          rows={tokens}
          rowKey={({ id }) => id}
          isDimmed={({ status }) => status !== "active"}
        />
      )}
      {rotated && (
        <RotateTokenDialog
          token={rotated}
          onClose={() => setRotated(null)}
          onRotated={(secret) => {
            setRotated(null);
            onMade(secret);
          }}
        />
      )}
      {revoked && (
        <RevokeDialog
          token={revoked}
          otherTokens={
            tokens.filter(({ id, status }) => id !== revoked.id && status === "active").length
          }
          provided={{ members: directory.people.provided, groups }}
          onClose={() => setRevoked(null)}
        />
      )}
    </Section>
  );
}

interface RevokeProps {
  token: ScimToken;
  /** Other valid tokens of the directory. */
  otherTokens: number;
  provided: { members: number; groups: number };
  onClose: () => void;
}

function RevokeDialog({ token, otherTokens, provided, onClose }: RevokeProps) {
  const [nowMs] = useState(() => Date.now());
  return (
    <ConfirmDelayedChange
      change={useRevokeScimToken()}
      input={{ params: { directory_id: token.directory_id, scim_token_id: token.id } }}
      action="Revoke SCIM token"
      urgentAction="Revoke now"
      subject={token.id}
      name="SCIM token"
      done="revoked"
      onClose={onClose}
    >
      <p>
        <code>{token.partial_token_hint}</code> is revoked permanently. The provider gets a 401.
      </p>
      <Consequences sentences={describeRevokedToken({ token, otherTokens, provided, nowMs })} />
    </ConfirmDelayedChange>
  );
}

const tones: Record<ScimToken["status"], Tone> = {
  active: "good",
  expired: "warn",
  revoked: "plain",
};

interface TokenActions {
  onRotate: (token: ScimToken) => void;
  onRevoke: (token: ScimToken) => void;
}

function makeColumns(actions: TokenActions | null): Column<ScimToken>[] {
  return [
    {
      id: "hint",
      header: "Token",
      cell: ({ partial_token_hint }) => (
        <code className="whitespace-nowrap">{partial_token_hint}</code>
      ),
    },
    {
      id: "status",
      header: "Status",
      cell: ({ status }) => <Badge tone={tones[status]}>{status}</Badge>,
    },
    {
      id: "used",
      header: "Last used",
      from: "sm",
      cell: ({ last_used_at }) => <RelativeTime at={last_used_at} />,
    },
    {
      id: "expires",
      header: "Expires",
      from: "sm",
      cell: ({ expires_at }) => <RelativeTime at={expires_at} absent="Never" />,
    },
    {
      id: "created",
      header: "Created",
      from: "lg",
      cell: ({ created_at }) => <RelativeTime at={created_at} />,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (token) =>
        actions !== null &&
        token.status === "active" && (
          <span className="inline-flex flex-wrap justify-end gap-1">
            {token.expires_at === null && (
              <Button
                kind="quiet"
                aria-label={`Rotate ${token.partial_token_hint}…`}
                onClick={() => actions.onRotate(token)}
              >
                Rotate…
              </Button>
            )}
            <Button
              kind="quiet"
              aria-label={`Revoke ${token.partial_token_hint}…`}
              onClick={() => actions.onRevoke(token)}
            >
              Revoke…
            </Button>
          </span>
        ),
    },
  ];
}

const groupColumns: Column<Group>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ name }) => name,
    cell: ({ id, name }) => (
      <RowLink to="/groups/$groupId" params={{ groupId: id }}>
        {name}
      </RowLink>
    ),
  },
  {
    id: "members",
    header: "Members",
    isNumeric: true,
    sortBy: ({ member_count }) => member_count,
    cell: ({ member_count }) => <span className="figures">{member_count}</span>,
  },
];
