import type { FeedCall } from "./change-people.ts";
import { GROUP_SCHEMA, readGroup, readGroupPatch } from "./group-resource.ts";
import { changeGroup, createGroup, deleteGroup, getGroup } from "./groups.ts";
import {
  findEqualities,
  isComparing,
  type ListQuery,
  matchResources,
  readListQuery,
} from "./list-query.ts";
import { listListedMembers } from "./listed-members.sql.ts";
import {
  countProvidedGroups,
  listProvidedGroups,
  type ProvidedGroupFilter,
  type ProvidedGroupRow,
} from "./provided-groups.sql.ts";
import { ScimFault } from "./scim-fault.ts";
import {
  created,
  methodNotAllowed,
  noContent,
  ok,
  readAttributes,
  SCIM_PATH,
  type ScimDeps,
  type ScimRequest,
  type ScimResponse,
  toList,
} from "./scim-response.ts";
import {
  hasAttribute,
  type SelectedAttributes,
  selectAttributes,
} from "./selected-attributes.rule.ts";

/** Groups that a filter without an index compares. */
const MAX_COMPARED = 10_000;
/** Members in one page of groups. A page ends before the group that exceeds it. */
const MAX_PAGE_MEMBERS = 20_000;

/** Answers a request for `/Groups`. Throws a ScimFault. */
export async function answerGroups(
  deps: ScimDeps,
  call: FeedCall,
  { method, query, body }: ScimRequest,
  id: string | null,
): Promise<ScimResponse> {
  const base = deps.publicUrl() + SCIM_PATH;
  const selection = readAttributes(query);
  const showAll = (rows: readonly ProvidedGroupRow[]) =>
    showGroups(deps, rows, { selection, base });
  const show = async (row: ProvidedGroupRow) => (await showAll([row]))[0] ?? {};
  if (id === null) {
    if (method === "GET")
      return ok(await listAsResources(deps, call, { query, selection, showAll }));
    if (method !== "POST") throw methodNotAllowed("GET, POST");
    const row = await createGroup(deps, call, readGroup(body));
    return created(await show(row), locationOf(base, row));
  }
  switch (method) {
    case "GET":
      return ok(await show(await getGroup(deps, call, id)));
    case "PUT":
      return ok(await show(await changeGroup(deps, call, id, readGroup(body))));
    case "PATCH": {
      const row = await changeGroup(deps, call, id, readGroupPatch(body));
      // A whole group can have thousands of members.
      return selection.only === null ? noContent : ok(await show(row));
    }
    case "DELETE":
      await deleteGroup(deps, call, id);
      return noContent;
    default:
      throw methodNotAllowed("GET, PUT, PATCH, DELETE");
  }
}

interface ListRequest {
  query: ScimRequest["query"];
  selection: SelectedAttributes;
  showAll: (rows: readonly ProvidedGroupRow[]) => Promise<object[]>;
}

async function listAsResources(
  { database }: ScimDeps,
  { directory: { id: directoryId } }: FeedCall,
  { query, selection, showAll }: ListRequest,
): Promise<object> {
  const read = readListQuery(query);
  const { offset, limit } = read;
  const filter = read.filter === null ? {} : toGroupFilter(read.filter);
  const cut = (rows: readonly ProvidedGroupRow[]) =>
    hasAttribute(selection, "members") ? cutByMembers(rows) : rows;
  if (filter !== null) {
    const of = { directoryId, filter };
    const rows = limit === 0 ? [] : await listProvidedGroups(database, of, { offset, limit });
    const total = await countProvidedGroups(database, of);
    return toList(await showAll(cut(rows)), { total, offset });
  }
  const all = { directoryId, filter: {} };
  if ((await countProvidedGroups(database, all)) > MAX_COMPARED) {
    throw new ScimFault(400, "tooMany", "Filter by displayName, externalId, id or members.");
  }
  const rows = await listProvidedGroups(database, all, { offset: 0, limit: MAX_COMPARED });
  const found = filterRows(read.filter, rows);
  const page = cut(found.slice(offset, offset + limit));
  return toList(await showAll(page), { total: found.length, offset });
}

/** Compares the groups without their members. Throws a 400 for a filter that compares members. */
function filterRows(filter: ListQuery["filter"], rows: readonly ProvidedGroupRow[]) {
  if (filter === null) return [...rows];
  if (isComparing(filter, "members")) {
    throw new ScimFault(400, "invalidFilter", 'Compare members only with eq, joined by "and".');
  }
  const matching = new Set(
    matchResources(
      filter,
      rows.map((row) => toResource(row, null, "")),
    ),
  );
  return rows.filter((_, index) => matching.has(index));
}

/** Returns the first groups that together have a bounded number of members, at least one group. */
function cutByMembers(rows: readonly ProvidedGroupRow[]): ProvidedGroupRow[] {
  let count = 0;
  return rows.filter((row, index) => {
    count += row.listed_count;
    return index === 0 || count <= MAX_PAGE_MEMBERS;
  });
}

const indexedNames: Readonly<Record<string, keyof ProvidedGroupFilter>> = {
  ...{ id: "id", displayname: "name", externalid: "externalId" },
  ...{ members: "memberId", "members.value": "memberId" },
};

function toGroupFilter(filter: NonNullable<ListQuery["filter"]>): ProvidedGroupFilter | null {
  const equalities = findEqualities(filter);
  if (equalities === null) return null;
  const indexed: ProvidedGroupFilter = {};
  for (const [name, value] of equalities) {
    const field = indexedNames[name];
    if (field === undefined) return null;
    indexed[field] = value;
  }
  return indexed;
}

async function showGroups(
  { database }: ScimDeps,
  rows: readonly ProvidedGroupRow[],
  { selection, base }: { selection: SelectedAttributes; base: string },
): Promise<object[]> {
  if (!hasAttribute(selection, "members")) {
    return rows.map((row) => selectAttributes(selection, toResource(row, null, base)));
  }
  const listed = await listListedMembers(
    database,
    rows.map(({ id }) => id),
  );
  const byGroup = Map.groupBy(listed, ({ group_id }) => group_id);
  return rows.map((row) => {
    const members = (byGroup.get(row.id) ?? []).map(({ member_id: value }) => ({
      ...{ value, type: "User", $ref: `${base}/Users/${value}` },
    }));
    return selectAttributes(selection, toResource(row, members, base));
  });
}

function toResource(row: ProvidedGroupRow, members: object[] | null, base: string) {
  return {
    schemas: [GROUP_SCHEMA],
    id: row.id,
    ...(row.external_id !== null && { externalId: row.external_id }),
    displayName: row.name,
    // An empty list means no value, by RFC 7643, section 2.5.
    ...(members !== null && members.length > 0 && { members }),
    meta: {
      resourceType: "Group",
      created: row.created_at.toISOString(),
      lastModified: row.updated_at.toISOString(),
      location: locationOf(base, row),
    },
  };
}

function locationOf(base: string, { id }: { id: string }): string {
  return `${base}/Groups/${id}`;
}
