import type { FeedCall } from "./change-people.ts";
import { findEqualities, matchResources, readListQuery } from "./list-query.ts";
import { ScimFault } from "./scim-fault.ts";
import {
  created,
  methodNotAllowed,
  noContent,
  ok,
  readAttributes,
  SCIM_PATH,
  type ScimDeps,
  type ScimQuery,
  type ScimRequest,
  type ScimResponse,
  toList,
} from "./scim-response.ts";
import { selectAttributes } from "./selected-attributes.rule.ts";
import { patchUser, readUser, USER_SCHEMA } from "./user-resource.ts";
import { countUsers, listUsers, type UserFilter, type UserRow } from "./users.sql.ts";
import { createUser, deleteUser, getUser, replaceUser } from "./users.ts";

/** Users that a filter without an index compares. */
const MAX_COMPARED = 10_000;

/** Answers a request for `/Users`. Throws a ScimFault. */
export async function answerUsers(
  deps: ScimDeps,
  call: FeedCall,
  { method, query, body }: ScimRequest,
  id: string | null,
): Promise<ScimResponse> {
  const base = deps.publicUrl() + SCIM_PATH;
  const selection = readAttributes(query);
  const format = (row: UserRow) => toUserResource(row, base);
  const show = (row: UserRow) => selectAttributes(selection, format(row));
  if (id === null) {
    if (method === "GET") return ok(await listAsResources(deps, call, query, { format, show }));
    if (method !== "POST") throw methodNotAllowed("GET, POST");
    const user = await createUser(deps, call, readUser(body));
    return created(show(user), format(user).meta.location);
  }
  switch (method) {
    case "GET":
      return ok(show(await getUser(deps, call, id)));
    case "PUT":
      return ok(show(await replaceUser(deps, call, id, async () => readUser(body))));
    case "PATCH":
      return ok(
        show(await replaceUser(deps, call, id, (before) => patchUser(format(before), body))),
      );
    case "DELETE":
      await deleteUser(deps, call, id);
      return noContent;
    default:
      throw methodNotAllowed("GET, PUT, PATCH, DELETE");
  }
}

async function listAsResources(
  { database }: ScimDeps,
  { directory }: FeedCall,
  query: ScimQuery,
  { format, show }: Record<"format" | "show", (row: UserRow) => object>,
): Promise<object> {
  const { filter, offset, limit } = readListQuery(query);
  const indexed = toUserFilter(findEqualities(filter));
  if (filter === null || indexed !== null) {
    const of = { directoryId: directory.id, filter: indexed };
    const rows = limit === 0 ? [] : await listUsers(database, of, { offset, limit });
    return toList(rows.map(show), { total: await countUsers(database, of), offset });
  }
  const all = { directoryId: directory.id, filter: null };
  if ((await countUsers(database, all)) > MAX_COMPARED) {
    throw new ScimFault(400, "tooMany", "Filter by userName, externalId or id.");
  }
  const rows = await listUsers(database, all, { offset: 0, limit: MAX_COMPARED });
  const matching = new Set(matchResources(filter, rows.map(format)));
  const found = rows.filter((_, index) => matching.has(index));
  const page = found.slice(offset, offset + limit).map(show);
  return toList(page, { total: found.length, offset });
}

function toUserFilter(equalities: ReadonlyMap<string, string> | null): UserFilter | null {
  const [first, ...others] = [...(equalities ?? [])];
  if (first === undefined || others.length > 0) return null;
  const [name, value] = first;
  switch (name) {
    case "username":
      return { userName: value };
    case "externalid":
      return { externalId: value };
    case "id":
      return { id: value };
    default:
      return null;
  }
}

function toUserResource(row: UserRow, base: string) {
  return {
    schemas: [USER_SCHEMA],
    id: row.member.id,
    ...(row.external_id !== null && { externalId: row.external_id }),
    userName: row.user_name,
    ...row.attributes,
    active: row.member.status === "active",
    meta: {
      resourceType: "User",
      created: row.provided_at.toISOString(),
      lastModified: row.updated_at.toISOString(),
      location: `${base}/Users/${row.member.id}`,
    },
  };
}
