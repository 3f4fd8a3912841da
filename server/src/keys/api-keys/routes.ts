import {
  type apiKeyRoutes,
  listApiKeys as listApiKeysRoute,
  listOfficialApiKeys,
} from "@bursar/contract/admin/api-keys.ts";
import type { keyHygieneRoutes } from "@bursar/contract/admin/key-hygiene.ts";
import type { manyApiKeyRoutes } from "@bursar/contract/admin/many-api-keys.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import type { WaitingSecretDeps } from "#src/keys/waiting-secrets/waiting-secrets.ts";
import {
  createApiKey,
  getApiKey,
  listApiKeys,
  listApiKeysByIds,
  updateApiKey,
} from "./api-keys.ts";
import { createApiKeys } from "./create-api-keys.ts";
import { getKeyHygiene } from "./key-hygiene.ts";
import { cutOffApiKey, rotateApiKey } from "./rotate-api-key.ts";
import { stopApiKeys } from "./stop-api-keys.ts";
import {
  toApiKey,
  toCreatedApiKey,
  toCreatedApiKeys,
  toOfficialApiKey,
  toStoppedApiKeys,
} from "./to-wire.ts";

export function makeApiKeyHandlers(
  deps: WaitingSecretDeps,
): HandlersFor<(typeof apiKeyRoutes)[number], Call> {
  return {
    createApiKey: async (call, { body }) => toCreatedApiKey(await createApiKey(deps, call, body)),
    listApiKeys: pagedList(
      listApiKeysRoute,
      (call, { query }, page) => listApiKeys(deps, call, query, page),
      toApiKey,
    ),
    getApiKey: async (call, { params }) => toApiKey(await getApiKey(deps, call, params.api_key_id)),
    updateApiKey: async (call, { params, body }) =>
      toApiKey(await updateApiKey(deps, call, params.api_key_id, body)),
    rotateApiKey: async (call, { params, body }) =>
      toCreatedApiKey(await rotateApiKey(deps, call, params.api_key_id, body)),
    cutOffApiKey: async (call, { params }) =>
      toApiKey(await cutOffApiKey(deps, call, params.api_key_id)),

    listOfficialApiKeys: pagedList(
      listOfficialApiKeys,
      (call, { query }) => listApiKeysByIds(deps, call, query),
      (row) => toOfficialApiKey(row, deps.nowMs()),
    ),
    getOfficialApiKey: async (call, { params }) => {
      const { row } = await getApiKey(deps, call, params.api_key_id);
      return toOfficialApiKey(row, deps.nowMs());
    },
    updateOfficialApiKey: async (call, { params, body }) => {
      const change = { ...body, rank: "all" as const };
      const { row } = await updateApiKey(deps, call, params.api_key_id, change);
      return toOfficialApiKey(row, deps.nowMs());
    },
  };
}

export function makeManyApiKeyHandlers(
  deps: WaitingSecretDeps,
): HandlersFor<(typeof manyApiKeyRoutes)[number], Call> {
  return {
    createApiKeys: async (call, { body }) =>
      toCreatedApiKeys(body.workspace_id, await createApiKeys(deps, call, body)),
    disableApiKeys: async (call, { body: { ids } }) =>
      toStoppedApiKeys(await stopApiKeys(deps, call, { ids, status: "inactive" })),
    archiveApiKeys: async (call, { body: { ids } }) =>
      toStoppedApiKeys(await stopApiKeys(deps, call, { ids, status: "archived" })),
  };
}

export function makeKeyHygieneHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof keyHygieneRoutes)[number], Call> {
  return {
    getKeyHygiene: async (call, { query }) => {
      const found = await getKeyHygiene(deps, call, query.workspace_id);
      return {
        type: "key_hygiene",
        keys: found.keys,
        keys_without_issue: found.healthy,
        keys_needing_attention: found.needingAttention,
        cards: found.cards,
      };
    },
  };
}
