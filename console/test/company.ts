import { eventually } from "../../server/test/harness/eventually.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  textField,
} from "../../server/test/harness/server-process.ts";
import { fillMonth, type UsedKey } from "./company-month.ts";
import { addStoredObjects } from "./company-objects.ts";
import { addManagedSettings, addTelemetryReceivers } from "./company-settings.ts";

// A company after a month, for screenshots and page tests: people, workspaces, keys, limits, usage.

export const owner = {
  name: "Ada Lovelace",
  email: "ada@northwind.example",
  password: "correct horse battery staple",
};

export interface Company {
  server: ServerProcess;
  /** Secret of the first key. */
  apiKey: string;
  /** Path of the set-up link of the first start. Its token is used up. */
  setUpPath: string;
  /** Session of each member as a cookie, `name=value`, by e-mail address. */
  sessions: Record<string, string>;
  engineeringId: string;
  apiKeyId: string;
  /** A key with restrictions of several ranks. No test sends with it. */
  restrictedKeyId: string;
  groupId: string;
  /** A directory with a SCIM token and a provided group. People cannot sign in through it. */
  directoryId: string;
  /** A member of the group. */
  memberId: string;
  /** An open access review with the owner as reviewer. */
  reviewId: string;
  /** Firing of an alert about a workspace's spend. */
  firingId: string;
  /** Limit of Engineering, which holds streams in steps and has an overrun. */
  spendLimitId: string;
  /** Pending request for a higher limit of Engineering. */
  increaseRequestId: string;
}

/** Set-up link of a server without an owner. */
export function setUpLinkOf(server: ServerProcess): string {
  const link = /http\S+\/setup#token=\S+/.exec(server.output())?.[0];
  if (link === undefined) throw new Error(`no set-up link in:\n${server.output()}`);
  return link;
}

export async function startCompany(): Promise<Company> {
  return createCompany(await startServer());
}

/** Fills a server without an owner with a company. */
export async function createCompany(server: ServerProcess): Promise<Company> {
  const { pathname, hash } = new URL(setUpLinkOf(server));
  const sessions: Company["sessions"] = {};
  sessions[owner.email] = await postForCookie(server, "/v1/admin/setup", {
    token: hash.slice("#token=".length),
    organization_name: "Northwind Robotics",
    ...owner,
  });
  const workspaceIds: string[] = [];
  for (const [name, display_color, description] of workspaces) {
    const made = await server.mustAdmin("POST", "/v1/admin/workspaces", {
      name,
      display_color,
      description,
    });
    workspaceIds.push(textField(made, "id"));
  }
  const [engineeringId = ""] = workspaceIds;
  const keys: (UsedKey & { key: string })[] = [];
  for (const [name, index, permission, scale] of keyPlan) {
    const workspaceId = workspaceIds[index] ?? "";
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name,
      workspace_id: workspaceId,
      permissions: [permission],
    });
    keys.push({ id: textField(made, "id"), key: textField(made, "key"), workspaceId, scale });
  }
  const senders = keys.slice(0, 4);
  for (const { key } of senders) await sendMessage(server.url, key);
  // The fold of these requests and the statements below lock the same rows in different orders.
  await eventually(60_000, "the first requests to be counted", async () => {
    const recorded = await server.sql("SELECT request_id FROM recorded_request");
    const batches = await server.sql("SELECT id FROM usage_batch");
    return recorded.length >= senders.length && batches.length === 0 ? recorded : null;
  });
  await fillMonth(server, keys);
  await addStoredObjects(server, { workspaceId: engineeringId, apiKeyId: keys[0]?.id ?? "" });
  await setLimits(server, workspaceIds);
  const spendLimitId = await exceedLimit(server, engineeringId);
  const restrictedKeyId = keys.at(BLOCKED_KEY)?.id ?? "";
  await blockKey(server, restrictedKeyId);
  await setHigherRanks(server, workspaceIds, restrictedKeyId);
  for (const [name, role, index] of people) {
    sessions[emailOf(name)] = await acceptInvite(server, name, role, workspaceIds[index]);
  }
  await server.mustOperator("POST", "/v1/admin/invites", {
    emails: ["alan@northwind.example", "hedy@northwind.example"],
    role: "developer",
    workspaces: [{ workspace_id: engineeringId, workspace_role: "workspace_developer" }],
  });
  const { groupId, memberId } = await createGroups(server, engineeringId);
  await addManagedSettings(server, groupId);
  await addTelemetryReceivers(server);
  const directoryId = await createDirectory(server);
  const reviewId = await startReview(server);
  const firingId = await createAlerts(server, engineeringId);
  const asked = await server.mustAdmin("POST", "/v1/admin/spend_limit_increase_requests", {
    scope: { type: "workspace", workspace_id: engineeringId },
    amount_usd: 12_000,
    reason: "The migration of the billing service runs until Friday.",
  });
  const increaseRequestId = textField(asked, "id");
  const { id: apiKeyId = "", key: apiKey = "" } = keys[0] ?? {};
  const ids = { engineeringId, apiKeyId, restrictedKeyId, groupId, memberId, reviewId, firingId };
  return {
    ...{ server, apiKey, setUpPath: pathname + hash, sessions },
    ...ids,
    ...{ directoryId, spendLimitId, increaseRequestId },
  };
}

/** Creates two groups, one of them with all members. */
async function createGroups(server: ServerProcess, engineeringId: string) {
  const { data } = await server.mustAdmin("GET", "/v1/admin/members");
  const memberIds = (data as { id: string }[]).map(({ id }) => id);
  const post = (path: string, body: object) =>
    server.mustAdmin("POST", `/v1/admin/groups${path}`, body);
  const everyone = textField(await post("", { name: "Everyone" }), "id");
  const platform = { name: "Platform team", allowed_models: ["claude-haiku-*", "claude-sonnet-5"] };
  const groupId = textField(await post("", platform), "id");
  const role = { workspace_role: "workspace_developer" };
  await post(`/${groupId}/workspaces/${engineeringId}`, role);
  for (const member_id of memberIds) await post(`/${everyone}/members`, { member_id });
  for (const member_id of memberIds.slice(0, 2)) await post(`/${groupId}/members`, { member_id });
  return { groupId, memberId: memberIds[0] ?? "" };
}

/** Creates a directory that provides a group by SCIM. */
async function createDirectory(server: ServerProcess): Promise<string> {
  const made = await server.mustOperator("POST", "/v1/admin/directories", {
    name: "Northwind ID",
    issuer: "https://login.northwind.example",
    allowed_domains: ["northwind.example"],
    role_claim: "roles",
    role_mappings: [{ value: "platform-admins", role: "admin" }],
  });
  const id = textField(made, "id");
  const path = `/v1/admin/directories/${id}/scim_tokens`;
  const token = textField(await server.mustOperator("POST", path), "token");
  const provided = await fetch(`${server.url}/scim/v2/Groups`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
    body: JSON.stringify({ displayName: "Data science" }),
  });
  if (provided.status !== 201) throw new Error(`no provided group: ${await provided.text()}`);
  return id;
}

/** Creates channels and rules, one of which fires at once. Returns the firing's id. */
async function createAlerts(server: ServerProcess, engineeringId: string): Promise<string> {
  const channels: string[] = [];
  for (const [name, target] of [
    ["Finance", { kind: "email", recipients: { roles: ["billing"], addresses: [] } }],
    ["Platform", { kind: "slack", url: "https://hooks.slack.com/services/T000/B000/secret" }],
  ] as const) {
    const made = await server.mustAdmin("POST", "/v1/admin/alert_channels", { name, target });
    channels.push(textField(made, "id"));
  }
  const rule = await server.mustAdmin("POST", "/v1/admin/alerts", {
    name: "Spend of Engineering",
    scope: { type: "workspace", workspace_id: engineeringId },
    condition: { kind: "spend_limit", thresholds: [{ percent: 100 }, { amount_usd: 1 }] },
    channel_ids: channels.slice(0, 1),
  });
  const id = textField(rule, "id");
  const { json } = await server.admin("GET", `/v1/admin/alert_firings?alert_id=${id}`);
  const [fired] = (json?.["data"] ?? []) as { id: string }[];
  if (!fired) throw new Error("the spend of Engineering fired nothing");
  return fired.id;
}

/** Starts a review of everything, half a year after the first keys. The owner is the reviewer. */
async function startReview(server: ServerProcess): Promise<string> {
  await server.sql(
    "UPDATE api_key SET created_at = now() - interval '190 days' WHERE name IN ('Dashboards', 'Newsletter drafts')",
  );
  const [person] = await server.sql<{ id: string }>("SELECT id FROM member WHERE email = $1", [
    owner.email,
  ]);
  const made = await server.mustAdmin("POST", "/v1/admin/access_reviews", {
    name: "Autumn review",
    scope: {
      paths: ["organization_role", "workspace_role", "member_key", "workspace_key", "admin_key"],
    },
    reviewer_ids: [person?.id],
    due_at: new Date(Date.now() + 9 * 86_400_000).toISOString(),
    if_no_answer: "as_recommended",
    recurrence: "quarterly",
    auto_close_days: 7,
  });
  return textField(made, "id");
}

const workspaces = [
  ["Engineering", "#0E7C66", "Code review, agents and internal tools"],
  ["Customer support", "#3F7CAC", "Answers in the help centre"],
  ["Research", "#6A5ACD", null],
  ["Marketing", "#C98A2B", "Drafts and translations"],
] as const;

const people = [
  ["Grace Hopper", "admin", 0],
  ["Katherine Johnson", "developer", 0],
  ["Radia Perlman", "developer", 2],
  ["Margaret Hamilton", "developer", 1],
  ["Barbara Liskov", "billing", 3],
  ["Tim Berners-Lee", "user", 3],
] as const;

/** Address of a person of the company, by the first name. */
export const emailOf = (name: string) => `${name.split(" ")[0]?.toLowerCase()}@northwind.example`;

/** Invites a person and accepts the invite. Returns the session's cookie. */
async function acceptInvite(
  server: ServerProcess,
  name: string,
  role: (typeof people)[number][1],
  workspaceId = "",
): Promise<string> {
  const link = await createInviteLink(server, {
    emails: [emailOf(name)],
    role,
    workspaces:
      role === "developer" || role === "user"
        ? [{ workspace_id: workspaceId, workspace_role: workspaceRoleOf[role] }]
        : [],
  });
  return postForCookie(server, "/v1/admin/invites/accept", {
    token: link.split("#token=")[1],
    name,
    password: owner.password,
  });
}

const workspaceRoleOf = { developer: "workspace_developer", user: "workspace_user" };

/** Invites one address. Returns the link of the message. */
export async function createInviteLink(server: ServerProcess, body: object): Promise<string> {
  const { results } = await server.mustOperator("POST", "/v1/admin/invites", body);
  const [first] = results as { link: string | null }[];
  if (!first?.link) throw new Error(`no link in ${JSON.stringify(results)}`);
  return first.link;
}

/** Name, workspace, permission and part of the usual amount. */
const keyPlan = [
  ["CI pipeline", 0, "write", 1.5],
  ["Code review bot", 0, "write", 1.1],
  ["Help centre, production", 1, "write", 0.8],
  ["Evaluation runs", 2, "write", 0.9],
  ["Newsletter drafts", 3, "write", 0.35],
  ["Dashboards", 0, "read", 0],
] as const;

/** Index of "Newsletter drafts" in the plan. No test sends with it. */
const BLOCKED_KEY = 4;

/** Limits a key to the whole dollars that it has already spent. */
async function blockKey(server: ServerProcess, apiKeyId: string): Promise<void> {
  const [balance] = await server.sql<{ usd: number }>(
    `SELECT (settled_nano_usd / 1000000000)::integer AS usd FROM balance
     WHERE scope_type = 'api_key' AND scope_id = $1 AND period = 'monthly'
     ORDER BY period_start DESC LIMIT 1`,
    [apiKeyId],
  );
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "api_key", api_key_id: apiKeyId },
    period: "monthly",
    limit_usd: balance?.usd,
  });
}

/** Lets the limit of the workspace hold in steps, and gives it an overrun in the last month. Returns its id. */
async function exceedLimit(server: ServerProcess, workspaceId: string): Promise<string> {
  const made = await server.mustAdmin("POST", "/v1/admin/workspaces/limits", {
    workspace_id: workspaceId,
    monthly_limit_usd: 8000,
    hold: "steps",
  });
  await server.sql(
    `INSERT INTO limit_overrun (organization_id, scope_type, scope_id, period, period_start, minute_at,
       overrun_nano_usd, limit_nano_usd, settled_nano_usd, request_ids, beyond_nano_usd, beyond_requests)
     SELECT organization_id, scope_type, scope_id, period, date_trunc('month', now() - interval '1 month'),
       date_trunc('month', now()) - interval '3 days', 2140000000, 7500000000000, 7502140000000,
       ARRAY['req_0VcOaSIXlXlulcn5u7v9S3vq'], ARRAY[2140000000], 1
     FROM spend_limit WHERE scope_id = $1 AND period = 'monthly'`,
    [workspaceId],
  );
  return textField(made, "id");
}

async function setLimits(server: ServerProcess, workspaceIds: readonly string[]): Promise<void> {
  const limits = [
    [{ type: "organization" }, 15000],
    [{ type: "workspace", workspace_id: workspaceIds[0] }, 8000],
    [{ type: "workspace", workspace_id: workspaceIds[1] }, 2400],
    [{ type: "workspace", workspace_id: workspaceIds[3] }, 1800],
  ] as const;
  // Usage of a month reaches none of them, on any day of the month.
  for (const [scope, limit_usd] of limits) {
    await server.mustAdmin("POST", "/v1/admin/spend_limits", {
      scope,
      period: "monthly",
      limit_usd,
    });
  }
  const engineering = { type: "workspace", workspace_id: workspaceIds[0] };
  const rates = [
    [{ type: "organization" }, "all", 4_000, 2_000_000, 400_000],
    [engineering, "all", 1_200, 800_000, null],
    [engineering, "opus_4", 60, 150_000, 30_000],
  ] as const;
  for (const [scope, model_group, requests, input, output] of rates) {
    await server.mustAdmin("POST", "/v1/admin/rate_limits", {
      scope,
      model_group,
      requests_per_minute: requests,
      input_tokens_per_minute: input,
      output_tokens_per_minute: output,
    });
  }
}

/** Adds values of the operator to limits and a key that an Admin restricts too. */
async function setHigherRanks(
  server: ServerProcess,
  workspaceIds: readonly string[],
  restrictedKeyId: string,
): Promise<void> {
  await server.mustOperator("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspaceIds[3] },
    period: "monthly",
    limit_usd: 2_500,
    enforcement: "soft",
  });
  await server.mustOperator("POST", "/v1/admin/rate_limits", {
    scope: { type: "workspace", workspace_id: workspaceIds[0] },
    model_group: "opus_4",
    requests_per_minute: 50,
  });
  const path = `/v1/admin/api_keys/${restrictedKeyId}`;
  await server.mustAdmin("POST", path, { allowed_models: ["claude-haiku-*", "claude-sonnet-*"] });
  await server.mustOperator("POST", path, { allowed_addresses: ["10.20.0.0/16", "127.0.0.1"] });
}

/** Calls as a browser does from a page of the console. Returns the response's cookie. */
export async function postForCookie(
  server: ServerProcess,
  path: string,
  body: object,
): Promise<string> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-bursar-console": "1",
      origin: server.url,
      "sec-fetch-site": "same-origin",
    },
    body: JSON.stringify(body),
  });
  if (response.status !== 200)
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const [cookie = ""] = response.headers.getSetCookie();
  return cookie.split(";")[0] ?? "";
}
