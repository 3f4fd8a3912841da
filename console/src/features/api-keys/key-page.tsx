import { includesRank } from "@bursar/contract/permissions.ts";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { stateOf, stopReason } from "../../kit/api-keys/key-state.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { ApiKeySecretDialog } from "../../kit/api-keys/secret-dialog.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useSetterNames } from "../../kit/members/setter-names.ts";
import { describeSettingRanks } from "../../kit/rank-words.ts";
import { KeyRates } from "../../kit/rate-limits/key-rates.tsx";
import { effectWords } from "../../kit/rate-limits/words.ts";
import { RecentRequests } from "../../kit/requests/recent-requests.tsx";
import { RefusedLine } from "../../kit/requests/refused-line.tsx";
import { KeyLimits } from "../../kit/spend-limits/key-limits.tsx";
import { listTags } from "../../kit/tags/tag-lines.ts";
import { UsageReport } from "../../kit/usage/report.tsx";
import { SimulatedPart } from "../../kit/usage/simulated.tsx";
import { useSimulatedMonth } from "../../kit/usage/simulated-month.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { useMay, useSession } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Button } from "../../ui/button.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { toNanoUsd } from "../../ui/format.ts";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { DisableKeyDialog, RevokeKeyDialog, RotateKeyDialog } from "./dialogs.tsx";
import { EditKeyDialog } from "./edit-key.tsx";
import { KeyBadges } from "./key-columns.tsx";
import { listDisablingRanks, listSettingRanks, setterOf } from "./key-ranks.ts";
import { KeyRestrictions } from "./key-restrictions.tsx";
import { KeyUsers } from "./key-users.tsx";
import { type OwnerLink, OwnerLinkDialog } from "./owner-link-dialog.tsx";
import { useApiKey, useCutOffApiKey, useUpdateApiKey } from "./queries.ts";
import { useKeyRank } from "./use-key-rank.ts";
import { permissionWords, strongest } from "./words.ts";

/** One key with its secrets, permissions, usage and actions. */
export function ApiKeyPage() {
  const { keyId = "" }: { keyId?: string } = useParams({ strict: false });
  const key = useApiKey(keyId);
  if (key.error) return <LoadError error={key.error} onRetry={() => void key.refetch()} />;
  if (!key.data) return <SkeletonRows />;
  return <LoadedKey apiKey={key.data} />;
}

type OpenDialog = "edit" | "rotate" | "disable" | "revoke";

function LoadedKey({ apiKey }: { apiKey: ApiKey }) {
  const [open, setOpen] = useState<OpenDialog | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const [link, setLink] = useState<OwnerLink | null>(null);
  const may = useMay();
  const isChangeable = useIsChangeable(apiKey);
  const rank = useKeyRank(apiKey.workspace_id);
  const close = () => setOpen(null);
  return (
    <Page
      title={apiKey.name}
      guide="api-keys"
      above={<BackLink to="/api-keys">API keys</BackLink>}
      lead={
        <span className="grid gap-1.5">
          <KeyBadges apiKey={apiKey} />
          {stopReason(apiKey)}
          {stateOf(apiKey) === "active" && apiKey.purpose === "calls" && (
            <Link
              to="/connect/$client"
              params={{ client: "python" }}
              search={{ key: apiKey.id }}
              className="link w-fit text-sm"
            >
              Connect a client
            </Link>
          )}
        </span>
      }
      actions={<KeyActions apiKey={apiKey} onOpen={setOpen} />}
    >
      <div className="grid gap-10">
        <Secrets apiKey={apiKey} />
        <KeyFacts apiKey={apiKey} />
        <KeyRestrictions apiKey={apiKey} rank={isChangeable ? rank : null} />
        {may("spend_limits:read", apiKey.workspace_id) && (
          <Section
            title="Spend limits"
            lead="Each request must be within the limits of the key, its workspace and the company."
          >
            <KeyLimits apiKeyId={apiKey.id} />
          </Section>
        )}
        {may("rate_limits:read", apiKey.workspace_id) && (
          <Section title="Rate limits" lead={effectWords}>
            <KeyRates apiKeyId={apiKey.id} />
          </Section>
        )}
        <Section title="Usage">
          <UsageReport workspaceId={apiKey.workspace_id} apiKeyId={apiKey.id} />
        </Section>
        <RecentRequests apiKeyId={apiKey.id} note={<RefusedLine apiKeyId={apiKey.id} />} />
      </div>
      {open === "edit" && <EditKeyDialog apiKey={apiKey} onClose={close} />}
      {open === "rotate" && (
        <RotateKeyDialog
          apiKey={apiKey}
          onClose={close}
          onRotated={(made) => {
            close();
            setSecret(made);
          }}
          onHandedOver={(handedOver) => {
            close();
            setLink(handedOver);
          }}
        />
      )}
      {open === "disable" && <DisableKeyDialog apiKey={apiKey} onClose={close} />}
      {open === "revoke" && <RevokeKeyDialog apiKey={apiKey} onClose={close} />}
      <ApiKeySecretDialog secret={secret} onDone={() => setSecret(null)} />
      <OwnerLinkDialog link={link} onDone={() => setLink(null)} />
    </Page>
  );
}

interface ActionsProps {
  apiKey: ApiKey;
  onOpen: (what: OpenDialog) => void;
}

/** True if the member may change the key, within the rank. */
function useIsChangeable(apiKey: ApiKey): boolean {
  const may = useMay();
  const { member } = useSession();
  const isOwn = apiKey.owner.type === "member" && apiKey.owner.id === member.id;
  return may("api_keys:write", apiKey.workspace_id) || isOwn;
}

function KeyActions({ apiKey, onOpen }: ActionsProps) {
  const state = stateOf(apiKey);
  if (!useIsChangeable(apiKey) || state === "revoked") return null;
  return (
    <>
      {state !== "expired" && (
        <>
          <Button onClick={() => onOpen("edit")}>Edit key…</Button>
          {apiKey.purpose === "calls" && (
            <Button onClick={() => onOpen("rotate")}>Rotate key…</Button>
          )}
        </>
      )}
      {apiKey.status === "active" && (
        <Button onClick={() => onOpen("disable")}>Disable key…</Button>
      )}
      {apiKey.status === "inactive" && <EnableButton apiKey={apiKey} />}
      <Button onClick={() => onOpen("revoke")}>Revoke key…</Button>
    </>
  );
}

/** Removes the disabling of each rank. Disabled if a rank above the member's has disabled the key. */
function EnableButton({ apiKey }: { apiKey: ApiKey }) {
  const update = useUpdateApiKey();
  const own = useKeyRank(apiKey.workspace_id);
  const disabling = listDisablingRanks(apiKey);
  const above = disabling.find((rank) => !includesRank(own, rank));
  const params = { api_key_id: apiKey.id };
  const enable = async () => {
    if (disabling.length === 0) await update.mutateAsync({ params, body: { status: "active" } });
    for (const rank of disabling) {
      await update.mutateAsync({ params, body: { status: "active", rank } });
    }
    showToast(`Key “${apiKey.name}” enabled`);
  };
  return (
    <Button
      kind="primary"
      isBusy={update.isPending}
      disabled={above !== undefined}
      title={above && `Only ${setterOf(above)} can enable this key.`}
      // The change reports its own error.
      onClick={() => void enable().catch(() => undefined)}
    >
      Enable key
    </Button>
  );
}

/** Valid secrets: one, or two in the grace period of a rotation. */
function Secrets({ apiKey }: { apiKey: ApiKey }) {
  const cutOff = useCutOffApiKey();
  const may = useMay();
  if (apiKey.secrets.length === 0) return null;
  return (
    <Section title={apiKey.secrets.length > 1 ? "Secrets during rotation" : "Secret"}>
      <ul className="divide-y divide-line border-y border-line text-sm">
        {apiKey.secrets.map((secret) => (
          <li
            key={secret.partial_key_hint + secret.created_at}
            className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3"
          >
            <code className="text-ink">{secret.partial_key_hint}</code>
            <span className="text-quiet">
              {secret.valid_until === null ? (
                <>
                  Current, created <RelativeTime at={secret.created_at} />
                </>
              ) : (
                <span className="text-warn">
                  Old, expires <RelativeTime at={secret.valid_until} />
                </span>
              )}
            </span>
            <span className="text-quiet">
              Last used <RelativeTime at={secret.last_used?.at} absent="never" />
            </span>
            {secret.valid_until !== null && may("api_keys:write", apiKey.workspace_id) && (
              <span className="ml-auto">
                <Button
                  isBusy={cutOff.isPending}
                  onClick={() =>
                    cutOff.mutate(
                      { params: { api_key_id: apiKey.id } },
                      { onSuccess: () => showToast("Old secret revoked") },
                    )
                  }
                >
                  Revoke old secret
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function KeyFacts({ apiKey }: { apiKey: ApiKey }) {
  const permission = permissionWords[strongest(apiKey.permissions)];
  const nameOf = useSetterNames();
  const { contact_member_id: contactId } = apiKey;
  const contact = nameOf(contactId === null ? null : { type: "user", id: contactId });
  return (
    <Facts
      items={[
        ["Permissions", `${permission.label}: ${permission.can}`],
        ["Workspace", <WorkspaceLink key="workspace" id={apiKey.workspace_id} />],
        [
          "Owner",
          apiKey.owner.type === "member"
            ? `${apiKey.owner.name} (${apiKey.owner.email})`
            : "The workspace",
        ],
        ...(contact === null ? [] : [["Contact", contact] as const]),
        ["Models", <Restricted key="models" apiKey={apiKey} field="allowed_models" />],
        ["Addresses", <Restricted key="addresses" apiKey={apiKey} field="allowed_addresses" />],
        ["Browser pages", apiKey.allowed_origins?.join(", ") ?? "None"],
        ["Tags", listTags(apiKey.tags).join(", ") || "None"],
        ...(apiKey.user_directory_id === null
          ? []
          : [["Users", <KeyUsers key="users" apiKey={apiKey} />] as const]),
        ["Spent this month, UTC", <SpentMonth key="spent" apiKey={apiKey} />],
        [
          "Last used",
          <span key="used">
            <RelativeTime at={apiKey.last_used?.at} />
            {apiKey.last_used?.address && ` from ${apiKey.last_used.address}`}
            {apiKey.last_used?.model && ` with ${apiKey.last_used.model}`}
          </span>,
        ],
        ["Expires", <Restricted key="expires" apiKey={apiKey} field="expires_at" />],
        ["Created", <RelativeTime key="created" at={apiKey.created_at} />],
        [
          "Id",
          <span key="id" className="inline-flex items-center gap-1">
            <code>{apiKey.id}</code>
            <CopyIconButton text={apiKey.id} what="id" />
          </span>,
        ],
      ]}
    />
  );
}

interface RestrictedProps {
  apiKey: ApiKey;
  field: Parameters<typeof listSettingRanks>[1];
}

/** A value in force, and the ranks that set it. */
function Restricted({ apiKey, field }: RestrictedProps) {
  const setters = describeSettingRanks(listSettingRanks(apiKey, field));
  return (
    <span className="flex flex-wrap gap-x-3">
      {field === "expires_at" ? (
        <RelativeTime at={apiKey.expires_at} />
      ) : (
        <span className="min-w-0 break-words">{formatList(apiKey[field])}</span>
      )}
      {setters && <span className="text-quiet">{setters}</span>}
    </span>
  );
}

/** Entries in force. Null: no restriction. An empty list: the ranks have nothing in common. */
function formatList(entries: readonly string[] | null): string {
  if (entries === null) return "All";
  return entries.length === 0 ? "None" : entries.join(", ");
}

function SpentMonth({ apiKey: { id, spent_month_usd: usd } }: { apiKey: ApiKey }) {
  const simulated = useSimulatedMonth("api_key", { api_key_id: [id] });
  return (
    <>
      <Money usd={usd} />{" "}
      <SimulatedPart partNano={simulated.get(id) ?? 0n} sumNano={toNanoUsd(usd)} />
    </>
  );
}
