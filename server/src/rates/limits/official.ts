import type {
  officialRateLimit,
  officialWorkspaceRateLimit,
  updateOfficialWorkspaceRateLimit,
} from "@bursar/contract/admin/rate-limits.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { getVisibleWorkspace } from "#src/access/visible-workspace.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import {
  ALL_MODELS,
  type ModelGroup,
  modelGroupOf,
  modelGroups,
  OTHER_MODELS,
  TOKEN_COUNT,
} from "#src/domain/model-groups.ts";
import { fromCursor, nextCursor, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { changeInScope, changeLimit } from "#src/limits/change-limit.ts";
import { limitNotFound } from "#src/limits/visible-limits.ts";
import { type RateKind, rateKinds } from "#src/rates/buckets/bucket.ts";
import {
  findRateLimit,
  listScopeRateLimits,
  type RateLimit,
} from "#src/rates/buckets/limits.sql.ts";
import { rateLimitIdOf } from "#src/rates/buckets/rate-limit-id.ts";
import type { WantedRates } from "./combine-values.rule.ts";
import { rateLimits } from "./rate-limit-kind.ts";
import { checkPerMinute } from "./read-rate-limit.ts";

// The official shape: an entry for each model group, with the limits of the organization and those of a workspace.

type OrganizationEntry = z.input<typeof officialRateLimit>;
type WorkspaceEntry = z.input<typeof officialWorkspaceRateLimit>;
type WorkspaceValue = WorkspaceEntry["limits"][number];

/** Official names of the limits. Bursar's input tokens exclude cache reads. */
const officialTypes: Readonly<Record<RateKind, string>> = {
  requests: "requests_per_minute",
  input_tokens: "input_tokens_per_minute_cache_aware",
  output_tokens: "output_tokens_per_minute",
};

/** Groups of the official shape, which has no entry for all models. */
const officialGroups = modelGroups.filter(({ id }) => id !== ALL_MODELS);

export interface OfficialQuery {
  limit?: number | undefined;
  page?: string | undefined;
  group_type?: string | undefined;
}

export async function listOfficialRateLimits(
  deps: AuditDeps,
  { caller }: Call,
  query: OfficialQuery & { model?: string | undefined },
) {
  const { organizationId } = caller;
  const groups = findGroups(query);
  if (query.model !== undefined && groups.length === 0) throw limitNotFound(rateLimits);
  const scopeIds = [organizationId];
  const limits = await listScopeRateLimits(deps.database, { organizationId, scopeIds });
  const entries = groups.map((group): OrganizationEntry => {
    const limit = limits.find(({ modelGroup }) => modelGroup === group.id);
    return {
      id: entryIdOf(organizationId, group),
      type: "rate_limit",
      ...toGroup(group),
      limits: rateKinds.flatMap((kind) => {
        const value = limit?.perMinute[kind] ?? null;
        return value === null ? [] : [{ type: officialTypes[kind], value }];
      }),
    };
  });
  const { group_type, model } = query;
  return toListPage(entries, query, { list: "official_rate_limits", group_type, model });
}

export async function listOfficialWorkspaceRateLimits(
  deps: AuditDeps,
  { caller }: Call,
  workspaceId: string,
  query: OfficialQuery & { include_inherited?: boolean | undefined },
) {
  await getVisibleWorkspace(deps.database, caller, "rate_limits:read", workspaceId);
  const { organizationId } = caller;
  const scopeIds = [workspaceId, organizationId];
  const limits = await listScopeRateLimits(deps.database, { organizationId, scopeIds });
  const entries = findGroups(query).map((group) => {
    const ofGroup = limits.filter(({ modelGroup }) => modelGroup === group.id);
    const own = ofGroup.find(({ scopeType }) => scopeType === "workspace") ?? null;
    const above = ofGroup.find(({ scopeType }) => scopeType === "organization") ?? null;
    const isInherited = query.include_inherited === true;
    return toWorkspaceEntry({ organizationId, workspaceId, group, own, above, isInherited });
  });
  const { group_type, include_inherited } = query;
  const filters = { list: "official_workspace_rate_limits", workspaceId, group_type };
  const hasLimits = ({ limits: values }: WorkspaceEntry) => values.length > 0;
  return toListPage(entries.filter(hasLimits), query, { ...filters, include_inherited });
}

type Wanted = z.output<(typeof updateOfficialWorkspaceRateLimit)["body"]>["limits"];

/** Sets limits of a workspace. Throws a 404 for an unknown entry, and a 400 for an unsupported limit type. */
export function setOfficialWorkspaceRateLimit(
  deps: AuditDeps,
  call: Call,
  of: { workspaceId: string; rateLimitId: string; wanted: Wanted },
): Promise<WorkspaceEntry> {
  const { organizationId } = call.caller;
  const { workspaceId } = of;
  const scope = { type: "workspace", workspace_id: workspaceId } as const;
  return changeInScope(rateLimits, deps, { call, scope }, async (tx, locked) => {
    const group = officialGroups.find((each) => entryIdOf(organizationId, each) === of.rateLimitId);
    if (group === undefined) throw limitNotFound(rateLimits);
    const place = { organizationId, modelGroup: group.id };
    const change = await changeLimit(rateLimits, tx, deps, {
      of: { ...locked, ...place },
      wanted: (own) => applyWanted(group, own, of.wanted),
    });
    const organization = { scopeType: "organization", scopeId: organizationId } as const;
    const above = await findRateLimit(tx, { ...place, ...organization });
    const { after: own } = change;
    const entry = { organizationId, workspaceId, group, own, above, isInherited: false };
    return { change, result: toWorkspaceEntry(entry) };
  });
}

/** Applies the named limits to the value of the caller's rank, and keeps the others. Returns null if no limit is left. */
function applyWanted(
  group: ModelGroup,
  own: WantedRates | null,
  wanted: Wanted,
): WantedRates | null {
  const none = { requests: null, input_tokens: null, output_tokens: null };
  const perMinute: Record<RateKind, number | null> = { ...none, ...own?.perMinute };
  const named = new Set<string>();
  for (const { type, value } of wanted) {
    if (named.has(type)) throw refuseField("limits", `${type} is named twice.`);
    named.add(type);
    const kind = rateKinds.find((each) => officialTypes[each] === type);
    if (kind !== undefined) perMinute[kind] = value;
    else if (value !== null) throw makeUnsupportedTypeError(type);
  }
  if (rateKinds.every((kind) => perMinute[kind] === null)) return null;
  checkPerMinute(group, perMinute);
  return { perMinute };
}

function makeUnsupportedTypeError(type: string): ApiError {
  const supported = Object.values(officialTypes).join(", ");
  return refuseField(
    "limits",
    `this server does not limit ${type}. Supported types: ${supported}.`,
  );
}

/** Returns the groups that match the filters. A model without its own group matches none. */
function findGroups({
  group_type: type,
  model,
}: OfficialQuery & { model?: string | undefined }): readonly ModelGroup[] {
  const ofType =
    type === undefined
      ? officialGroups
      : officialGroups.filter(
          ({ id }) => (id === TOKEN_COUNT ? TOKEN_COUNT : "model_group") === type,
        );
  if (model === undefined) return ofType;
  const id = modelGroupOf(model);
  return id === OTHER_MODELS ? [] : ofType.filter((group) => group.id === id);
}

function entryIdOf(organizationId: string, { id: modelGroup }: ModelGroup): string {
  const scopeType = "organization";
  return rateLimitIdOf({ organizationId, scopeType, scopeId: organizationId, modelGroup });
}

function toGroup(group: ModelGroup): Pick<OrganizationEntry, "group" | "models"> {
  const id = `rlg_${group.id}`;
  if (group.id === TOKEN_COUNT) return { group: { type: "token_count", id }, models: null };
  const { displayName: display_name, models } = group;
  return { group: { type: "model_group", id, display_name }, models: [...(models ?? [])] };
}

interface WorkspacePlace {
  organizationId: string;
  workspaceId: string;
  group: ModelGroup;
  own: RateLimit | null;
  above: RateLimit | null;
  isInherited: boolean;
}

function toWorkspaceEntry(place: WorkspacePlace): WorkspaceEntry {
  const { organizationId, workspaceId, group, own, above, isInherited } = place;
  return {
    type: "workspace_rate_limit",
    rate_limit_id: entryIdOf(organizationId, group),
    workspace_id: workspaceId,
    ...toGroup(group),
    limits: rateKinds.flatMap((kind): WorkspaceValue[] => {
      const type = officialTypes[kind];
      const org_limit = above?.perMinute[kind] ?? null;
      const value = own?.perMinute[kind] ?? null;
      if (value !== null) return [{ type, value, org_limit, source: { type: "workspace" } }];
      if (!isInherited || org_limit === null) return [];
      return [{ type, value: org_limit, org_limit, source: { type: "organization" } }];
    }),
  };
}

/** Returns a page of a fixed list, with the index as position. Without `limit`: the whole list. */
function toListPage<Entry extends OrganizationEntry | WorkspaceEntry>(
  entries: readonly Entry[],
  query: OfficialQuery,
  filters: unknown,
): { data: Entry[]; next_page: string | null } {
  const placed = entries.map((entry, place) => ({ entry, place }));
  const request = fromCursor(query.page, query.limit ?? Math.max(1, entries.length), filters);
  const { from } = request;
  const rest = from === null ? placed : placed.filter(({ place }) => place > from.createdAtMs);
  const page = toPage(rest, request, ({ entry, place }) => ({
    createdAtMs: place,
    id: entry.group.id,
  }));
  return { data: page.rows.map(({ entry }) => entry), next_page: nextCursor(page, filters) };
}
