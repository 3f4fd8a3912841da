import {
  listPersonalKeys as listPersonalKeysRoute,
  type personalKeyRoutes,
} from "@bursar/contract/admin/personal-keys.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { updateApiKey } from "#src/keys/api-keys/api-keys.ts";
import { rotateApiKey } from "#src/keys/api-keys/rotate-api-key.ts";
import { toApiKey, toCreatedApiKey } from "#src/keys/api-keys/to-wire.ts";
import type { WaitingSecretDeps } from "#src/keys/waiting-secrets/waiting-secrets.ts";
import {
  createPersonalKey,
  findPersonalKeyOptions,
  listPersonalKeys,
  makeOwnerAuthority,
  type PersonalKeyOption,
} from "./personal-keys.ts";

export function makePersonalKeyHandlers(
  deps: WaitingSecretDeps,
): HandlersFor<(typeof personalKeyRoutes)[number], Call> {
  const ownerAuthority = makeOwnerAuthority(deps.rows);
  return {
    getPersonalKeyOptions: async (call, { query }) => {
      const found = await findPersonalKeyOptions(deps, call, query);
      return {
        type: "personal_key_options",
        workspaces: found.options.map(toWire),
        has_more: found.hasMore,
        group_models: found.groupModels,
        contacts: found.contacts,
      };
    },
    listPersonalKeys: pagedList(
      listPersonalKeysRoute,
      (call, _, page) => listPersonalKeys(deps, call, page),
      toApiKey,
    ),
    createPersonalKey: async (call, { body }) =>
      toCreatedApiKey(await createPersonalKey(deps, call, body)),
    updatePersonalKey: async (call, { params, body }) =>
      toApiKey(await updateApiKey(deps, call, params.api_key_id, body, ownerAuthority)),
    rotatePersonalKey: async (call, { params, body }) =>
      toCreatedApiKey(await rotateApiKey(deps, call, params.api_key_id, body, ownerAuthority)),
  };
}

function toWire({ place, role, maxDays, maxKeys, models, keys }: PersonalKeyOption) {
  return {
    id: place.id,
    type: "personal_key_workspace" as const,
    name: place.name,
    display_color: place.display_color,
    role,
    allowed_models: models,
    max_lifetime_days: maxDays,
    max_keys: maxKeys,
    keys,
  };
}
