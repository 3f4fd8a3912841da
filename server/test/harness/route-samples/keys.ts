import { findInheritedRole, findReach } from "@bursar/contract/permissions.ts";
import type { Client } from "../admin.ts";
import type { OwnerCall, Person, Sample, Samples } from "./sample.ts";
import {
  type Made,
  makeWaitingSecret,
  nextDays,
  nextName,
  PLAYGROUND,
  renamed,
} from "./subjects.ts";

/** Starts a playground session of the caller. Callers without the right have none. */
const startPlayground: Sample["prepareCaller"] = async (client, { workspace_id }) => {
  const { body, status, text } = await client.post<{ id: string }>(PLAYGROUND, { workspace_id });
  if (status !== 200) throw new Error(`${PLAYGROUND}: ${status} ${text}`);
  return { ids: { playground_session_id: body.id } };
};

/**
 * Whether a person may call Claude in the workspace. The role is one there, or an organization role that is inherited
 * everywhere.
 */
const canCallClaude = ({ role, workspaceRole }: Person): boolean =>
  [role && findInheritedRole(role), workspaceRole].some(
    (each) => each && findReach(each, "messages:create") !== null,
  );
const canSeeWorkspace = ({ role, workspaceRole }: Person): boolean =>
  workspaceRole !== undefined || (role !== undefined && findInheritedRole(role) !== null);

/** Lets the caller create keys in the workspace, as a member of it. Returns an own key there. */
export const allowPersonalKeys: NonNullable<Sample["prepareCaller"]> = async (
  client,
  { workspace_id },
  operator,
) => {
  await joinWorkspace(client, operator, workspace_id);
  await operator.post(`/v1/admin/workspaces/${workspace_id}`, { personal_keys: "members" });
  const key = { name: nextName(), workspace_id };
  const { body } = await client.post<{ id: string }>("/v1/admin/personal_keys", key);
  return { ids: { api_key_id: body.id } };
};

/** Id of a new key that belongs to the owner. */
const makeOwnKey = async ({ org, owner, made }: Parameters<OwnerCall>[0]) =>
  (await org.operator.createApiKey(made.workspace_id, { owner_member_id: owner.id })).id;

/** Adds the signed-in member to the workspace. Returns the member's id. */
async function joinWorkspace(client: Client, operator: Client, workspaceId: string) {
  const session = await client.get<{ member: { id: string; role: string } }>("/v1/admin/session");
  const { id, role } = session.body.member;
  // A member with the role Billing can only become Workspace Admin.
  const workspace_role = role === "billing" ? "workspace_admin" : "workspace_user";
  const person = { member_id: id, workspace_role };
  await operator.post(`/v1/admin/workspaces/${workspaceId}/members`, person);
  return id;
}

const rotationPolicyOf = ({ workspace_id }: Made) =>
  `/v1/admin/workspaces/${workspace_id}/rotation_policy`;

export const keySamples = {
  createApiKey: { body: ({ workspace_id }) => ({ name: nextName(), workspace_id }) },
  createApiKeys: { body: ({ workspace_id }) => ({ names: [nextName()], workspace_id }) },
  disableApiKeys: { body: ({ api_key_id }) => ({ ids: [api_key_id] }), isForeignKeyChange: true },
  archiveApiKeys: { body: ({ api_key_id }) => ({ ids: [api_key_id] }), isForeignKeyChange: true },
  listApiKeys: {},
  getApiKey: {},
  updateApiKey: {
    ...renamed,
    isForeignKeyChange: true,
    ifWider: {
      wider: async ({ owner, made: { api_key_id } }) => {
        await owner.client.post(`/v1/admin/api_keys/${api_key_id}`, { status: "inactive" });
        return { body: { status: "active" } };
      },
      narrower: async () => ({
        body: { status: "inactive", allowed_models: ["claude-haiku-4-5"] },
      }),
    },
  },
  rotateApiKey: { body: () => ({ grace_period_seconds: 3600 }), isForeignKeyChange: true },
  getKeyHygiene: {},
  getRotationPolicy: {},
  setRotationPolicy: {
    body: () => ({ rotation_days: nextDays() }),
    ifWider: {
      wider: async ({ org, made }) => {
        await org.operator.post(rotationPolicyOf(made), { rotation_days: 30 });
        return { body: { rotation_days: null } };
      },
      narrower: async ({ org, made }) => {
        await org.operator.post(rotationPolicyOf(made), { rotation_days: 30 });
        return { body: { rotation_days: 20 } };
      },
    },
  },
  cutOffApiKey: {
    prepare: (operator, { api_key_id }) =>
      operator.post(`/v1/admin/api_keys/${api_key_id}/rotate`, { grace_period_seconds: 3600 }),
    isForeignKeyChange: true,
  },
  listOfficialApiKeys: {},
  getOfficialApiKey: {},
  updateOfficialApiKey: { ...renamed, isForeignKeyChange: true },

  getPersonalKeyOptions: {},
  listPersonalKeys: {},
  createPersonalKey: {
    body: ({ workspace_id }) => ({ name: nextName(), workspace_id }),
    prepareCaller: allowPersonalKeys,
  },
  updatePersonalKey: {
    ...renamed,
    needs: ["workspace_id"],
    prepareCaller: allowPersonalKeys,
    callerIds: ["api_key_id"],
    ifWider: {
      wider: async (of) => {
        const api_key_id = await makeOwnKey(of);
        const url = `/v1/admin/personal_keys/${api_key_id}`;
        await of.owner.client.post(url, { status: "inactive" });
        return { ids: { api_key_id }, body: { status: "active" } };
      },
      narrower: async (of) => ({
        ids: { api_key_id: await makeOwnKey(of) },
        body: { allowed_models: ["claude-haiku-4-5"] },
      }),
    },
  },
  rotatePersonalKey: {
    body: () => ({ grace_period_seconds: 3600 }),
    needs: ["workspace_id"],
    prepareCaller: allowPersonalKeys,
    callerIds: ["api_key_id"],
  },

  createAdminKey: renamed,
  listAdminKeys: {},
  getAdminKey: {},
  revokeAdminKey: {},

  getSecuritySettings: {},
  updateSecuritySettings: { body: () => ({ max_key_lifetime_days: nextDays() }) },
  previewSecuritySettings: { body: () => ({ session_hours: 1 }) },

  listWaitingSecrets: {},
  revealWaitingSecret: {
    needs: ["workspace_id"],
    prepareCaller: async (client, { workspace_id }, operator) => {
      const id = await joinWorkspace(client, operator, workspace_id);
      return { ids: { waiting_secret_id: await makeWaitingSecret(operator, workspace_id, id) } };
    },
    callerIds: ["waiting_secret_id"],
  },

  startPlaygroundSession: {
    body: ({ workspace_id }) => ({ workspace_id }),
    isVisible: canSeeWorkspace,
    isDenied: (person) => !canCallClaude(person),
  },
  endPlaygroundSession: {
    needs: ["workspace_id"],
    prepareCaller: startPlayground,
    callerIds: ["playground_session_id"],
    isVisible: canCallClaude,
  },
} satisfies Samples;
