import type { Client } from "../admin.ts";
import type { OwnerCall, Sample, Samples } from "./sample.ts";
import { type Made, renamed } from "./subjects.ts";

const urlOf = ({ group_id }: Made) => `/v1/admin/groups/${group_id}`;
const join = (operator: Client, made: Made) =>
  operator.post(`${urlOf(made)}/members`, { member_id: made.member_id });
const joinGroup: Sample["prepare"] = join;
const setRole = (operator: Client, made: Made, role: string) =>
  operator.post(`${urlOf(made)}/workspaces/${made.workspace_id}`, { workspace_role: role });

/** Restricts the models of the group with the owner's own rank. The one member of the group then has no other list. */
const restrictModels: OwnerCall = async ({ org, owner, made }) => {
  await owner.client.post(urlOf(made), { allowed_models: ["claude-haiku-4-5"] });
  await join(org.operator, made);
  return {};
};
const asItIs: OwnerCall = async () => ({});

export const groupSamples = {
  listGroups: {},
  getGroup: {},
  createGroup: { body: () => ({ name: "Engineering" }) },
  updateGroup: {
    ...renamed,
    needs: ["member_id"],
    ifWider: {
      wider: async (of) => {
        await restrictModels(of);
        return { body: { allowed_models: null } };
      },
      narrower: asItIs,
    },
  },
  deleteGroup: { needs: ["member_id"], ifWider: { wider: restrictModels, narrower: asItIs } },
  listGroupMembers: {},
  addGroupMember: {
    needs: ["member_id"],
    body: ({ member_id }) => ({ member_id }),
    ifWider: {
      wider: async ({ org, made }) => {
        await setRole(org.operator, made, "workspace_admin");
        return {};
      },
      narrower: asItIs,
    },
  },
  removeGroupMember: {
    prepare: joinGroup,
    ifWider: { wider: restrictModels, narrower: asItIs },
  },
  setGroupWorkspace: {
    body: () => ({ workspace_role: "workspace_developer" }),
    ifWider: {
      wider: asItIs,
      narrower: async ({ org, made }) => {
        await setRole(org.operator, made, "workspace_admin");
        return {};
      },
    },
  },
  removeGroupWorkspace: { prepare: (operator, made) => setRole(operator, made, "workspace_user") },

  listOfficialGroups: {},
  getOfficialGroup: {},
  createOfficialGroup: { body: () => ({ name: "Engineering" }) },
  updateOfficialGroup: renamed,
  deleteOfficialGroup: {},
  listOfficialGroupMembers: {},
  addOfficialGroupMember: { needs: ["user_id"], body: ({ user_id }) => ({ user_id }) },
  removeOfficialGroupMember: { prepare: joinGroup },
  listOfficialRoles: {},
  // Every organization has the built-in roles.
  getOfficialRole: { isInstallationWide: true },
  listOfficialRolePermissions: { isInstallationWide: true },
} satisfies Samples;
