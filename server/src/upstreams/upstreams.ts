import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { MAX_UPSTREAMS, upstream } from "@bursar/contract/admin/upstreams.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { UpstreamSettings } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import type { AllowedTargets } from "#src/lib/target-address.ts";
import { countUnrecordedBatches } from "./batches-at-upstream.sql.ts";
import { checkProviderCredential, readProviderSettings } from "./provider-upstreams.ts";
import { defaultBaseUrl } from "./providers/make-provider-client.ts";
import { REPORT_TTL_MS } from "./report-health.ts";
import { type ListedUpstreamRow, toWire } from "./to-wire.ts";
import type { UpstreamChoice } from "./upstream.ts";
import {
  listNodeHealth,
  listOrganizationHealth,
  type NodeHealthRow,
} from "./upstream-health.sql.ts";
import { sealCredential, sealExtraHeaders, sealProxy } from "./upstream-secrets.ts";
import { checkTarget } from "./upstream-target.ts";
import { parseUpstreamUrl } from "./upstream-url.rule.ts";
import {
  deleteUpstream as deleteRow,
  findUpstream,
  findUpstreamForUpdate,
  insertUpstream,
  listUpstreams as listRows,
  listWorkspacesUsing,
  lockUpstreams,
  raiseOrderVersion,
  type UpstreamRow,
  updateUpstream as updateRow,
} from "./upstreams.sql.ts";

export interface UpstreamDeps extends AuditDeps {
  /** Derived from `BURSAR_SECRET`: see lib/seal.ts. */
  sealingKey: Buffer;
  /** Private addresses that an upstream may have: `BURSAR_ALLOW_PRIVATE_UPSTREAMS`. */
  privateUpstreams: AllowedTargets;
  /** The upstreams of this process. */
  upstreams: Pick<UpstreamChoice, "find">;
  /** Upstreams of cloud platforms may use the credentials of this machine: `BURSAR_ALLOW_MACHINE_CREDENTIALS`. */
  isMachineAllowed: boolean;
}

/** Lists the upstreams, newest first. They are one page, because their number is bounded. */
export async function listUpstreams(
  deps: UpstreamDeps,
  { caller: { organizationId } }: Call,
  { page, hasHealth }: { page: PageRequest; hasHealth: boolean },
): Promise<PageOfRows<ListedUpstreamRow>> {
  const rows = await listRows(deps.database, organizationId);
  const since = new Date(deps.nowMs() - REPORT_TTL_MS);
  const reports = hasHealth
    ? await listOrganizationHealth(deps.database, { organizationId, since })
    : null;
  const byUpstream = reports && Map.groupBy(reports, ({ upstream_id }) => upstream_id);
  const listed = rows.map((row) => ({
    ...row,
    health: byUpstream && (byUpstream.get(row.id) ?? []),
  }));
  return toPage(listed, page);
}

export async function getUpstream(
  deps: UpstreamDeps,
  { caller }: Call,
  id: string,
): Promise<UpstreamRow> {
  const row = await findUpstream(deps.database, { organizationId: caller.organizationId, id });
  if (row === null) throw upstreamNotFound();
  return row;
}

/** Lists the newest reports of nodes about an upstream. Throws a 404. */
export async function listUpstreamHealth(
  deps: UpstreamDeps,
  call: Call,
  id: string,
): Promise<NodeHealthRow[]> {
  await getUpstream(deps, call, id);
  const { organizationId } = call.caller;
  const since = new Date(deps.nowMs() - REPORT_TTL_MS);
  return listNodeHealth(deps.database, { organizationId, upstreamId: id, since });
}

export interface NewUpstream {
  name: string;
  base_url?: string | undefined;
  provider_settings?: ProviderSettings | undefined;
  credential?: string | undefined;
  extra_headers?: Readonly<Record<string, string>> | undefined;
  proxy_url?: string | null | undefined;
  upstream_workspace_id?: string | null | undefined;
}

/** Throws a 400 for a URL that is private or not safe for a credential, and a 409 for too many upstreams. */
export async function createUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  input: NewUpstream,
): Promise<UpstreamRow> {
  const now = new Date(deps.nowMs());
  const id = newId(idPrefixes.upstream, now.getTime(), deps.randomBytes);
  const { provider_settings: settings = null, credential = null } = input;
  const base_url = parseUrl(deps, findBaseUrl(input));
  const made = {
    id,
    name: input.name,
    provider: settings?.provider ?? ("anthropic" as const),
    settings: settings ?? {},
    base_url,
    ...sealFor(deps, { id, base_url, settings: settings ?? {} }, credential),
    ...sealExtraHeaders(deps, { id, base_url }, input.extra_headers ?? null),
    ...sealProxy(deps, id, input.proxy_url ?? null),
    upstream_workspace_id: input.upstream_workspace_id ?? null,
    created_at: now,
    updated_at: now,
  };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const others = await lockUpstreams(tx, caller.organizationId);
    if (others.length >= MAX_UPSTREAMS) {
      throw new ApiError(
        "too_many_upstreams",
        `An organization has at most ${MAX_UPSTREAMS} upstreams. Delete one first.`,
      );
    }
    const places = others.map(({ default_position }) => default_position ?? -1);
    const row = { ...made, default_position: Math.max(-1, ...places) + 1 };
    await insertUpstream(tx, caller.organizationId, row);
    await raiseOrderVersion(tx, { organizationId: caller.organizationId, workspaceId: null });
    return { result: row, audit: auditOf("upstream.created", null, row) };
  });
}

export interface UpstreamChange {
  name?: string | undefined;
  base_url?: string | undefined;
  provider_settings?: ProviderSettings | undefined;
  credential?: string | null | undefined;
  extra_headers?: Readonly<Record<string, string>> | null | undefined;
  proxy_url?: string | null | undefined;
  upstream_workspace_id?: string | null | undefined;
}

/**
 * Updates an upstream. Omitted fields stay. A new URL without new secrets deletes the credential and the extra headers, so
 * that another server does not get them.
 */
export function updateUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  id: string,
  change: UpstreamChange,
): Promise<UpstreamRow> {
  const newUrl = change.base_url === undefined ? undefined : parseUrl(deps, change.base_url);
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findUpstreamForUpdate(tx, { organizationId, id });
    if (before === null) throw upstreamNotFound();
    const changed = changeRow(deps, before, { ...change, base_url: newUrl });
    if (isSame(before, changed)) return { result: before, audit: "unchanged" };
    const after = { ...changed, updated_at: new Date(deps.nowMs()) };
    await updateRow(tx, organizationId, after);
    return { result: after, audit: auditOf("upstream.updated", before, after, change) };
  });
}

function changeRow(deps: UpstreamDeps, before: UpstreamRow, change: UpstreamChange): UpstreamRow {
  const { id } = before;
  const settings = change.provider_settings ?? before.settings;
  const base_url = change.base_url ?? findChangedUrl(before, change);
  const isMoved = base_url !== before.base_url || hasOtherKind(before.settings, settings);
  const credential = isMoved ? (change.credential ?? null) : change.credential;
  const headers = isMoved ? (change.extra_headers ?? null) : change.extra_headers;
  const { upstream_workspace_id } = change;
  return {
    ...before,
    name: change.name ?? before.name,
    settings,
    base_url,
    ...(credential !== undefined && sealFor(deps, { id, base_url, settings }, credential)),
    ...(headers !== undefined && sealExtraHeaders(deps, { id, base_url }, headers)),
    ...(change.proxy_url !== undefined && sealProxy(deps, id, change.proxy_url)),
    ...(upstream_workspace_id !== undefined && { upstream_workspace_id }),
  };
}

/** Throws a 404, and a 409 for an upstream in the order of a workspace, or with batches whose cost is not recorded. */
export function deleteUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockUpstreams(tx, organizationId);
    const before = await findUpstreamForUpdate(tx, { organizationId, id });
    if (before === null) throw upstreamNotFound();
    const workspaces = await listWorkspacesUsing(tx, id);
    const batches = await countUnrecordedBatches(tx, { organizationId, upstreamId: id });
    if (workspaces.length > 0 || batches > 0) throw makeInUseError(workspaces, batches);
    await deleteRow(tx, { organizationId, id });
    if (before.default_position !== null) {
      await raiseOrderVersion(tx, { organizationId, workspaceId: null });
    }
    return { result: undefined, audit: auditOf("upstream.deleted", before, null) };
  });
}

/** Most workspaces in the details of an error. */
const MAX_NAMED_WORKSPACES = 100;

function makeInUseError(
  workspaces: readonly { id: string; name: string }[],
  batches: number,
): ApiError {
  return new ApiError(
    "upstream_in_use",
    workspaces.length > 0 ? explainOrders(workspaces) : explainBatches(batches),
    {},
    {
      workspace_ids: workspaces.slice(0, MAX_NAMED_WORKSPACES).map(({ id }) => id),
      workspace_count: workspaces.length,
      message_batch_count: batches,
    },
  );
}

function explainOrders(workspaces: readonly { name: string }[]): string {
  const [{ name = "" } = {}] = workspaces;
  return workspaces.length === 1
    ? `The upstream is in the order of the workspace ${name}. Change its order first.`
    : `The upstream is in the orders of ${workspaces.length} workspaces, such as ${name}. Change their orders first.`;
}

function explainBatches(count: number): string {
  return count === 1
    ? "The cost of a message batch at this upstream is not recorded yet. Cancel it, or wait until it has ended. Abandon it if its results cannot be read."
    : `The cost of ${count} message batches at this upstream is not recorded yet. Cancel them, or wait until they have ended. Abandon those whose results cannot be read.`;
}

/** Throws a 400 without an address. Platforms have a public one. */
function findBaseUrl({ base_url, provider_settings: settings }: NewUpstream): string {
  if (base_url !== undefined) return base_url;
  if (settings === undefined) throw refuseField("base_url", "Field required");
  return defaultBaseUrl(settings);
}

/**
 * Returns the address after a change of settings: a public address follows the settings. Throws a 400 for settings of another
 * platform, and for a kind of credential that the present one does not have.
 */
function findChangedUrl(before: UpstreamRow, change: UpstreamChange): string {
  const { provider_settings: settings } = change;
  if (settings === undefined) return before.base_url;
  const present = readProviderSettings(before.settings);
  if (settings.provider !== before.provider) {
    throw refuseField("provider_settings.provider", `the upstream is of ${before.provider}.`);
  }
  const isPublic = present !== null && before.base_url === defaultBaseUrl(present);
  return isPublic ? defaultBaseUrl(settings) : before.base_url;
}

/** True if the settings need another kind of credential than before. */
function hasOtherKind(before: UpstreamSettings, after: UpstreamSettings): boolean {
  return before["authentication"] !== after["authentication"];
}

/** Seals a credential. Throws a 400 for one that does not fit the settings. */
function sealFor(
  deps: UpstreamDeps,
  row: Pick<UpstreamRow, "id" | "base_url" | "settings">,
  credential: string | null,
): Pick<UpstreamRow, "credential_sealed" | "credential_hint"> {
  const settings = readProviderSettings(row.settings);
  const sealed = sealCredential(deps, row, credential);
  if (settings === null) {
    if (credential !== null && /\s/.test(credential)) {
      throw refuseField("credential", "expected a key without spaces or line breaks.");
    }
    return sealed;
  }
  const { isMachineAllowed } = deps;
  const credential_hint = checkProviderCredential(settings, credential, isMachineAllowed);
  return { ...sealed, credential_hint };
}

function parseUrl({ privateUpstreams }: UpstreamDeps, text: string): string {
  return checkTarget(parseUpstreamUrl(text), privateUpstreams);
}

export function upstreamNotFound(): ApiError {
  return new ApiError("resource_not_found", "Upstream not found", {}, { resource: "upstream" });
}

const auditedFields = upstream.omit({ id: true, type: true, created_at: true, updated_at: true });

function toAudited(row: UpstreamRow) {
  const fields = auditedFields.parse(toWire(row));
  // Optional settings that are left out are no fields of the event.
  const provider_settings = JSON.parse(JSON.stringify(fields.provider_settings)) as JsonValue;
  return { ...fields, provider_settings };
}

function auditOf(
  event: `upstream.${string}`,
  before: UpstreamRow | null,
  after: UpstreamRow | null,
  change: UpstreamChange = {},
): AuditEntry {
  return {
    event,
    subject: { type: "upstream", id: (after ?? before)?.id ?? "" },
    workspaceId: null,
    before: before && toAudited(before),
    after: after && {
      ...toAudited(after),
      credential_replaced: typeof change.credential === "string",
      extra_headers_replaced: (change.extra_headers ?? null) !== null,
    },
  };
}
