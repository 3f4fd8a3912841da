import { directory } from "@bursar/contract/admin/directories.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { rankOf } from "#src/domain/rank.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import { checkOtherSignIns } from "#src/people/identity/company-sign-in.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { releaseDirectory } from "#src/people/scim/release-directory.ts";
import { endClaimedGroups } from "./claimed-groups.ts";
import {
  type DirectoryRow,
  deleteDirectory as deleteRow,
  findDirectory,
  findDirectoryForUpdate,
  insertDirectory,
  listFillableGroups,
  listDirectories as listRows,
  replaceMappings,
  updateDirectory as updateRow,
} from "./directories.sql.ts";
import { sealClientSecret } from "./directory-secret.ts";
import {
  discoverProvider,
  ProviderFault,
  type ProviderMetadata,
  readProviderKeys,
} from "./discover-provider.ts";
import { findIssuerMistake } from "./issuer.rule.ts";
import { deleteSessionsOfDirectory, hasOtherEnabledDirectory } from "./sign-in.sql.ts";
import { toWire } from "./to-wire.ts";

export interface DirectoryDeps extends AuditDeps {
  sealingKey: Buffer;
  /** Sends requests to providers. */
  client: GuardedClient;
  /** Public address of the console. */
  publicUrl: () => string;
}

type Settings = Pick<
  DirectoryRow,
  | "name"
  | "client_id"
  | "is_enabled"
  | "allowed_domains"
  | "default_role"
  | "second_factor"
  | "role_claim"
  | "role_mappings"
  | "group_claim"
  | "group_mappings"
>;

export async function listDirectories(
  deps: DirectoryDeps,
  { caller }: Call,
  page: PageRequest,
): Promise<PageOfRows<DirectoryRow>> {
  return toPage(await listRows(deps.database, caller.organizationId, page), page);
}

/** Throws a 404. */
export async function getDirectory(
  { database }: { database: Database | Tx },
  { caller }: Pick<Call, "caller">,
  id: string,
): Promise<DirectoryRow> {
  const row = await findDirectory(database, { organizationId: caller.organizationId, id });
  if (row === null) throw directoryNotFound();
  return row;
}

/** Throws a 400 for an issuer that cannot be reached by rule, and a 409 if the organization has it already. */
export async function createDirectory(
  deps: DirectoryDeps,
  { caller, origin }: Call,
  input: Settings & { issuer: string; client_secret: string | null },
): Promise<DirectoryRow> {
  const { client_secret, issuer, ...settings } = input;
  const mistake = findIssuerMistake(issuer) ?? deps.client.findMistake(issuer);
  if (mistake !== null) throw refuseField("issuer", `${mistake}.`);
  const now = new Date(deps.nowMs());
  const id = newId(idPrefixes.directory, now.getTime(), deps.randomBytes);
  const row = normalize({
    ...settings,
    id,
    issuer,
    organization_id: caller.organizationId,
    client_secret_sealed: sealClientSecret(deps.sealingKey, { id, issuer }, client_secret),
    created_at: now,
    updated_at: now,
  });
  try {
    return await auditedTransaction(deps, caller, origin, async (tx) => {
      await checkGroups(tx, row);
      await insertDirectory(tx, row);
      return { result: row, audit: auditOf("directory.created", null, row) };
    });
  } catch (error) {
    if (!isUniqueViolation(error, "directory_issuer")) throw error;
    throw new ApiError("already_exists", "The organization has a directory with this issuer.");
  }
}

export type DirectoryChange = { [Field in keyof Settings]?: Settings[Field] | undefined } & {
  client_secret?: string | null | undefined;
};

/**
 * Omitted fields stay. Throws a 404, and a 400 for an enabled directory without a client id. Throws a 403 if the last
 * directory of an organization that requires one would be disabled.
 */
export function updateDirectory(
  deps: DirectoryDeps,
  { caller, origin }: Call,
  id: string,
  change: DirectoryChange,
): Promise<DirectoryRow> {
  const { organizationId } = caller;
  const { client_secret, ...settings } = change;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findDirectoryForUpdate(tx, { organizationId, id });
    if (before === null) throw directoryNotFound();
    const changed = normalize({
      ...applySettings(before, settings),
      ...(client_secret !== undefined && {
        client_secret_sealed: sealClientSecret(deps.sealingKey, before, client_secret),
      }),
    });
    if (isSame(before, changed)) return { result: before, audit: "unchanged" };
    if (before.is_enabled && !changed.is_enabled) await checkDirectoryRemains(tx, before);
    const after = { ...changed, updated_at: new Date(deps.nowMs()) };
    await updateRow(tx, after);
    const audit = auditOf("directory.updated", before, after, typeof client_secret === "string");
    if (isSame(toMapping(before), toMapping(after))) return { result: after, audit };
    if (change.group_mappings !== undefined) await checkGroups(tx, after);
    await replaceMappings(tx, after);
    await lockPeople(tx, organizationId);
    const ended = await endClaimedGroups(tx, deps, {
      ...{ organizationId, directoryId: id, memberId: null },
      exceptGroupIds: listMappedGroups(after),
      rank: rankOf(caller, null, "limits"),
    });
    return { result: after, audit: [audit, ...ended] };
  });
}

/** Settings after a change. Omitted fields stay. */
export function applySettings(
  before: DirectoryRow,
  settings: Omit<DirectoryChange, "client_secret">,
): DirectoryRow {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...before, ...(Object.fromEntries(given) as Partial<Settings>) };
}

/** Throws a 403 if members sign in through directories only, and this is the last one. */
async function checkDirectoryRemains(
  tx: Tx,
  { id, organization_id: organizationId }: DirectoryRow,
) {
  await lockPeople(tx, organizationId);
  if (await hasOtherEnabledDirectory(tx, { organizationId, id })) return;
  const message =
    "Members sign in through this directory only. Turn off Only company sign-in first.";
  await checkOtherSignIns(tx, organizationId, message);
}

const toMapping = ({ role_claim, role_mappings, group_claim, group_mappings }: DirectoryRow) => ({
  ...{ role_claim, role_mappings, group_claim, group_mappings },
});

/** Groups that claims can state. */
export const listMappedGroups = ({ group_claim, group_mappings }: DirectoryRow) =>
  group_claim === null ? [] : group_mappings.map(({ group_id }) => group_id);

/** Throws a 400 for a group that is unknown, or that a directory fills. */
async function checkGroups(tx: Tx, { organization_id, group_mappings }: DirectoryRow) {
  const ids = group_mappings.map(({ group_id }) => group_id);
  const known = await listFillableGroups(tx, { organizationId: organization_id, ids });
  const wrong = group_mappings.find(({ group_id }) => !known.includes(group_id));
  if (wrong === undefined) return;
  throw refuseField(
    "group_mappings",
    `${wrong.group_id} is no group of the organization, or a directory fills it by SCIM.`,
  );
}

/**
 * Ends the sessions that the directory has started, and the memberships of its claims. Its members stay, and its groups become
 * groups by hand. Throws a 404.
 */
export function deleteDirectory(
  deps: DirectoryDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findDirectoryForUpdate(tx, { organizationId, id });
    if (before === null) throw directoryNotFound();
    if (before.is_enabled) await checkDirectoryRemains(tx, before);
    await lockPeople(tx, organizationId);
    const ended_sessions = await deleteSessionsOfDirectory(tx, id);
    const ended = await endClaimedGroups(tx, deps, {
      ...{ organizationId, directoryId: id, memberId: null, exceptGroupIds: [] },
      rank: rankOf(caller, null, "limits"),
    });
    const released = await releaseDirectory(tx, { organizationId, directoryId: id });
    await deleteRow(tx, { organizationId, id });
    const audit = auditOf("directory.deleted", before, null);
    const after = { ended_sessions, ...released.counts };
    return { result: undefined, audit: [{ ...audit, after }, ...ended, ...released.audit] };
  });
}

export interface DirectoryTest {
  metadata: ProviderMetadata | null;
  signingKeys: number;
  fault: string | null;
}

/** Reads the documents of the provider now. Throws a 404. */
export async function testDirectory(
  deps: DirectoryDeps,
  call: Call,
  id: string,
): Promise<DirectoryTest> {
  const { issuer } = await getDirectory(deps, call, id);
  let metadata: ProviderMetadata | null = null;
  try {
    metadata = await discoverProvider(deps.client, issuer);
    const { keys } = await readProviderKeys(deps.client, metadata);
    const fault = keys.length === 0 ? "The provider has no public keys." : null;
    return { metadata, signingKeys: keys.length, fault };
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    return { metadata, signingKeys: 0, fault: error.reason };
  }
}

/**
 * Sorts the domains and mappings. Throws a 400 for an enabled directory without a client id, mappings without a claim, and a
 * value with two roles.
 */
function normalize(row: DirectoryRow): DirectoryRow {
  const { role_claim, group_claim, role_mappings, group_mappings } = row;
  if (row.is_enabled && row.client_id === null) {
    throw refuseField("client_id", "people can sign in only after it is set.");
  }
  if (role_mappings.length > 0 && role_claim === null) {
    throw refuseField("role_claim", "roles are mapped, so a claim is needed.");
  }
  if (group_mappings.length > 0 && group_claim === null) {
    throw refuseField("group_claim", "groups are mapped, so a claim is needed.");
  }
  const roles = new Map(role_mappings.map((mapping) => [mapping.value, mapping]));
  if (roles.size < role_mappings.length) {
    throw refuseField("role_mappings", "a value is listed twice.");
  }
  const groups = new Map(group_mappings.map((each) => [`${each.value}\n${each.group_id}`, each]));
  return {
    ...row,
    allowed_domains: [...new Set(row.allowed_domains)].sort(),
    role_mappings: sortByText([...roles]),
    group_mappings: sortByText([...groups]),
  };
}

/** Sorts like the database, so that stored and given lists are equal. */
function sortByText<Item>(items: readonly [string, Item][]): Item[] {
  return items
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([, item]) => item);
}

export function directoryNotFound(): ApiError {
  return new ApiError("resource_not_found", "Directory not found", {}, { resource: "directory" });
}

const auditedFields = directory.omit({
  id: true,
  type: true,
  redirect_uri: true,
  logout_uri: true,
  scim_uri: true,
  people: true,
  created_at: true,
  updated_at: true,
});

function auditOf(
  event: `directory.${string}`,
  before: DirectoryRow | null,
  after: DirectoryRow | null,
  isSecretReplaced = false,
): AuditEntry {
  return {
    event,
    subject: { type: "directory", id: (after ?? before)?.id ?? "" },
    workspaceId: null,
    before: before && auditedFields.parse(toWire(before, "")),
    after: after && {
      ...auditedFields.parse(toWire(after, "")),
      client_secret_replaced: isSecretReplaced,
    },
  };
}
