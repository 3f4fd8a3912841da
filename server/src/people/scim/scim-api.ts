import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Origin } from "#src/domain/caller.ts";
import { hashSecret, isScimToken } from "#src/domain/key-format.ts";
import { findEquality, MAX_COUNT, matchResources, readListQuery } from "./list-query.ts";
import { ScimFault } from "./scim-fault.ts";
import { findDirectoryByToken } from "./token-lookup.sql.ts";
import { patchUser, readUser, USER_SCHEMA, userDefinition } from "./user-resource.ts";
import { countUsers, listUsers, type UserFilter, type UserRow } from "./users.sql.ts";
import { createUser, deleteUser, type FeedCall, getUser, replaceUser } from "./users.ts";

export interface ScimDeps extends AuditDeps {
  publicUrl: () => string;
}

export interface ScimRequest {
  method: string;
  /** Path after `/scim/v2`. */
  path: string;
  query: Readonly<Record<string, unknown>>;
  /** Parsed JSON. Empty without a body. */
  body: Record<string, unknown>;
}

export interface ScimResponse {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  body: object | null;
}

export const SCIM_PATH = "/scim/v2";
const LIST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const CORE = "urn:ietf:params:scim:schemas:core:2.0:";
/** Users that a filter without an index compares. */
const MAX_COMPARED = 10_000;
const BEARER = /^bearer +(\S+)$/i;

/** Finds the directory of a request by its token. Throws a 401. */
export async function authenticateFeed(
  deps: ScimDeps,
  authorization: string | undefined,
  origin: Origin,
): Promise<FeedCall> {
  const secret = BEARER.exec(authorization ?? "")?.[1] ?? "";
  const lookup = { secretHash: hashSecret(secret), nowMs: deps.nowMs() };
  const directory = isScimToken(secret) ? await findDirectoryByToken(deps, lookup) : null;
  if (directory !== null) return { directory, origin };
  throw new ScimFault(401, null, "The SCIM token is missing, expired or revoked.", {
    "www-authenticate": "Bearer",
  });
}

/** Answers a request of a directory. Throws a ScimFault. */
export async function answerScim(
  deps: ScimDeps,
  call: FeedCall,
  request: ScimRequest,
): Promise<ScimResponse> {
  const [resource = "", id, ...rest] = request.path.split("/").filter((part) => part !== "");
  if (rest.length > 0) throw routeNotFound();
  if (resource === "Users") return answerUsers(deps, call, request, id ?? null);
  if (request.method !== "GET") throw routeNotFound();
  const base = deps.publicUrl() + SCIM_PATH;
  if (resource === "ServiceProviderConfig" && id === undefined) return ok(describeService(base));
  const described = resource === "Schemas" ? [userDefinition.describe(base)] : listTypes(base);
  if (resource !== "Schemas" && resource !== "ResourceTypes") throw routeNotFound();
  if (id === undefined) return ok(toList(described, { total: described.length, offset: 0 }));
  const found = described.find((each) => each.id === decodeURIComponent(id));
  if (found === undefined) throw routeNotFound();
  return ok(found);
}

async function answerUsers(
  deps: ScimDeps,
  call: FeedCall,
  { method, query, body }: ScimRequest,
  id: string | null,
): Promise<ScimResponse> {
  const base = deps.publicUrl() + SCIM_PATH;
  const format = (row: UserRow) => toUserResource(row, base);
  if (id === null) {
    if (method === "GET") return ok(await listAsResources(deps, call, query, format));
    if (method !== "POST") throw routeNotFound();
    const resource = format(await createUser(deps, call, readUser(body)));
    return { status: 201, headers: { location: resource.meta.location }, body: resource };
  }
  switch (method) {
    case "GET":
      return ok(format(await getUser(deps, call, id)));
    case "PUT":
      return ok(format(await replaceUser(deps, call, id, async () => readUser(body))));
    case "PATCH":
      return ok(
        format(await replaceUser(deps, call, id, (before) => patchUser(format(before), body))),
      );
    case "DELETE":
      await deleteUser(deps, call, id);
      return { status: 204, headers: {}, body: null };
    default:
      throw routeNotFound();
  }
}

async function listAsResources(
  { database }: ScimDeps,
  { directory }: FeedCall,
  query: Readonly<Record<string, unknown>>,
  format: (row: UserRow) => object,
): Promise<object> {
  const { filter, offset, limit } = readListQuery(query);
  const indexed = toUserFilter(findEquality(filter));
  if (filter === null || indexed !== null) {
    const of = { directoryId: directory.id, filter: indexed };
    const rows = limit === 0 ? [] : await listUsers(database, of, { offset, limit });
    return toList(rows.map(format), { total: await countUsers(database, of), offset });
  }
  const all = { directoryId: directory.id, filter: null };
  if ((await countUsers(database, all)) > MAX_COMPARED) {
    throw new ScimFault(400, "tooMany", "Filter by userName, externalId or id.");
  }
  const rows = await listUsers(database, all, { offset: 0, limit: MAX_COMPARED });
  const matching = matchResources(filter, rows.map(format));
  return toList(matching.slice(offset, offset + limit), { total: matching.length, offset });
}

function toUserFilter(equality: { name: string; value: string } | null): UserFilter | null {
  switch (equality?.name) {
    case "username":
      return { userName: equality.value };
    case "externalid":
      return { externalId: equality.value };
    case "id":
      return { id: equality.value };
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

function toList(resources: readonly object[], of: { total: number; offset: number }): object {
  return {
    schemas: [LIST_SCHEMA],
    totalResults: of.total,
    startIndex: of.offset + 1,
    itemsPerPage: resources.length,
    Resources: resources,
  };
}

function describeService(base: string): object {
  return {
    schemas: [`${CORE}ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: MAX_COUNT },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A SCIM token of the directory.",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${base}/ServiceProviderConfig` },
  };
}

function listTypes(base: string) {
  return [
    {
      schemas: [`${CORE}ResourceType`],
      id: "User",
      name: "User",
      endpoint: "/Users",
      description: "People of the company.",
      schema: USER_SCHEMA,
      schemaExtensions: [],
      meta: { resourceType: "ResourceType", location: `${base}/ResourceTypes/User` },
    },
  ];
}

function ok(body: object): ScimResponse {
  return { status: 200, headers: {}, body };
}

function routeNotFound(): ScimFault {
  return new ScimFault(404, null, "There is no such resource.");
}
