import type { Origin } from "#src/domain/caller.ts";
import { hashSecret, isScimToken } from "#src/domain/key-format.ts";
import type { FeedCall } from "./change-people.ts";
import { describeSchemas, describeService, describeTypes } from "./describe-service.ts";
import { answerGroups } from "./group-api.ts";
import { ScimFault } from "./scim-fault.ts";
import {
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
  const [resource = "", id = null, ...rest] = request.path.split("/").filter((part) => part !== "");
  if (rest.length > 0) throw routeNotFound();
  if (resource === "Users") return answerUsers(deps, call, request, id);
  if (resource === "Groups") return answerGroups(deps, call, request, id);
  if (request.method !== "GET") throw routeNotFound();
  const base = deps.publicUrl() + SCIM_PATH;
  if (resource === "ServiceProviderConfig" && id === null) return ok(describeService(base));
  const described = resource === "Schemas" ? describeSchemas(base) : describeTypes(base);
  if (resource !== "Schemas" && resource !== "ResourceTypes") throw routeNotFound();
  if (id === null) return ok(toList(described, { total: described.length, offset: 0 }));
  const found = described.find((each) => each.id === decodeURIComponent(id));
  if (found === undefined) throw routeNotFound();
  return ok(found);
}
