import { randomUUID } from "node:crypto";
import type { Client, Listed, TestOrganization } from "../admin.ts";
import { type Authenticator, makeAuthenticator } from "../authenticator.ts";
import { CONSOLE_ORIGIN } from "../members.ts";

// Subjects that the calls of routes name. Each kind has a function that creates one.

/** One id of each kind in a route, by parameter name. */
export type Made = Record<
  | "workspace_id"
  | "api_key_id"
  | "admin_key_id"
  | "neutral_feature_id"
  | "contract_term_id"
  | "exceeded_bound_id"
  | "managed_settings_version_id"
  | "upstream_id"
  | "telemetry_receiver_id"
  | "directory_id"
  | "scim_token_id"
  | "linked_directory_id"
  | "spend_limit_id"
  | "rate_limit_id"
  | "alert_id"
  | "alert_firing_id"
  | "spend_limit_increase_request_id"
  | "unresolved_spend_id"
  | "node_id"
  | "member_id"
  | "user_id"
  | "group_id"
  | "rbac_group_id"
  | "rbac_role_id"
  | "invite_id"
  | "mail_id"
  | "session_id"
  | "passkey_id"
  | "audit_event_id"
  | "access_review_id"
  | "playground_session_id"
  | "laptop_id"
  | "user_code"
  | "waiting_secret_id"
  | "reviewer_id"
  | "request_id"
  | "agent_session_id"
  | "message_batch_id"
  | "stored_object_id"
  | "alert_channel_id"
  | "alert_delivery_id",
  string
>;

/** Creates one subject of each kind. */
export function makeEach(org: TestOrganization): Promise<Made> {
  return makeSubjects(org, Object.keys(makers) as (keyof Made)[]);
}

/** Creates these subjects. Only these have ids. */
export async function makeSubjects(
  org: TestOrganization,
  ids: readonly (keyof Made)[],
): Promise<Made> {
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
  neutral_feature_id: ({ operator }) =>
    createId(operator, "/v1/admin/neutral_features", newNeutralFeature()),
  contract_term_id: ({ operator }) =>
    createId(operator, "/v1/admin/contract_terms", newContractTerm()),
  exceeded_bound_id: async (org) => {
    await org.recordExceededBound();
    return findFirstId(org.operator, "/v1/admin/exceeded_bounds");
  },
  // An earlier version, so that its restoration is a change.
  managed_settings_version_id: async ({ operator }) => {
    const id = await createId(operator, "/v1/admin/managed_settings", newManagedSettings());
    await operator.post("/v1/admin/managed_settings", newManagedSettings());
    return id;
  },
  directory_id: ({ operator }) => createId(operator, "/v1/admin/directories", newDirectory()),
  scim_token_id: async ({ operator }, make) =>
    createId(operator, `/v1/admin/directories/${await make("directory_id")}/scim_tokens`),
  linked_directory_id: async (org, make) => {
    const id = await createId(org.operator, "/v1/admin/directories", newDirectory());
    await org.linkDirectory(await make("member_id"), id);
    return id;
  },
  upstream_id: ({ operator }) => findOrMakeUpstream(operator),
  telemetry_receiver_id: ({ operator }) =>
    createId(operator, "/v1/admin/telemetry_receivers", newTelemetryReceiver()),
  spend_limit_id: async ({ operator }, make) =>
    createId(operator, "/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: await make("workspace_id") },
      period: "weekly",
      limit_usd: 50,
      // The lowest rank, so that each caller may change the limit.
      rank: "workspace",
    }),
  rate_limit_id: async ({ operator }, make) =>
    createId(operator, "/v1/admin/rate_limits", {
      scope: { type: "workspace", workspace_id: await make("workspace_id") },
      requests_per_minute: 60,
      rank: "workspace",
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
  rbac_group_id: (_, make) => make("group_id"),
  rbac_role_id: async () => "workspace_developer",
  group_id: ({ operator }) => createId(operator, "/v1/admin/groups", { name: "Engineering" }),
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
  session_id: async ({ operator }, make) =>
    findFirstId(operator, `/v1/admin/members/${await make("member_id")}/sessions`),
  passkey_id: async (org) => makePasskey((await org.member()).client),
  reviewer_id: async (org) => (await org.member({ role: "admin" })).id,
  access_review_id: async ({ operator }, make) => {
    // For a role in the workspace, without a decision.
    await make("member_id");
    const review = newReview(await make("workspace_id"), await make("reviewer_id"));
    return createId(operator, REVIEWS, review);
  },
  // With a workspace and a member of its own, so that no other subject has one key more.
  waiting_secret_id: async (org) => {
    const { id } = await org.operator.createWorkspace();
    const owner = await org.member({ role: "admin" });
    return makeWaitingSecret(org.operator, id, owner.id);
  },
  // A session of another member.
  playground_session_id: async (org, make) => {
    const workspace_id = await make("workspace_id");
    const { client } = await org.member({ workspaces: { [workspace_id]: "workspace_developer" } });
    return createId(client, PLAYGROUND, { workspace_id });
  },
  // A laptop of another member.
  laptop_id: async (org, make) => {
    const workspace_id = await make("workspace_id");
    const { client } = await org.member({ workspaces: { [workspace_id]: "workspace_developer" } });
    return signInByCode(client, workspace_id);
  },
  // Another member looked it up first.
  user_code: async (org) => bindCode((await org.member()).client),
  request_id: async (org, make) =>
    org.recordRequest({
      workspaceId: await make("workspace_id"),
      apiKeyId: await make("api_key_id"),
      isEstimated: true,
    }),
  agent_session_id: async (org, make) => {
    const agentSessionId = nextName().replaceAll(" ", "_");
    const workspaceId = await make("workspace_id");
    const apiKeyId = await make("api_key_id");
    await org.recordRequest({ workspaceId, apiKeyId, claimed: { agentSessionId } });
    return agentSessionId;
  },
  message_batch_id: async (org, make) =>
    org.storeBatch(await make("workspace_id"), await make("api_key_id")),
  stored_object_id: async (org, make) =>
    org.storeFile(await make("workspace_id"), await make("api_key_id")),
  alert_channel_id: ({ operator }) =>
    createId(operator, CHANNELS, {
      name: nextName(),
      target: { kind: "webhook", url: "https://hooks.example.com/alerts" },
    }),
  alert_delivery_id: async ({ operator }, make) =>
    createId(operator, `${CHANNELS}/${await make("alert_channel_id")}/test`),
  audit_event_id: ({ operator }) => findFirstId(operator, "/v1/admin/audit_events?limit=1"),
};

const CODES = "/v1/admin/device_authorizations";

/** Starts a sign-in of Claude Code, from an address of its own. Returns the user code. */
export async function startSignIn(client: Client): Promise<string> {
  const { body, status, text } = await client.send<{ user_code: string }>({
    method: "POST",
    url: "/oauth/device_authorization",
    remoteAddress: nextAddress(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: "surface=claude_code",
  });
  if (status !== 200) throw new Error(text);
  return body.user_code;
}

/** Starts a sign-in, and looks its code up in the client's session. */
export async function bindCode(client: Client): Promise<string> {
  const code = await startSignIn(client);
  const { status, text } = await client.get(`${CODES}/${code}`);
  if (status !== 200) throw new Error(text);
  return code;
}

/** Approves a sign-in of the client's member. Returns the id of the laptop. */
export async function signInByCode(client: Client, workspace_id: string): Promise<string> {
  const url = `${CODES}/${await bindCode(client)}/approve`;
  const { body, status, text } = await client.post<{ id: string }>(url, { workspace_id });
  if (status !== 200) throw new Error(text);
  return body.id;
}

export function newNeutralFeature() {
  const name = nextName().replaceAll(/[^a-z0-9]/gi, "_");
  return { kind: "field", name, effect: "labels the request", source: "https://example.com" };
}

export function newContractTerm() {
  const model_family = nextName().replaceAll(/[^a-z0-9]/gi, "-");
  return { from_month: "2026-11", model_family, discount_percent: "12.5" };
}

export function newDirectory() {
  return { name: nextName(), issuer: `https://${randomUUID()}.example.com` };
}

/** Id of the subject that the call creates. */
export async function createId(client: Client, url: string, body?: object): Promise<string> {
  return (await client.post<{ id: string }>(url, body)).body.id;
}

/** Id of the waiting secret of a new key that belongs to the member. */
export async function makeWaitingSecret(
  operator: Client,
  workspaceId: string,
  memberId: string,
): Promise<string> {
  const made = await operator.createApiKey(workspaceId, { owner_member_id: memberId });
  return made.waiting_secret?.id ?? "";
}

/** Id of the first row of a list. */
export async function findFirstId(client: Client, url: string): Promise<string> {
  const [first] = (await client.get<Listed<{ id: string }>>(url)).body.data;
  return first?.id ?? "";
}

export async function answerNewPasskey(client: Client): Promise<object> {
  const asked = await client.post<{ options: Parameters<Authenticator["create"]>[0] }>(
    "/v1/admin/passkeys/options",
  );
  return makeAuthenticator().create(asked.body.options, CONSOLE_ORIGIN);
}

export async function makePasskey(client: Client): Promise<string> {
  const passkey = await answerNewPasskey(client);
  return createId(client, "/v1/admin/passkeys", { name: "Key", passkey });
}

const CHANNELS = "/v1/admin/alert_channels";
export const PLAYGROUND = "/v1/admin/playground/sessions";
export const REVIEWS = "/v1/admin/access_reviews";
export const INCREASE_REQUESTS = "/v1/admin/spend_limit_increase_requests";

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

export function newReview(workspaceId: string, reviewerId: string) {
  return {
    name: nextName(),
    scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
    reviewer_ids: [reviewerId],
    due_at: "2026-12-20T00:00:00Z",
  };
}

/** Request for a higher weekly limit of the workspace. */
export function newIncreaseRequest(workspaceId: string) {
  return {
    scope: { type: "workspace", workspace_id: workspaceId },
    period: "weekly",
    amount_usd: 1_000 + nextNumber(),
    reason: "The evaluation needs more.",
  };
}

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
  neutral_feature_id: "feature_unknown",
  contract_term_id: "term_unknown",
  exceeded_bound_id: "bound_unknown",
  managed_settings_version_id: "settings_unknown",
  upstream_id: "ups_unknown",
  telemetry_receiver_id: "telrcv_unknown",
  directory_id: "dir_unknown",
  scim_token_id: "scimtok_unknown",
  linked_directory_id: "dir_unlinked",
  spend_limit_id: "spl_unknown",
  rate_limit_id: "rlim_unknown",
  alert_id: "alert_unknown",
  alert_firing_id: "firing_unknown",
  spend_limit_increase_request_id: "slir_unknown",
  request_id: "req_unknown",
  agent_session_id: "session_unknown",
  message_batch_id: "batch_unknown",
  stored_object_id: "object_unknown",
  unresolved_spend_id: "unr_unknown",
  node_id: "node_unknown",
  member_id: "user_unknown",
  user_id: "user_unknown",
  group_id: "group_unknown",
  rbac_group_id: "group_unknown",
  rbac_role_id: "role_unknown",
  invite_id: "invite_unknown",
  mail_id: "mail_unknown",
  session_id: "session_unknown",
  passkey_id: "passkey_unknown",
  audit_event_id: "audit_unknown",
  access_review_id: "review_unknown",
  playground_session_id: "play_unknown",
  laptop_id: "laptop_unknown",
  user_code: "unknown-code",
  waiting_secret_id: "wsec_unknown",
  reviewer_id: "reviewer_unknown",
  alert_channel_id: "channel_unknown",
  alert_delivery_id: "msg_unknown",
};

export const newTelemetryReceiver = () => ({
  name: nextName(),
  url: "https://otel.example.com",
  headers: { authorization: "Bearer sample" },
});

export const newManagedSettings = () => ({
  policies: [{ name: nextName(), group_ids: [], settings: { cleanupPeriodDays: 20 } }],
});

let uniqueNumber = 0;
let uniqueDays = 1_000;
/** Number that no other call returns. */
export const nextNumber = () => ++uniqueNumber;
/** Address that no other request has, so that limits of one address do not count it. */
export function nextAddress(): string {
  const number = nextNumber();
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
export const nextName = () => `Name ${nextNumber()}`;
export const nextEmail = () => `person-${nextNumber()}@example.com`;
/** Number of days that no other call returns. */
export const nextDays = () => ++uniqueDays;
/** A body with a new name. */
export const renamed = { body: () => ({ name: nextName() }) };
