import type { Origin } from "#src/domain/caller.ts";
import { hashSecret, isScimToken } from "#src/domain/key-format.ts";
import { decodePercent } from "#src/lib/decode-percent.ts";
import type { FeedCall } from "./change-people.ts";
import { describeSchemas, describeService, describeTypes } from "./describe-service.ts";
import { answerGroups } from "./group-api.ts";
import { ScimFault } from "./scim-fault.ts";
import {
  methodNotAllowed,
  ok,
  routeNotFound,
  SCIM_PATH,
  type ScimDeps,
  type ScimRequest,
  type ScimResponse,
  toList,
} from "./scim-response.ts";
import { findDirectoryByToken } from "./token-lookup.sql.ts";
import { answerUsers } from "./user-api.ts";

const BEARER = /^bearer +(\S+)$/i;

/** Finds the directory of a request by its token. Throws a 401. */
export async function authenticateFeed(
  deps: ScimDeps,
  authorization: string | undefined,
  origin: Origin,
): Promise<FeedCall> {
  const secret = BEARER.exec(authorization ?? "")?.[1] ?? "";
  const lookup = { secretHash: hashSecret(secret), nowMs: deps.nowMs() };
  const found = isScimToken(secret) ? await findDirectoryByToken(deps, lookup) : null;
  if (found !== null) return { ...found, origin };
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
  const [resource = "", id = null, ...rest] = request.path.split("/").filter((part) => part !== "");
  if (rest.length > 0) throw routeNotFound();
  const isSearch = id === ".search";
  if (resource === ".search") {
    throw new ScimFault(501, null, "Search users or groups: POST /Users/.search, /Groups/.search.");
  }
  if (resource === "Users" || resource === "Groups") {
    if (isSearch && request.method !== "POST") throw methodNotAllowed("POST");
    const read = isSearch ? toSearch(request) : request;
    const answer = resource === "Users" ? answerUsers : answerGroups;
    return answer(deps, call, read, isSearch ? null : id);
  }
  return describeOne(deps.publicUrl() + SCIM_PATH, resource, { id, method: request.method });
}

function describeOne(
  base: string,
  resource: string,
  { id, method }: { id: string | null; method: string },
): ScimResponse {
  if (!["ServiceProviderConfig", "Schemas", "ResourceTypes"].includes(resource)) {
    throw routeNotFound();
  }
  if (method !== "GET") throw methodNotAllowed("GET");
  if (resource === "ServiceProviderConfig") {
    if (id !== null) throw routeNotFound();
    return ok(describeService(base));
  }
  const described = resource === "Schemas" ? describeSchemas(base) : describeTypes(base);
  if (id === null) return ok(toList(described, { total: described.length, offset: 0 }));
  const found = described.find((each) => each.id === decodePercent(id));
  if (found === undefined) throw routeNotFound();
  return ok(found);
}

/** A search has the query of a list in its body, by RFC 7644, section 3.4.3. */
function toSearch({ path, body }: ScimRequest): ScimRequest {
  const query = Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : value,
    ]),
  );
  return { method: "GET", path, query, body: {} };
}
