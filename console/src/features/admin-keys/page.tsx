import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useBaseUrl } from "../../kit/code-samples/use-base-url.ts";
import { toExports } from "../../kit/code-samples/variables.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useSetterNames } from "../../kit/members/setter-names.ts";
import { useMay } from "../../session.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SecretDialog } from "../../ui/secret-dialog.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { describeRevokedKey } from "./admin-key-effects.ts";
import { CreateAdminKeyDialog } from "./components.tsx";
import { type AdminKey, useAdminKeys, useRevokeAdminKey } from "./queries.ts";

const tones: Record<AdminKey["status"], Tone> = {
  active: "good",
  inactive: "warn",
  expired: "warn",
  revoked: "plain",
};

export function AdminKeysPage() {
  const keys = useAdminKeys();
  const may = useMay();
  const baseUrl = useBaseUrl();
  const [isCreating, setIsCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [revoked, setRevoked] = useState<AdminKey | null>(null);
  const mayChange = may("admin_keys:write");
  const columns = useMemo(() => makeColumns(mayChange ? setRevoked : null), [mayChange]);
  if (keys.error) return <LoadError error={keys.error} onRetry={() => void keys.refetch()} />;
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create admin key…
    </Button>
  );
  return (
    <Page
      title="Admin keys"
      guide="permissions"
      lead="Secrets for programs that manage workspaces, keys, limits and reports. Admin keys cannot call Claude."
      actions={create}
    >
      {keys.isPending ? (
        <SkeletonRows />
      ) : keys.data.items.length === 0 ? (
        <EmptyState
          title="No admin key yet"
          action={create}
          code={<CodeBlock text="./bursar admin-keys create --name automation" what="command" />}
        >
          An admin key calls the Admin API of Bursar and the official Admin API.
        </EmptyState>
      ) : (
        <Table
          label="Admin keys"
          columns={columns}
          rows={keys.data.items}
          rowKey={(key) => key.id}
          isDimmed={(key) => key.status !== "active"}
        />
      )}
      <CreateAdminKeyDialog
        isOpen={isCreating}
        onClose={() => setIsCreating(false)}
        onCreated={(key) => {
          setIsCreating(false);
          setSecret(key);
        }}
      />
      <SecretDialog
        title="Store the admin key"
        description="Without scopes, the key can change everything in the company except owners and the upstream."
        secret={secret}
        variables={secret === null ? undefined : toAdminVariables(baseUrl, secret)}
        onDone={() => setSecret(null)}
      >
        {secret !== null && <AdminKeySample baseUrl={baseUrl} secret={secret} />}
      </SecretDialog>
      {revoked && <RevokeDialog adminKey={revoked} onClose={() => setRevoked(null)} />}
    </Page>
  );
}

/** Environment variables of the command line. */
function toAdminVariables(baseUrl: string, secret: string): string {
  return toExports([
    ["BURSAR_URL", baseUrl],
    ["BURSAR_ADMIN_KEY", secret],
  ]);
}

function AdminKeySample({ baseUrl, secret }: { baseUrl: string; secret: string }) {
  const call = 'curl "$BURSAR_URL/v1/admin/workspaces" -H "x-api-key: $BURSAR_ADMIN_KEY"';
  return (
    <section className="grid gap-1.5 border-t border-line pt-5">
      <h3>Use the key</h3>
      <p className="text-sm text-quiet">In a terminal, to list the workspaces</p>
      <CodeBlock text={`${toAdminVariables(baseUrl, secret)}\n${call}`} />
    </section>
  );
}

function makeColumns(onRevoke: ((key: AdminKey) => void) | null): Column<AdminKey>[] {
  return [
    {
      id: "name",
      header: "Name",
      sortBy: (key) => key.name,
      cell: (key) => <span className="font-medium">{key.name}</span>,
    },
    {
      id: "hint",
      header: "Key",
      from: "xl",
      isBelow: true,
      cell: (key) => <code className="whitespace-nowrap text-quiet">{key.partial_key_hint}</code>,
    },
    {
      id: "status",
      header: "Status",
      sortBy: (key) => key.status,
      cell: (key) => <Badge tone={tones[key.status]}>{key.status}</Badge>,
    },
    {
      id: "created",
      header: "Created",
      from: "xl",
      sortBy: (key) => key.created_at,
      cell: (key) => <RelativeTime at={key.created_at} />,
    },
    { id: "contact", header: "Contact", from: "lg", cell: (key) => <ContactCell adminKey={key} /> },
    {
      id: "used",
      header: "Last used",
      from: "sm",
      sortBy: (key) => key.last_used?.at ?? "",
      cell: (key) => (
        <span className="grid grid-cols-[auto]">
          <RelativeTime at={key.last_used?.at} absent="Not recorded" />
          {key.last_used?.address && (
            <code className="text-xs text-quiet">{key.last_used.address}</code>
          )}
        </span>
      ),
    },
    {
      id: "expires",
      header: "Expires",
      from: "lg",
      sortBy: (key) => key.expires_at ?? "9999",
      cell: (key) => <RelativeTime at={key.expires_at} />,
    },
    {
      id: "restrictions",
      header: "Restrictions",
      from: "lg",
      cell: (key) => <RestrictionsCell adminKey={key} />,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (key) =>
        onRevoke && key.status !== "revoked" ? (
          <Button kind="quiet" onClick={() => onRevoke(key)} aria-label={`Revoke ${key.name}…`}>
            Revoke…
          </Button>
        ) : null,
    },
  ];
}

function ContactCell({ adminKey: { contact_member_id: id } }: { adminKey: AdminKey }) {
  const nameOf = useSetterNames();
  return <span className="text-quiet">{id === null ? "–" : nameOf({ type: "user", id })}</span>;
}

function RestrictionsCell({ adminKey: { scopes, allowed_addresses } }: { adminKey: AdminKey }) {
  if (scopes === null && allowed_addresses === null)
    return <span className="text-quiet">None</span>;
  return (
    <span className="grid text-sm">
      {scopes && <span>{scopes.join(", ")}</span>}
      {allowed_addresses && (
        <code className="text-xs text-quiet">{allowed_addresses.join(", ")}</code>
      )}
    </span>
  );
}

function RevokeDialog({ adminKey, onClose }: { adminKey: AdminKey; onClose: () => void }) {
  const revoke = useRevokeAdminKey();
  const [nowMs] = useState(() => Date.now());
  return (
    <ConfirmDelayedChange
      change={revoke}
      input={{ params: { admin_key_id: adminKey.id } }}
      action="Revoke admin key"
      urgentAction="Revoke now"
      subject={adminKey.id}
      name={`Admin key “${adminKey.name}”`}
      done="revoked"
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{adminKey.name}</strong> is revoked permanently.
        Programs that use it get a 401.
      </p>
      <Consequences sentences={describeRevokedKey(adminKey, nowMs)} />
    </ConfirmDelayedChange>
  );
}
