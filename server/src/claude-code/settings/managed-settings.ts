import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { type Audit, type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { countLaptopsByGroups } from "#src/claude-code/laptops/laptops.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { combineGroupModels } from "#src/domain/group-models.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { REFRESH_TOKEN_MS } from "#src/key-lookup/access-tokens.ts";
import { newId } from "#src/lib/ids.ts";
import { type AffectedLaptops, countAffectedLaptops } from "./affected-laptops.rule.ts";
import { auditOfPolicies } from "./audit-policies.ts";
import { type CheckedPolicies, checkPolicies, type PolicyWarning } from "./check-policies.rule.ts";
import { computeChecksum } from "./checksum.ts";
import { comparePolicies, type PoliciesDifference } from "./compare-policies.rule.ts";
import {
  type ChosenPolicies,
  choosePolicies,
  type DecidedKey,
  type Settings,
  type SettingsPolicy,
} from "./effective-settings.rule.ts";
import {
  findVersion,
  hasMember,
  insertVersion,
  listGroupsOf,
  listVersions,
  type NamedGroup,
  type VersionRow,
} from "./managed-settings.sql.ts";
import { parsePolicies } from "./parse-policies.ts";
import { explainServedSettings } from "./served-settings.rule.ts";

/** A stored version, or version 0 before the first change. */
export interface SettingsVersion {
  version: number;
  /** Null: version 0. */
  row: VersionRow | null;
  policies: readonly SettingsPolicy[];
  warnings: PolicyWarning[];
}

/** Returns the version in force. An unsigned one is shown with its content, and refused by nodes. */
export async function getManagedSettings(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
): Promise<SettingsVersion> {
  const { organizationId } = caller;
  return describeVersion(
    deps.database,
    caller,
    await findVersion(deps.database, { organizationId }),
  );
}

/** Throws a 404. */
export async function getManagedSettingsVersion(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
  id: string,
): Promise<SettingsVersion> {
  return describeVersion(deps.database, caller, await getVersion(deps.database, caller, id));
}

export async function listManagedSettingsVersions(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
  request: PageRequest,
): Promise<PageOfRows<VersionRow>> {
  const { direction, from, limit } = request;
  const rows = await listVersions(deps.database, caller.organizationId, {
    ...{ direction, from: from?.createdAtMs ?? null },
    // One more row shows whether another page follows.
    limit: limit + 1,
  });
  // Two versions can have one time, so their numbers are the positions.
  return toPage(rows, request, ({ version, id }) => ({ createdAtMs: version, id }));
}

export interface NewSettings {
  if_version?: number | undefined;
  policies: readonly SettingsPolicy[];
  comment: string | null;
}

/** Replaces all policies. Throws a 409 for another version than the current one, and a 400 that names each fault. */
export function setManagedSettings(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewSettings,
): Promise<SettingsVersion> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getCurrent(tx, caller, input.if_version);
    const { policies } = input;
    const { faults } = await check(tx, caller, { before, policies });
    refuseFaults(faults);
    return saveVersion(tx, deps, caller, { ...input, before, restored: null });
  });
}

/** Saves an earlier version again. Throws a 404, a 409 for another current version, and a 409 for an unsigned version. */
export function restoreManagedSettings(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
  input: Omit<NewSettings, "policies">,
): Promise<SettingsVersion> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getCurrent(tx, caller, input.if_version);
    const restored = await getVersion(tx, caller, id);
    // The transaction would sign a row that this server did not write.
    if (!isUsable(deps, restored)) {
      throw new ApiError(
        "managed_settings_unsigned",
        `Version ${restored.version} was written to the database without this server.`,
      );
    }
    const policies = parsePolicies(restored.policies);
    return saveVersion(tx, deps, caller, { ...input, policies, before, restored });
  });
}

interface VersionToSave extends NewSettings {
  before: VersionRow | null;
  /** Earlier version that is saved again. Null: new policies. */
  restored: VersionRow | null;
}

async function saveVersion(
  tx: Tx,
  deps: AuditDeps,
  caller: Caller,
  { before, policies, comment, restored }: VersionToSave,
): Promise<{ result: SettingsVersion; audit: Audit }> {
  const nowMs = deps.nowMs();
  const text = JSON.stringify(policies);
  if (before !== null && before.policies === text && isUsable(deps, before)) {
    return { result: await describeVersion(tx, caller, before), audit: "unchanged" };
  }
  const row = {
    id: newId(idPrefixes.managedSettings, nowMs, deps.randomBytes),
    organization_id: caller.organizationId,
    version: (before?.version ?? 0) + 1,
    policies: text,
    comment: comment === "" ? null : comment,
    restored_version: restored?.version ?? null,
    created_by_type: caller.kind,
    created_by_id: caller.id,
    created_at: new Date(nowMs),
  };
  if (!(await insertVersion(tx, row))) throw refuseVersion(row.version);
  const result = await describeVersion(tx, caller, { ...row, mac: null });
  return { result, audit: auditOfPolicies(before, row) };
}

export interface SettingsCheck {
  version: number;
  warnings: PolicyWarning[];
  difference: PoliciesDifference;
  laptops: AffectedLaptops;
  effective: EffectiveSettings | null;
}

/** New policies, or an earlier version to restore. */
export interface SettingsToCheck extends SettingsOf {
  policies?: readonly SettingsPolicy[] | undefined;
  managed_settings_version_id?: string | undefined;
}

/**
 * Checks policies like a change, or a version like its restoration. Saves nothing. Throws a 400 that names each fault of
 * policies, and a 404.
 */
export async function checkManagedSettings(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
  input: SettingsToCheck,
): Promise<SettingsCheck> {
  const { organizationId } = caller;
  const before = await findVersion(deps.database, { organizationId });
  const { policies, restored } = await findPoliciesToCheck(deps.database, caller, input);
  const known = { before: restored ?? before, policies };
  const { faults, warnings } = await check(deps.database, caller, known);
  // A restoration keeps what an earlier version has, such as deleted groups.
  if (restored === null) refuseFaults(faults);
  const isAsked = input.member_id !== undefined || input.group_ids !== undefined;
  const current = before === null ? [] : parsePolicies(before.policies);
  const nowMs = deps.nowMs();
  const laptops = await countLaptopsByGroups(deps.database, {
    ...{ organizationId, now: new Date(nowMs) },
    rotatedAfter: new Date(nowMs - REFRESH_TOKEN_MS),
  });
  return {
    version: before?.version ?? 0,
    warnings,
    difference: comparePolicies(current, policies),
    laptops: countAffectedLaptops(laptops, current, policies),
    effective: isAsked ? await computeEffective(deps.database, caller, policies, input) : null,
  };
}

async function findPoliciesToCheck(
  db: Database,
  caller: Caller,
  { policies, managed_settings_version_id: id }: SettingsToCheck,
): Promise<{ policies: readonly SettingsPolicy[]; restored: VersionRow | null }> {
  if (policies !== undefined && id === undefined) return { policies, restored: null };
  if (policies !== undefined || id === undefined) {
    throw refuseField("policies", "expected either policies or a version.");
  }
  const restored = await getVersion(db, caller, id);
  return { policies: parsePolicies(restored.policies), restored };
}

/** Person whose settings are asked for: a member, or anyone in the groups. */
export interface SettingsOf {
  member_id?: string | undefined;
  group_ids?: readonly string[] | undefined;
}

export interface EffectiveSettings {
  memberId: string | null;
  groupIds: string[];
  chosen: ChosenPolicies | null;
  /** Null: no policy applies. */
  settings: Settings | null;
  checksum: string | null;
  keys: DecidedKey[];
}

/** Settings that a person is served. Throws a 404 for an unknown member, and a 400 without a person. */
export async function getEffectiveManagedSettings(
  deps: AuditDeps,
  { caller }: Pick<Call, "caller">,
  of: SettingsOf,
): Promise<EffectiveSettings> {
  const { organizationId } = caller;
  const row = await findVersion(deps.database, { organizationId });
  const policies = row === null ? [] : parsePolicies(row.policies);
  return computeEffective(deps.database, caller, policies, of);
}

async function computeEffective(
  db: Database,
  caller: Caller,
  policies: readonly SettingsPolicy[],
  of: SettingsOf,
): Promise<EffectiveSettings> {
  const groups = await listGroupsOfPerson(db, caller, of);
  const groupIds = groups.map(({ id }) => id);
  const memberId = of.member_id ?? null;
  const chosen = choosePolicies(policies, groupIds);
  if (chosen === null) {
    return { memberId, groupIds, chosen, settings: null, checksum: null, keys: [] };
  }
  const { settings, keys } = explainServedSettings(chosen, combineGroupModels(groups));
  return { memberId, groupIds, chosen, settings, checksum: computeChecksum(settings), keys };
}

async function listGroupsOfPerson(
  db: Database,
  { organizationId }: Caller,
  { member_id: memberId, group_ids: ids }: SettingsOf,
): Promise<NamedGroup[]> {
  if ((memberId === undefined) === (ids === undefined)) {
    throw refuseField("member_id", "expected either a member or groups.");
  }
  if (memberId === undefined) return listGroupsOf(db, { organizationId, ids: ids ?? [] });
  if (await hasMember(db, { organizationId, memberId })) {
    return listGroupsOf(db, { organizationId, memberId });
  }
  throw new ApiError(
    "resource_not_found",
    `Member not found: ${memberId}`,
    {},
    { resource: "member" },
  );
}

/** The unique number of a version refuses a concurrent change. */
async function getCurrent(
  tx: Tx,
  { organizationId }: Caller,
  ifVersion: number | undefined,
): Promise<VersionRow | null> {
  const current = await findVersion(tx, { organizationId });
  const version = current?.version ?? 0;
  if (ifVersion !== undefined && version !== ifVersion) throw refuseVersion(version);
  return current;
}

function isUsable(deps: AuditDeps, row: VersionRow): boolean {
  return deps.rows.isUsable("managed_settings_version", row, row.mac);
}

/** A 409. */
function refuseVersion(version: number): ApiError {
  return new ApiError(
    "version_conflict",
    `The managed settings have changed and are now at version ${version}. Review them, then set if_version to ${version}.`,
    {},
    { version },
  );
}

async function getVersion(
  db: Database | Tx,
  { organizationId }: Caller,
  id: string,
): Promise<VersionRow> {
  const row = await findVersion(db, { organizationId, id });
  if (row !== null) return row;
  throw new ApiError(
    "resource_not_found",
    `Version of the managed settings not found: ${id}`,
    {},
    { resource: "managed_settings" },
  );
}

async function describeVersion(
  db: Database | Tx,
  caller: Caller,
  row: VersionRow | null,
): Promise<SettingsVersion> {
  if (row === null) return { version: 0, row, policies: [], warnings: [] };
  const policies = parsePolicies(row.policies);
  const { warnings } = await check(db, caller, { before: row, policies });
  return { version: row.version, row, policies, warnings };
}

/** Groups of the version before stay valid, so that a deleted group does not block other changes. */
async function check(
  db: Database | Tx,
  { organizationId }: Caller,
  { before, policies }: { before: VersionRow | null; policies: readonly SettingsPolicy[] },
): Promise<CheckedPolicies> {
  const stored = before === null ? [] : parsePolicies(before.policies);
  const ids = [...new Set([...policies, ...stored].flatMap(({ group_ids }) => group_ids))];
  const existing = new Set((await listGroupsOf(db, { organizationId, ids })).map(({ id }) => id));
  const known = stored.flatMap(({ group_ids }) => group_ids);
  return checkPolicies(policies, {
    existing,
    deleted: new Set(known.filter((id) => !existing.has(id))),
  });
}

/** Faults that a refusal lists. */
const MAX_FAULTS = 100;

function refuseFaults(faults: CheckedPolicies["faults"]): void {
  const [first] = faults;
  if (first === undefined) return;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  throw new ApiError(
    "invalid_fields",
    `${first.path}: ${first.message}${more}`,
    {},
    { fields: faults.slice(0, MAX_FAULTS) },
  );
}
