import { idPrefixes } from "@bursar/contract/ids.ts";
import type { KeyPermission } from "@bursar/contract/permissions.ts";
import { apiKeyNotFound } from "#src/access/visible-workspace.ts";
import type { AuditDeps, AuditEntry } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { KeyPurpose } from "#src/db/tables.ts";
import type { Caller } from "#src/domain/caller.ts";
import { makeSecret, type NewSecret } from "#src/domain/key-format.ts";
import {
  type Handover,
  handOverSecret,
  type WaitingSecretDeps,
} from "#src/keys/waiting-secrets/waiting-secrets.ts";
import { newId } from "#src/lib/ids.ts";
import { mapInParts } from "#src/lib/slices.ts";
import { findApiKeys, insertApiKeys, type NewApiKeyRow } from "./api-keys.sql.ts";
import { auditOf } from "./audit-of-key.ts";
import { findOwnRank } from "./change-restrictions.ts";
import { copyLimits } from "./copy-limits.ts";
import { type ApiKeyView, describeApiKeys } from "./describe-api-keys.ts";
import {
  addWorkspaceRule,
  type RankedRestrictions,
  setRestrictions,
} from "./effective-restrictions.rule.ts";
import { checkKeyCount, type Inherited, inheritRestrictions } from "./inherit-restrictions.ts";
import { decideExpiry } from "./key-expiry.rule.ts";
import { decideOrigins } from "./key-origins.ts";
import { readAllowedAddresses, readAllowedModels } from "./key-restrictions.ts";
import { parseTime, toDate } from "./key-times.ts";
import { decideKeyUsers, NO_USERS } from "./key-users.ts";
import { mergeRestrictions, putInForce } from "./ranked-restrictions.ts";
import { saveRestrictions } from "./restrictions.sql.ts";
import { insertSecrets } from "./secrets.sql.ts";
import { decideTags } from "./tags-of-key.ts";

/** A new key whose place, owner and permission the caller may choose. */
export interface KeyToCreate {
  name: string;
  workspace_id: string;
  owner_member_id: string | null;
  permission: KeyPermission;
  expires_at?: string | null | undefined;
  allowed_models?: string[] | null | undefined;
  allowed_addresses?: string[] | null | undefined;
  allowed_origins?: string[] | null | undefined;
  tags?: Record<string, string> | undefined;
  user_directory_id?: string | null | undefined;
  requires_user?: boolean | undefined;
}

/** Rules that a new key follows besides the requested restrictions. */
export interface KeyRules {
  /** Maximum lifetime, days. Null: no maximum. */
  maxDays: number | null;
  /** Models that the workspace allows for personal keys. Null: all. */
  workspaceModels: readonly string[] | null;
}

/** A key with its new secret, which is null where it waits for the owner. */
export type NewSecretOfKey = { view: ApiKeyView } & Handover;

/**
 * Creates a key in a transaction that has checked the rights and locked workspace and owner. Throws a 403 if the owner has the
 * highest number of keys, and a 400 for settings that the rules do not allow.
 */
export async function createKey(
  tx: Tx,
  deps: WaitingSecretDeps,
  caller: Caller,
  { key: input, rules, nowMs }: { key: KeyToCreate; rules: KeyRules; nowMs: number },
): Promise<{ result: NewSecretOfKey; audit: AuditEntry[] }> {
  const { organizationId } = caller;
  const { owner_member_id: memberId } = input;
  await checkKeyCount(tx, { organizationId, memberId, now: new Date(nowMs), added: 1 });
  const made = makeSecret("api", deps.randomBytes);
  const of = { key: input, rules, nowMs, secret: made, purpose: "calls" } as const;
  const { view, audit } = await insertKey(tx, deps, caller, of);
  const handed = { key: view.row, secret: made.secret, reason: "created" } as const;
  return { result: { view, ...(await handOverSecret(tx, deps, caller, handed)) }, audit };
}

/** Name of a new key, with the hash and the hint of its current secret. */
export interface NamedSecret {
  name: string;
  secret: Pick<NewSecret, "hash" | "hint">;
}

/** Settings that new keys share. */
export interface KeySettings {
  key: Omit<KeyToCreate, "name">;
  rules: KeyRules;
  nowMs: number;
  purpose: KeyPurpose;
}

/** Creates a key with its restrictions, limits and tags, under the conditions of `createKey`. */
export async function insertKey(
  tx: Tx,
  deps: AuditDeps,
  caller: Caller,
  { key, secret, ...settings }: KeySettings & { key: KeyToCreate; secret: NamedSecret["secret"] },
): Promise<{ view: ApiKeyView; audit: AuditEntry[] }> {
  const named = [{ name: key.name, secret }];
  const { views, audit } = await insertKeys(tx, deps, caller, { ...settings, key, named });
  const [view] = views;
  if (view === undefined) throw apiKeyNotFound();
  return { view, audit };
}

/**
 * Creates keys with the same settings, in the order of their names. Inherited values are decided once, because none of the
 * keys changes what the next one would inherit.
 */
export async function insertKeys(
  tx: Tx,
  deps: AuditDeps,
  caller: Caller,
  { key: input, rules, nowMs, purpose, named }: KeySettings & { named: readonly NamedSecret[] },
): Promise<{ views: ApiKeyView[]; audit: AuditEntry[] }> {
  const now = new Date(nowMs);
  const { organizationId } = caller;
  const { workspace_id, owner_member_id } = input;
  const decided = await decideRestrictions(tx, caller, input, rules, now);
  const { restrictions, lifetime_ends_at, limits } = decided;
  const tags = await decideTags(tx, caller, {
    workspaceId: workspace_id,
    fromApiKeyIds: limits.flatMap(({ fromApiKeyIds }) => fromApiKeyIds),
    change: input.tags,
  });
  const users = await decideKeyUsers(tx, caller, { ...NO_USERS, owner_member_id }, input);
  const unheld = { status: "active", is_held: false, lifetime_ends_at } as const;
  const { is_held: _, ...inForce } = putInForce(unheld, restrictions);
  const shared = {
    ...{ ...tags, ...users, ...inForce, workspace_id, owner_member_id, purpose },
    allowed_origins: decideOrigins(null, input),
    organization_id: organizationId,
    permission: input.permission,
    created_by_type: caller.kind,
    created_by_id: caller.id,
    created_at: now,
  };
  const keys = named.map(({ name, secret }) => ({
    row: { ...shared, id: newId(idPrefixes.apiKey, nowMs, deps.randomBytes), name },
    secret,
  }));
  const views = await mapInParts(keys, (part) => insertPart(tx, part, restrictions));
  const audit: AuditEntry[] = [];
  for (const view of views) {
    const key = { organizationId, workspaceId: workspace_id, id: view.row.id };
    audit.push(auditOf("api_key.created", null, view));
    audit.push(...(await copyLimits(tx, deps, key, limits)));
  }
  return { views, audit };
}

/** Restrictions of a new key: the inherited ones, those of the workspace, and those of the request at the caller's rank. */
async function decideRestrictions(
  tx: Tx,
  caller: Caller,
  input: KeySettings["key"],
  { maxDays, workspaceModels }: KeyRules,
  now: Date,
): Promise<Pick<Inherited, "restrictions" | "limits"> & { lifetime_ends_at: Date | null }> {
  const { workspace_id: workspaceId, owner_member_id: memberId } = input;
  const nowMs = now.getTime();
  const requestedMs = parseTime(input.expires_at);
  const expiresAt = toDate(decideExpiry(requestedMs, { fromMs: nowMs, nowMs, maxDays }));
  const values = {
    allowed_models: readAllowedModels(input.allowed_models) ?? null,
    allowed_addresses: readAllowedAddresses(input.allowed_addresses) ?? null,
    expires_at: requestedMs === undefined ? null : expiresAt,
  };
  const by = { set_by_type: caller.kind, set_by_id: caller.id, set_at: now };
  const requested = setRestrictions([], findOwnRank(caller, input), values, by);
  const inherited = await inheritRestrictions(tx, caller, { workspaceId, memberId }, now);
  const allowed = addWorkspaceRule(inherited.restrictions, {
    workspaceId,
    models: workspaceModels,
    now,
  });
  return {
    restrictions: mergeRestrictions([...allowed, ...requested]),
    limits: inherited.limits,
    lifetime_ends_at: requestedMs === undefined ? expiresAt : null,
  };
}

async function insertPart(
  tx: Tx,
  keys: readonly { row: NewApiKeyRow; secret: NamedSecret["secret"] }[],
  restrictions: readonly RankedRestrictions[],
): Promise<ApiKeyView[]> {
  const [first] = keys;
  if (first === undefined) return [];
  const { organization_id: organizationId, created_at } = first.row;
  const ids = keys.map(({ row }) => row.id);
  await insertApiKeys(
    tx,
    keys.map(({ row }) => row),
  );
  await saveRestrictions(
    tx,
    ids.map((apiKeyId) => ({ apiKeyId, restrictions })),
  );
  await insertSecrets(
    tx,
    keys.map(({ row, secret: { hash, hint } }) => ({ api_key_id: row.id, hash, hint, created_at })),
  );
  const rows = await findApiKeys(tx, { organizationId, onlyWorkspaceIds: null }, ids);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const inOrder = ids.flatMap((id) => byId.get(id) ?? []);
  return describeApiKeys(tx, organizationId, inOrder, created_at.getTime());
}
