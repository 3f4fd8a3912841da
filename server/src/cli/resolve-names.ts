import { CommandError, exitCodes } from "./command-error.ts";
import { FOREIGN_WORKSPACE, type RouteInput } from "./command-input.ts";

/** Workspace, member, group, tag or upstream, with the fields that are searched. */
interface Named {
  id: string;
  name: string;
  value?: string;
  email?: string;
  archived_at?: string | null;
}

/** Returns all entries of a list of the Admin API, by path and query. */
export type ListAll = (target: string) => Promise<readonly Named[]>;

/**
 * Replaces names of workspaces, groups, tags and upstreams, and addresses of members, by their ids. Throws CommandError if a
 * name has no match or more than one.
 */
export async function resolveNames(input: RouteInput, listAll: ListAll): Promise<RouteInput> {
  const known = new Map<string, Promise<string>>();
  const once = (key: string, find: () => Promise<string>) => {
    const found = known.get(key) ?? find();
    known.set(key, found);
    return found;
  };
  const resolveId = (field: string, value: string): string | Promise<string> => {
    if (field === FOREIGN_WORKSPACE) return value;
    if (/(^|_)workspace_ids?$/.test(field) && !value.startsWith("wksp_")) {
      return once(`workspace ${value}`, () => findWorkspace(value, listAll));
    }
    if (/(^|_)(member|new_owner)_ids?$/.test(field) && value.includes("@")) {
      return once(`member ${value}`, () => findMember(value, listAll));
    }
    if (/^group_ids?$/.test(field) && !value.startsWith("group_")) {
      return once(`group ${value}`, () => findGroup(value, listAll));
    }
    if (/^tag_ids?$/.test(field) && !value.startsWith("tag_")) {
      return once(`tag ${value}`, () => findTag(value, listAll));
    }
    if (/^upstream_ids?$/.test(field) && !value.startsWith("ups_")) {
      return once(`upstream ${value}`, () => findUpstream(value, listAll));
    }
    return value;
  };
  return (await replaceNames("", input, resolveId)) as RouteInput;
}

async function replaceNames(
  field: string,
  value: unknown,
  resolveId: (field: string, value: string) => string | Promise<string>,
): Promise<unknown> {
  if (typeof value === "string") return resolveId(field, value);
  if (Array.isArray(value)) {
    // Entries have the name of their list.
    return Promise.all(value.map((each) => replaceNames(field, each, resolveId)));
  }
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(
    async ([name, each]) => [name, await replaceNames(name, each, resolveId)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function findWorkspace(name: string, listAll: ListAll): Promise<string> {
  const wanted = normalizeName(name);
  const all = await listAll("/v1/admin/workspaces?include_archived=true");
  const named = all.filter((workspace) => normalizeName(workspace.name) === wanted);
  // Only one active workspace can have a name. Archived ones may have had the same name.
  const active = named.filter((workspace) => !workspace.archived_at);
  return pickOnlyOne(`Workspace not found: ${name}`, active.length > 0 ? active : named);
}

async function findMember(address: string, listAll: ListAll): Promise<string> {
  const wanted = normalizeName(address);
  const search = new URLSearchParams({ search: address.trim() });
  const all = await listAll(`/v1/admin/members?${search}`);
  const found = all.filter(({ email }) => email !== undefined && normalizeName(email) === wanted);
  return pickOnlyOne(`Member not found: ${address}`, found);
}

async function findGroup(name: string, listAll: ListAll): Promise<string> {
  const wanted = normalizeName(name);
  const search = new URLSearchParams({ search: name.trim() });
  const all = await listAll(`/v1/admin/groups?${search}`);
  const found = all.filter((group) => normalizeName(group.name) === wanted);
  return pickOnlyOne(`Group not found: ${name}`, found);
}

async function findUpstream(name: string, listAll: ListAll): Promise<string> {
  const wanted = normalizeName(name);
  const all = await listAll("/v1/admin/upstreams");
  const found = all.filter((upstream) => normalizeName(upstream.name) === wanted);
  return pickOnlyOne(`Upstream not found: ${name}`, found);
}

/** Finds the tag `name=value` or `name:value`. */
async function findTag(text: string, listAll: ListAll): Promise<string> {
  const [, name, value] = /^([^:=]+)[:=](.*)$/s.exec(text) ?? [];
  if (name === undefined) {
    const example = `Write its name and value, such as cost_center=${text}.`;
    throw new CommandError(`Tag not found: ${text}. ${example}`, exitCodes.notFound);
  }
  const all = await listAll(`/v1/admin/tags?${new URLSearchParams({ name })}`);
  const found = all.filter((tag) => tag.value === value);
  return pickOnlyOne(`Tag not found: ${text}`, found);
}

function pickOnlyOne(notFound: string, found: readonly Named[]): string {
  const [first, second] = found;
  if (!first) throw new CommandError(notFound, exitCodes.notFound);
  if (!second) return first.id;
  const ids = found.map(({ id }) => id).join(", ");
  throw new CommandError(`Several have this name. Use one of the ids ${ids}.`, exitCodes.usage);
}

/** Normalizes a name as the server does for comparisons. */
function normalizeName(name: string): string {
  return name.normalize("NFC").trim().toLowerCase();
}
