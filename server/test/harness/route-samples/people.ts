import type { Client } from "../admin.ts";
import type { Sample, Samples } from "./sample.ts";
import { nextEmail, renamed } from "./subjects.ts";

const leaveWorkspace: Sample["prepare"] = (operator, { workspace_id, member_id }) =>
  operator.remove(`/v1/admin/workspaces/${workspace_id}/members/${member_id}`);

/** Creates an alert channel with the address of the member. */
const addressChannel: Sample["prepare"] = async (operator, { member_id }) => {
  const { body } = await operator.get<{ email: string }>(`/v1/admin/members/${member_id}`);
  const target = { kind: "email", recipients: { addresses: [body.email] } };
  return operator.post("/v1/admin/alert_channels", { name: "On call", target });
};

async function inviteDeveloper(operator: Client): Promise<string> {
  const { body } = await operator.post<{ results: { invite: { id: string } }[] }>(
    "/v1/admin/invites",
    { emails: [nextEmail()], role: "developer" },
  );
  return body.results[0]?.invite.id ?? "";
}

export const peopleSamples = {
  getOrganization: {},
  getOrganizationSettings: {},
  updateOrganization: renamed,

  listWorkspaces: {},
  createWorkspace: renamed,
  getWorkspace: {},
  listTags: {},
  exportTags: {},
  importTags: {
    body: () => ({ csv: "kind,id\n" }),
    needs: ["workspace_id"],
    prepareCaller: async (client, { workspace_id }) => {
      const { id } = await client.createApiKey(workspace_id);
      return { body: { csv: `kind,id,tag:cost_center\napi_key,${id},4711` } };
    },
  },
  updateWorkspace: {
    ...renamed,
    ifWider: {
      wider: async () => ({ body: { personal_keys: "members" } }),
      narrower: async () => ({}),
    },
  },
  archiveWorkspace: { needs: "everything" },
  listOfficialWorkspaces: {},
  createOfficialWorkspace: renamed,
  getOfficialWorkspace: {},
  updateOfficialWorkspace: renamed,
  archiveOfficialWorkspace: { needs: "everything" },

  listMembers: {},
  getMember: {},
  updateMember: {
    body: () => ({ role: "developer" }),
    ifWider: {
      wider: async () => ({}),
      narrower: async ({ org, made: { member_id } }) => {
        await org.operator.post(`/v1/admin/members/${member_id}`, { role: "admin" });
        return {};
      },
    },
  },
  deactivateMember: { needs: "everything" },
  reactivateMember: {
    prepare: (operator, { member_id }) =>
      operator.post(`/v1/admin/members/${member_id}/deactivate`),
  },
  signOutMember: {},
  listMemberSessions: {},
  endMemberSession: {},
  previewMemberRemoval: {},
  removeMember: { needs: "everything" },
  createResetLink: {},
  listOwnedThings: {},
  handOverThings: {
    needs: ["reviewer_id"],
    body: ({ reviewer_id }) => ({ new_owner_id: reviewer_id }),
    prepare: addressChannel,
  },
  listLeftBehind: {},
  listMemberDirectories: {},
  unlinkMemberDirectory: {},
  listOfficialUsers: {},
  getOfficialUser: {},
  updateOfficialUser: { body: () => ({ role: "developer" }) },
  signOutOfficialUser: {},
  removeOfficialUser: { needs: "everything" },

  listWorkspaceMembers: {},
  getWorkspaceMember: {},
  addWorkspaceMember: {
    body: ({ member_id }) => ({ member_id, workspace_role: "workspace_developer" }),
    prepare: leaveWorkspace,
  },
  updateWorkspaceMember: {
    body: () => ({ workspace_role: "workspace_developer" }),
    ifWider: {
      wider: async () => ({}),
      narrower: async ({ org, made: { workspace_id, member_id } }) => {
        const url = `/v1/admin/workspaces/${workspace_id}/members/${member_id}`;
        await org.operator.post(url, { workspace_role: "workspace_admin" });
        return {};
      },
    },
  },
  removeWorkspaceMember: {},
  listOfficialWorkspaceMembers: {},
  getOfficialWorkspaceMember: {},
  addOfficialWorkspaceMember: {
    body: ({ user_id }) => ({ user_id, workspace_role: "workspace_developer" }),
    prepare: leaveWorkspace,
  },
  updateOfficialWorkspaceMember: { body: () => ({ workspace_role: "workspace_developer" }) },
  removeOfficialWorkspaceMember: {},

  createInvites: {
    body: () => ({ emails: [nextEmail()], role: "user" }),
    ifWider: {
      wider: async ({ made: { workspace_id } }) => ({
        body: { workspaces: [{ workspace_id, workspace_role: "workspace_admin" }] },
      }),
      narrower: async () => ({}),
    },
  },
  listInvites: {},
  getInvite: {},
  resendInvite: {
    ifWider: {
      wider: async ({ org }) => ({ ids: { invite_id: await inviteDeveloper(org.operator) } }),
      narrower: async () => ({}),
    },
  },
  revokeInvite: {},
  lookUpInvite: {},
  acceptInvite: {},
  listOfficialInvites: {},
  createOfficialInvite: { body: () => ({ email: nextEmail(), role: "user" }) },
  getOfficialInvite: {},
  deleteOfficialInvite: {},

  listMail: {},
  getMail: {
    ifWider: {
      wider: async ({ requestReset, owner }) => ({ ids: { mail_id: await requestReset(owner) } }),
      narrower: async () => ({}),
    },
  },
  sendTestMail: { body: () => ({ to: nextEmail() }) },
} satisfies Samples;
