import { findInheritedRole, findReach } from "@bursar/contract/permissions.ts";
import type { Person, Sample, Samples } from "./sample.ts";
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
  const { body } = await client.post<{ id?: string }>(PLAYGROUND, { workspace_id });
  return body.id === undefined ? {} : { ids: { playground_session_id: body.id } };
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

const rotationPolicyOf = ({ workspace_id }: Made) =>
  `/v1/admin/workspaces/${workspace_id}/rotation_policy`;

export const keySamples = {
  createApiKey: { body: ({ workspace_id }) => ({ name: nextName(), workspace_id }) },
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

  createAdminKey: renamed,
  listAdminKeys: {},
  getAdminKey: {},
  revokeAdminKey: {},

  getSecuritySettings: {},
  updateSecuritySettings: { body: () => ({ max_key_lifetime_days: nextDays() }) },

  listWaitingSecrets: {},
  revealWaitingSecret: {
    needs: ["workspace_id"],
    prepareCaller: async (client, { workspace_id }, operator) => {
      const session = await client.get<{ member: { id: string; role: string } }>(
        "/v1/admin/session",
      );
      const { id, role } = session.body.member;
      // A member with the role Billing can only become Workspace Admin.
      const workspace_role = role === "billing" ? "workspace_admin" : "workspace_user";
      const person = { member_id: id, workspace_role };
      await operator.post(`/v1/admin/workspaces/${workspace_id}/members`, person);
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
