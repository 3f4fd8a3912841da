import {
  findInheritedRole,
  findReach,
  type KeyPermission,
  type OrganizationRole,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";

import { type AdminRoute, adminRoutes } from "@bursar/contract/routes.ts";
import type { Answer, Client, Listed, TestOrganization } from "./admin.ts";
import { type Authenticator, makeAuthenticator, totpCode } from "./authenticator.ts";
import { CONSOLE_ORIGIN, MEMBER_PASSWORD } from "./members.ts";

// A successful call of every route, for tests of all routes. A new route does not compile until it has a sample here.

/** One id of each kind in a route, by parameter name. */
export type Made = Record<
  | "workspace_id"
  | "api_key_id"
  | "admin_key_id"
  | "upstream_id"
  | "spend_limit_id"
  | "rate_limit_id"
  | "alert_id"
  | "alert_firing_id"
  | "spend_limit_increase_request_id"
  | "unresolved_spend_id"
  | "node_id"
  | "member_id"
  | "user_id"
  | "invite_id"
  | "mail_id"
  | "session_id"
  | "passkey_id"
  | "audit_event_id"
  | "access_review_id"
  | "playground_session_id"
  | "reviewer_id"
  | "request_id"
  | "alert_channel_id"
  | "alert_delivery_id",
  string
>;

/** Creates one subject of each kind. */
export function makeEach(org: TestOrganization): Promise<Made> {
  return makeThings(org, Object.keys(makers) as (keyof Made)[]);
}

/** Creates the subjects that the route's sample needs. Only these have ids. */
export function makeNeeds(org: TestOrganization, route: AdminRoute): Promise<Made> {
  const { needs = [] } = sampleOf(route);
  if (needs === "everything") return makeEach(org);
  return makeThings(org, ["workspace_id", ...needs, ...listNamedIds(route)]);
}

/**
 * Creates the subjects for a successful call of one caller, except those that `prepareCaller` creates. The effect on
 * subjects of other kinds does not depend on the caller, so only the local operator's calls have one of each kind.
 */
export function makeCallerNeeds(
  org: TestOrganization,
  route: AdminRoute,
  caller: Person & { actorType: string | null },
): Promise<Made> {
  const { needs = [], callerIds = [] } = sampleOf(route);
  const isComplete = needs === "everything" && caller.actorType === "local_operator";
  if (isComplete) return makeEach(org);
  const others = needs === "everything" ? [] : needs;
  const isOfWorkspace = caller.workspaceRole !== undefined || caller.permission !== undefined;
  return makeThings(org, [
    ...(isOfWorkspace ? (["workspace_id"] as const) : []),
    ...others,
    ...listNamedIds(route).filter((id) => !callerIds.includes(id)),
  ]);
}

async function makeThings(org: TestOrganization, ids: readonly (keyof Made)[]): Promise<Made> {
  const made: Partial<Made> = {};
  const make = async (id: keyof Made): Promise<string> => {
    made[id] ??= await makers[id](org, make);
    return made[id];
  };
  for (const id of ids) await make(id);
  return made as Made;
}

/** Creates one subject, and the subjects that it depends on. */
type Maker = (org: TestOrganization, make: (id: keyof Made) => Promise<string>) => Promise<string>;

const makers: Record<keyof Made, Maker> = {
  workspace_id: async ({ operator }) => (await operator.createWorkspace()).id,
  api_key_id: async ({ operator }, make) =>
    (await operator.createApiKey(await make("workspace_id"))).id,
  admin_key_id: async ({ operator }) => (await operator.createAdminKey()).id,
  upstream_id: ({ operator }) => findOrMakeUpstream(operator),
  spend_limit_id: async ({ operator }, make) =>
    createId(operator, "/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: await make("workspace_id") },
      period: "weekly",
      limit_usd: 50,
    }),
  rate_limit_id: async ({ operator }, make) =>
    createId(operator, "/v1/admin/rate_limits", {
      scope: { type: "workspace", workspace_id: await make("workspace_id") },
      requests_per_minute: 60,
    }),
  alert_id: async (org, make) =>
    makeFiredAlert(org, await make("workspace_id"), await make("api_key_id")),
  alert_firing_id: async ({ operator }, make) =>
    findFirstId(operator, `/v1/admin/alert_firings?alert_id=${await make("alert_id")}`),
  // The request raises the workspace's weekly limit.
  spend_limit_increase_request_id: async ({ operator }, make) => {
    await make("spend_limit_id");
    return createId(operator, INCREASE_REQUESTS, newIncreaseRequest(await make("workspace_id")));
  },
  unresolved_spend_id: async (org, make) =>
    (await org.createUnresolvedSpend(await make("workspace_id"), await make("api_key_id"))).id,
  node_id: async (org, make) => org.createSilentNode(await make("workspace_id")),
  member_id: async (org, make) => {
    const workspaces = { [await make("workspace_id")]: "workspace_user" } as const;
    return (await org.member({ workspaces })).id;
  },
  user_id: (_, make) => make("member_id"),
  invite_id: async ({ operator }) => {
    const invited = await operator.post<{ results: { invite: { id: string } }[] }>(
      "/v1/admin/invites",
      { emails: [nextEmail()], role: "user" },
    );
    return invited.body.results[0]?.invite.id ?? "";
  },
  mail_id: async ({ operator }, make) => {
    await make("invite_id");
    return findFirstId(operator, "/v1/admin/mail");
  },
  session_id: async (org) => {
    const { client } = await org.member();
    return (await client.get<{ session_id: string }>("/v1/admin/session")).body.session_id;
  },
  passkey_id: async (org) => makePasskey((await org.member()).client),
  reviewer_id: async (org) => (await org.member({ role: "admin" })).id,
  access_review_id: async ({ operator }, make) => {
    // For a role in the workspace, without a decision.
    await make("member_id");
    const review = newReview(await make("workspace_id"), await make("reviewer_id"));
    return createId(operator, REVIEWS, review);
  },
  // A session of another member.
  playground_session_id: async (org, make) => {
    const workspace_id = await make("workspace_id");
    const { client } = await org.member({ workspaces: { [workspace_id]: "workspace_developer" } });
    return createId(client, PLAYGROUND, { workspace_id });
  },
  request_id: async (org, make) =>
    org.recordRequest({
      workspaceId: await make("workspace_id"),
      apiKeyId: await make("api_key_id"),
      isEstimated: true,
    }),
  alert_channel_id: ({ operator }) =>
    createId(operator, CHANNELS, {
      name: nextName(),
      target: { kind: "webhook", url: "https://hooks.example.com/alerts" },
    }),
  alert_delivery_id: async ({ operator }, make) =>
    createId(operator, `${CHANNELS}/${await make("alert_channel_id")}/test`),
  audit_event_id: ({ operator }) => findFirstId(operator, "/v1/admin/audit_events?limit=1"),
};

/** Id of the subject that the call creates. */
async function createId(client: Client, url: string, body?: object): Promise<string> {
  return (await client.post<{ id: string }>(url, body)).body.id;
}

/** Id of the first row of a list. */
async function findFirstId(client: Client, url: string): Promise<string> {
  const [first] = (await client.get<Listed<{ id: string }>>(url)).body.data;
  return first?.id ?? "";
}

const CHANNELS = "/v1/admin/alert_channels";
const PLAYGROUND = "/v1/admin/playground/sessions";

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

/** Creates an alert that fires at once. Half a dollar is charged before. */
async function makeFiredAlert(org: TestOrganization, workspaceId: string, apiKeyId: string) {
  const { operator } = org;
  const { id } = await org.createUnresolvedSpend(workspaceId, apiKeyId);
  await operator.post(`/v1/admin/unresolved_spend/${id}/resolve`, {
    decision: "charge",
    reason: "The invoice has it.",
  });
  return createId(operator, "/v1/admin/alerts", {
    name: nextName(),
    scope: { type: "workspace", workspace_id: workspaceId },
    condition: { kind: "spend_limit", thresholds: [{ amount_usd: 0.01 }] },
  });
}

const REVIEWS = "/v1/admin/access_reviews";

function newReview(workspaceId: string, reviewerId: string) {
  return {
    name: nextName(),
    scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
    reviewer_ids: [reviewerId],
    due_at: "2026-12-20T00:00:00Z",
  };
}

/** Creates a review by the caller, and a decision on an item. */
const createReviewOfCaller: Sample["prepareCaller"] = async (
  client,
  { workspace_id },
  operator,
) => {
  const session = await client.get<{ member: { id: string } }>("/v1/admin/session");
  const review = await operator.post<{ id: string }>(
    REVIEWS,
    newReview(workspace_id, session.body.member.id),
  );
  const items = await operator.get<Listed<{ id: string; member: { id: string } }>>(
    `${REVIEWS}/${review.body.id}/items`,
  );
  const item = items.body.data.find(({ member }) => member.id !== session.body.member.id);
  return {
    ids: { access_review_id: review.body.id },
    body: { decisions: [{ item_id: item?.id, decision: "keep" }] },
  };
};

/** Whether the person may remove the items of the sample's review. */
const canReviewWorkspaces: Sample["isVisible"] = ({ role, workspaceRole }) =>
  role === "owner" || role === "admin" || workspaceRole === "workspace_admin";

const INCREASE_REQUESTS = "/v1/admin/spend_limit_increase_requests";

/** Request for a higher weekly limit of the workspace. */
function newIncreaseRequest(workspaceId: string) {
  return {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "weekly",
    amount_usd: 1_000 + ++uniqueName,
    reason: "The evaluation needs more.",
  };
}

/** Finds the organization's entry of a group. The official shape names a workspace's limit by it. */
const findOfficialEntry: Sample["prepareCaller"] = async (client) => {
  const path = "/v1/organizations/rate_limits?model=claude-sonnet-5";
  return { ids: { rate_limit_id: await findFirstId(client, path) } };
};

/** Whether the person sees increase requests of others in the workspace. */
const canSetLimits: Sample["isVisible"] = ({ role, workspaceRole, permission }) =>
  role === "owner" ||
  role === "admin" ||
  role === "billing" ||
  workspaceRole === "workspace_admin" ||
  permission === "admin";

/** Returns the id of the upstream. Creates one when none exists, since there is at most one. */
async function findOrMakeUpstream(operator: Client): Promise<string> {
  const existing = await findFirstId(operator, "/v1/admin/upstreams");
  if (existing !== "") return existing;
  return createId(operator, "/v1/admin/upstreams", {
    name: "Claude",
    base_url: "https://api.anthropic.com",
    credential: "sk-ant-api03-a-credential-of-the-upstream",
  });
}

/** Ids without a subject. */
export const unknownIds: Made = {
  workspace_id: "wksp_unknown",
  api_key_id: "apikey_unknown",
  admin_key_id: "adminkey_unknown",
  upstream_id: "ups_unknown",
  spend_limit_id: "spl_unknown",
  rate_limit_id: "rlim_unknown",
  alert_id: "alert_unknown",
  alert_firing_id: "firing_unknown",
  spend_limit_increase_request_id: "slir_unknown",
  request_id: "req_unknown",
  unresolved_spend_id: "unr_unknown",
  node_id: "node_unknown",
  member_id: "user_unknown",
  user_id: "user_unknown",
  invite_id: "invite_unknown",
  mail_id: "mail_unknown",
  session_id: "session_unknown",
  passkey_id: "passkey_unknown",
  audit_event_id: "audit_unknown",
  access_review_id: "review_unknown",
  playground_session_id: "play_unknown",
  reviewer_id: "reviewer_unknown",
  alert_channel_id: "channel_unknown",
  alert_delivery_id: "msg_unknown",
};

interface Person {
  role?: OrganizationRole | undefined;
  workspaceRole?: WorkspaceRole | undefined;
  /** Permission of a workspace key, which is no person. */
  permission?: KeyPermission | undefined;
}

interface Sample {
  /** Subjects that must exist beside those that the call names. */
  needs?: readonly (keyof Made)[] | "everything";
  /** Body of a successful call. On a changing route it makes a change. */
  body?: (made: Made) => object;
  query?: string | ((made: Made) => string);
  /** Prepares the organization. */
  prepare?: (operator: Client, made: Made) => Promise<unknown>;
  /** Creates subjects that must belong to the caller, with the caller's client. */
  prepareCaller?: (
    client: Client,
    made: Made,
    operator: Client,
  ) => Promise<{ ids?: Partial<Made>; body?: object }>;
  /** Ids in the call that `prepareCaller` returns. */
  callerIds?: readonly (keyof Made)[];
  /** Whether a permitted person's target exists. Default: yes, for all. */
  isVisible?: (person: Person) => boolean;
  /** Whether a person gets 403 for a visible target. */
  isDenied?: (person: Person) => boolean;
  /** Audit events that the change writes before its own. */
  audits?: readonly string[];
  /** The route changes an existing API key of another caller. */
  isForeignKeyChange?: true;
  /** The route shows usage of other members' keys. Hidden from members with access to their own usage only. */
  hasForeignUsage?: true;
  /** The route names a subject of the whole organization. A right in any workspace makes it visible. */
  isOrganizationWide?: true;
  /** The route names a node. Nodes belong to no organization: every caller that may list nodes sees it. */
  isInstallationWide?: true;
}

let uniqueName = 0;
let uniqueDays = 1_000;
const nextName = () => `Name ${++uniqueName}`;
const nextEmail = () => `person-${++uniqueName}@example.com`;
const renamed = { body: () => ({ name: nextName() }) };

const leaveWorkspace: Sample["prepare"] = (operator, { workspace_id, member_id }) =>
  operator.remove(`/v1/admin/workspaces/${workspace_id}/members/${member_id}`);

/** Has the right shape, but comes from no authenticator. */
const noPasskey = {
  id: "AAAA",
  rawId: "AAAA",
  type: "public-key",
  response: { clientDataJSON: "AAAA", attestationObject: "AAAA" },
};
const noAssertion = {
  ...noPasskey,
  response: { clientDataJSON: "AAAA", authenticatorData: "AAAA", signature: "AAAA" },
};
const TOTP = "/v1/admin/two_factor/totp";

async function beginTotp(client: Client): Promise<string> {
  return totpCode((await client.post<{ secret: string }>(TOTP)).body.secret);
}

const withTotp: Sample["prepareCaller"] = async (client) => {
  await client.post(`${TOTP}/confirm`, { code: await beginTotp(client) });
  return {};
};

async function answerNewPasskey(client: Client): Promise<object> {
  const asked = await client.post<{ options: Parameters<Authenticator["create"]>[0] }>(
    "/v1/admin/passkeys/options",
  );
  return makeAuthenticator().create(asked.body.options, CONSOLE_ORIGIN);
}

async function makePasskey(client: Client): Promise<string> {
  const passkey = await answerNewPasskey(client);
  return createId(client, "/v1/admin/passkeys", { name: "Key", passkey });
}

const ownPasskey: Pick<Sample, "prepareCaller" | "callerIds"> = {
  prepareCaller: async (client) => ({ ids: { passkey_id: await makePasskey(client) } }),
  callerIds: ["passkey_id"],
};

export const samples: Record<AdminRoute["operationId"], Sample> = {
  getSetUp: {},
  setUp: {
    body: () => ({
      token: "the token of a link",
      name: nextName(),
      email: nextEmail(),
      password: MEMBER_PASSWORD,
    }),
  },
  createSetUpLink: {},
  listOwners: {},
  resetOwner: {
    needs: ["member_id"],
    body: () => ({ email: "stranger@example.com" }),
    prepareCaller: async (operator, { member_id }) => {
      const url = `/v1/admin/members/${member_id}`;
      const { body } = await operator.post<{ email: string }>(url, { role: "owner" });
      return { body: { email: body.email } };
    },
  },
  signIn: { body: () => ({ email: nextEmail(), password: MEMBER_PASSWORD }) },
  signInWithTwoFactor: { body: () => ({ code: "000000" }) },
  getSignInPasskeyOptions: {},
  signInWithPasskey: { body: () => ({ passkey: noAssertion }) },
  requestPasswordReset: { body: () => ({ email: nextEmail() }) },
  confirmPasswordReset: {
    body: () => ({ token: "the token of a link", password: MEMBER_PASSWORD }),
  },

  getSession: {},
  updateProfile: renamed,
  signOut: {},
  listSessions: {},
  endSession: {
    prepareCaller: async (client) => {
      const { body } = await client.get<{ session_id: string }>("/v1/admin/session");
      return { ids: { session_id: body.session_id } };
    },
    callerIds: ["session_id"],
  },
  signOutEverywhere: { body: () => ({ keep_current: true }) },
  stepUp: { body: () => ({ password: MEMBER_PASSWORD }) },
  getStepUpPasskeyOptions: {},
  changePassword: {
    body: () => ({ current_password: MEMBER_PASSWORD, new_password: "another good sentence" }),
  },
  enableTotp: {},
  confirmTotp: {
    body: () => ({ code: "000000" }),
    prepareCaller: async (client) => ({ body: { code: await beginTotp(client) } }),
  },
  disableTotp: { prepareCaller: withTotp },
  replaceBackupCodes: { prepareCaller: withTotp },
  listPasskeys: {},
  getNewPasskeyOptions: {},
  addPasskey: {
    body: () => ({ name: "Key", passkey: noPasskey }),
    prepareCaller: async (client) => ({ body: { passkey: await answerNewPasskey(client) } }),
  },
  renamePasskey: { ...renamed, ...ownPasskey },
  removePasskey: ownPasskey,

  getOrganization: {},
  getOrganizationSettings: {},
  updateOrganization: renamed,

  listWorkspaces: {},
  createWorkspace: renamed,
  getWorkspace: {},
  updateWorkspace: renamed,
  archiveWorkspace: { needs: "everything" },
  listOfficialWorkspaces: {},
  createOfficialWorkspace: renamed,
  getOfficialWorkspace: {},
  updateOfficialWorkspace: renamed,
  archiveOfficialWorkspace: { needs: "everything" },

  listMembers: {},
  getMember: {},
  updateMember: { body: () => ({ role: "developer" }) },
  deactivateMember: { needs: "everything" },
  reactivateMember: {
    prepare: (operator, { member_id }) =>
      operator.post(`/v1/admin/members/${member_id}/deactivate`),
  },
  previewMemberRemoval: {},
  removeMember: { needs: "everything" },
  listOfficialUsers: {},
  getOfficialUser: {},
  updateOfficialUser: { body: () => ({ role: "developer" }) },
  removeOfficialUser: { needs: "everything" },

  listWorkspaceMembers: {},
  getWorkspaceMember: {},
  addWorkspaceMember: {
    body: ({ member_id }) => ({ member_id, workspace_role: "workspace_developer" }),
    prepare: leaveWorkspace,
  },
  updateWorkspaceMember: { body: () => ({ workspace_role: "workspace_developer" }) },
  removeWorkspaceMember: {},
  listOfficialWorkspaceMembers: {},
  getOfficialWorkspaceMember: {},
  addOfficialWorkspaceMember: {
    body: ({ user_id }) => ({ user_id, workspace_role: "workspace_developer" }),
    prepare: leaveWorkspace,
  },
  updateOfficialWorkspaceMember: { body: () => ({ workspace_role: "workspace_developer" }) },
  removeOfficialWorkspaceMember: {},

  createInvites: { body: () => ({ emails: [nextEmail()], role: "user" }) },
  listInvites: {},
  getInvite: {},
  resendInvite: {},
  revokeInvite: {},
  lookUpInvite: {},
  acceptInvite: {},
  listOfficialInvites: {},
  createOfficialInvite: { body: () => ({ email: nextEmail(), role: "user" }) },
  getOfficialInvite: {},
  deleteOfficialInvite: {},

  listMail: {},
  getMail: {},
  sendTestMail: { body: () => ({ to: nextEmail() }) },

  createApiKey: { body: ({ workspace_id }) => ({ name: nextName(), workspace_id }) },
  listApiKeys: {},
  getApiKey: {},
  updateApiKey: { ...renamed, isForeignKeyChange: true },
  rotateApiKey: { body: () => ({ grace_period_seconds: 3600 }), isForeignKeyChange: true },
  getKeyHygiene: {},
  getRotationPolicy: {},
  setRotationPolicy: { body: () => ({ rotation_days: ++uniqueDays }) },
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
  updateSecuritySettings: { body: () => ({ max_key_lifetime_days: ++uniqueDays }) },

  createAlertChannel: {
    body: () => ({ name: nextName(), target: { kind: "email", recipients: { roles: ["owner"] } } }),
  },
  listAlertChannels: {},
  getAlertChannel: { isOrganizationWide: true },
  updateAlertChannel: renamed,
  deleteAlertChannel: {},
  rotateAlertChannelSecret: { body: () => ({ overlap_hours: 24 }) },
  testAlertChannel: {},
  listAlertDeliveries: {},
  redeliverAlert: {},

  setWorkspaceLimit: { body: ({ workspace_id }) => ({ workspace_id, monthly_limit_usd: 100 }) },
  listWorkspaceLimits: {},
  setSpendLimit: {
    body: ({ api_key_id }) => ({
      scope: { type: "api_key", api_key_id },
      period: "daily",
      limit_usd: 25,
    }),
  },
  listSpendLimits: {},
  getSpendLimit: {},
  deleteSpendLimit: {},
  setRateLimit: {
    body: ({ api_key_id }) => ({
      scope: { type: "api_key", api_key_id },
      requests_per_minute: 60,
    }),
  },
  listRateLimits: {},
  getRateLimit: {},
  deleteRateLimit: {},
  getEffectiveRateLimits: { query: ({ api_key_id }) => `api_key_id=${api_key_id}` },
  listModelGroups: {},
  listOfficialRateLimits: {},
  listOfficialWorkspaceRateLimits: {},
  updateOfficialWorkspaceRateLimit: {
    prepareCaller: findOfficialEntry,
    callerIds: ["rate_limit_id"],
    body: () => ({ limits: [{ type: "requests_per_minute", value: 30 }] }),
  },
  createAlert: {
    body: ({ workspace_id }) => ({
      name: nextName(),
      scope: { type: "workspace", workspace_id },
      condition: { kind: "spend_limit" },
    }),
  },
  listAlerts: {},
  getAlert: {},
  updateAlert: renamed,
  deleteAlert: {},
  listAlertFirings: {},
  getAlertFiring: {},
  acknowledgeAlertFiring: { body: () => ({ note: nextName() }) },
  getEffectiveSpendLimits: { query: ({ api_key_id }) => `api_key_id=${api_key_id}` },
  listBlockingLimits: {},
  getPeriodSpend: { query: ({ workspace_id }) => `workspace_id=${workspace_id}` },
  listOfficialSpendLimits: {},
  listEffectiveMemberLimits: {},
  setOfficialSpendLimit: {
    body: ({ workspace_id }) => ({ scope: { type: "workspace", workspace_id }, amount: "12345" }),
  },
  getOfficialSpendLimit: {},
  deleteOfficialSpendLimit: {},

  createIncreaseRequest: {
    needs: ["spend_limit_id"],
    body: ({ workspace_id }) => newIncreaseRequest(workspace_id),
  },
  listIncreaseRequests: {},
  getIncreaseRequest: { isVisible: canSetLimits },
  withdrawIncreaseRequest: {
    needs: ["workspace_id", "spend_limit_id"],
    prepareCaller: async (client, { workspace_id }) => {
      const id = await createId(client, INCREASE_REQUESTS, newIncreaseRequest(workspace_id));
      return { ids: { spend_limit_increase_request_id: id } };
    },
    callerIds: ["spend_limit_increase_request_id"],
  },
  approveIncreaseRequest: {
    body: () => ({ answer: "Spend it well." }),
    audits: ["spend_limit.set"],
  },
  denyIncreaseRequest: { body: () => ({ answer: "Not this month." }) },
  listOfficialIncreaseRequests: {},
  getOfficialIncreaseRequest: {},
  approveOfficialIncreaseRequest: {
    body: () => ({ amount: "100000000" }),
    audits: ["spend_limit.set"],
  },
  denyOfficialIncreaseRequest: { body: () => ({ suppress_notification: true }) },

  listUnresolvedSpend: {},
  resolveUnresolvedSpend: { body: () => ({ decision: "charge", reason: "The invoice has it." }) },
  listSpendAdjustments: {},
  setRequestCost: { body: () => ({ cost_usd: "0.21", reason: "The invoice has it." }) },
  checkLedger: {},

  getUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  exportUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  getCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  exportCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  getCostSummary: {},
  listRequests: {},
  exportRequests: {},
  getRequest: { hasForeignUsage: true },
  getRequestLogSettings: {},
  updateRequestLogSettings: { body: () => ({ retention_days: ++uniqueDays }) },
  getOfficialUsageReport: { query: "starting_at=2026-11-20T00:00:00Z" },
  getOfficialCostReport: { query: "starting_at=2026-11-20T00:00:00Z" },
  getOfficialClaudeCodeReport: { query: "starting_at=2026-11-20" },
  listAnalyticsUsage: { query: "starting_at=2026-11-20T00:00:00Z" },
  listAnalyticsCost: { query: "starting_at=2026-11-20T00:00:00Z" },
  listModelPrices: {},
  createModelPrice: { body: () => ({ model: nextName(), input_usd: 1, output_usd: 5 }) },

  listUpstreams: {},
  createUpstream: {
    needs: ["upstream_id"],
    body: () => ({ name: nextName(), base_url: "https://api.anthropic.com" }),
    prepare: (operator, { upstream_id }) => operator.remove(`/v1/admin/upstreams/${upstream_id}`),
  },
  getUpstream: {},
  updateUpstream: renamed,
  deleteUpstream: {},

  listAccess: {},
  exportAccess: { query: "format=jsonl" },
  createAccessReview: {
    needs: ["member_id"],
    body: ({ workspace_id, reviewer_id }) => newReview(workspace_id, reviewer_id),
  },
  previewAccessReview: {
    body: ({ workspace_id }) => ({
      scope: { paths: ["workspace_role"], workspace_ids: [workspace_id] },
    }),
  },
  listAccessReviews: {},
  getAccessReview: {},
  updateAccessReview: renamed,
  closeAccessReview: {},
  cancelAccessReview: {},
  listAccessReviewItems: {},
  exportAccessReviewItems: {},
  listAssignedAccessReviews: {},
  listAssignedAccessReviewItems: {},
  decideAccessReviewItems: {
    body: () => ({ decisions: [{ item_id: "reviewitem_unknown", decision: "keep" }] }),
    needs: ["workspace_id", "member_id"],
    prepareCaller: createReviewOfCaller,
    callerIds: ["access_review_id"],
    isVisible: canReviewWorkspaces,
  },
  getAccessReviewEvidence: {},
  verifyAccessReviewEvidence: {
    body: () => ({
      document: {},
      signature: { algorithm: "Ed25519", key_id: "evkey_0", value: "AAAA" },
    }),
  },
  listEvidenceKeys: {},

  listAuditEvents: {},
  exportAuditEvents: { query: "format=csv" },
  getAuditEvent: {},
  getAuditLogState: {},
  verifyAuditLog: {},
  setAuditRetention: { body: () => ({ retention_days: 365 }) },

  getSystem: {},
  listNodes: {},
  // A call of another organization releases nothing of this one: see forget-node.test.ts.
  forgetNode: { body: () => ({ reason: "The machine is gone." }), isInstallationWide: true },

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
};

export function sampleOf(route: AdminRoute): Sample {
  return samples[route.operationId];
}

export function urlOf(route: AdminRoute, ids: Made): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = (ids as Record<string, string>)[name];
    if (id === undefined) throw new Error(`${route.path}: ${name} was not created, see makers`);
    return encodeURIComponent(id);
  });
  const { query: ask = "" } = sampleOf(route);
  const query = typeof ask === "string" ? ask : ask(ids);
  return query === "" ? path : `${path}?${query}`;
}

/** Calls the route with its sample. `extra` adds fields to the body. */
export function callRoute<Body>(
  client: Client,
  route: AdminRoute,
  ids: Made,
  extra: object = {},
): Promise<Answer<Body>> {
  const body = sampleOf(route).body?.(ids);
  const payload = { ...body, ...extra };
  return client.send({
    method: route.method,
    url: urlOf(route, ids),
    ...((body !== undefined || Object.keys(extra).length > 0) && { payload }),
  });
}

/** Ids that the sample call names in its path, query or body. */
function listNamedIds(route: AdminRoute): (keyof Made)[] {
  const body = JSON.stringify(sampleOf(route).body?.(unknownIds) ?? {});
  const call = `${urlOf(route, unknownIds)} ${body}`;
  const ids = Object.keys(unknownIds) as (keyof Made)[];
  return ids.filter((id) => call.includes(unknownIds[id]));
}

/** True when the route is about one existing subject. */
export const hasTarget = (route: AdminRoute): boolean => listNamedIds(route).length > 0;

/** Name and route of each route, as `test.each` takes them. */
export const namedRoutes = adminRoutes.map((route): [string, AdminRoute] => [
  `${route.method} ${route.path}`,
  route,
]);
