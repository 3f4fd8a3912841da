import { setTimeout as delay } from "node:timers/promises";
import { rollupTables } from "../../server/src/recording/rollup-tables.ts";
import { eventually } from "../../server/test/harness/eventually.ts";
import {
  type ServerProcess,
  sendMessage,
  startServer,
  textField,
} from "../../server/test/harness/server-process.ts";

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
  sessions[owner.email] = await post(server, "/v1/admin/setup", {
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
  const keys: { id: string; key: string; workspaceId: string }[] = [];
  for (const [name, index, permission] of keyPlan) {
    const workspaceId = workspaceIds[index] ?? "";
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name,
      workspace_id: workspaceId,
      permissions: [permission],
    });
    keys.push({ id: textField(made, "id"), key: textField(made, "key"), workspaceId });
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
  await setLimits(server, workspaceIds);
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
    ...{ directoryId, increaseRequestId },
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
  return post(server, "/v1/admin/invites/accept", {
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

const keyPlan = [
  ["CI pipeline", 0, "write"],
  ["Code review bot", 0, "write"],
  ["Help centre, production", 1, "write"],
  ["Evaluation runs", 2, "write"],
  ["Newsletter drafts", 3, "write"],
  ["Dashboards", 0, "read"],
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

const models = [
  "claude-sonnet-5",
  "claude-haiku-4-5-20251001",
  "claude-opus-4-5-20251101",
] as const;
const DAYS = 40;

/**
 * Writes a month of usage into the tables of reports. Traffic of the simulator is always of today. A rule generates
 * the numbers, so that screenshots stay the same.
 */
async function fillMonth(
  server: ServerProcess,
  keys: readonly { id: string; workspaceId: string }[],
): Promise<void> {
  const [organization] = await server.sql<{ id: string }>("SELECT id FROM organization");
  const rows = [];
  const todayMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  for (let day = DAYS; day >= 0; day -= 1) {
    for (const [index, { id, workspaceId }] of keys.slice(0, 5).entries()) {
      const model = models[(index + (day % 7 === 0 ? 1 : 0)) % models.length] ?? models[0];
      rows.push(toRow({ day, index, id, workspaceId, model, atMs: todayMs - day * 86_400_000 }));
    }
  }
  const full = rows.map((row) => ({
    ...row,
    organization_id: organization?.id,
    member_id: "",
    status: "answered",
  }));
  for (const rollup of rollups) await addToRollup(server, rollup, full);
  await server.sql(
    `INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
     SELECT 'organization', organization_id::text, 'monthly', date_trunc('month', now() AT TIME ZONE 'UTC')::date, organization_id, sum(cost_nano_usd)
       FROM usage_day WHERE bucket_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' GROUP BY organization_id
     UNION ALL
     SELECT 'workspace', workspace_id, 'monthly', date_trunc('month', now() AT TIME ZONE 'UTC')::date, organization_id, sum(cost_nano_usd)
       FROM usage_day WHERE bucket_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' GROUP BY organization_id, workspace_id
     UNION ALL
     SELECT 'api_key', api_key_id, 'monthly', date_trunc('month', now() AT TIME ZONE 'UTC')::date, organization_id, sum(cost_nano_usd)
       FROM usage_day WHERE bucket_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' GROUP BY organization_id, api_key_id
     ON CONFLICT (scope_type, scope_id, period, period_start) DO UPDATE SET settled_nano_usd = balance.settled_nano_usd + EXCLUDED.settled_nano_usd`,
  );
  // A change makes nodes read limits and spend again.
  await delay(500);
}

/** Tables of reports over days and longer, updated as by the fold. */
const rollups = Object.entries(rollupTables)
  .map(([table, { unit, labels }]) => ({ table, unit, labels }))
  .filter(({ table, unit }) => unit !== "hour" && !table.startsWith("usage_attributed_"));

async function addToRollup(
  server: ServerProcess,
  { table, unit, labels }: (typeof rollups)[number],
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  const columns = Object.entries(rows[0] ?? {});
  const counts = columns.filter(([, value]) => typeof value === "number").map(([name]) => name);
  const keys = ["bucket_at", "organization_id", ...labels];
  await server.sql(
    `INSERT INTO ${table} AS rollup (${[...keys, ...counts].join(", ")})
     SELECT date_trunc('${unit}', bucket_at, 'UTC'), organization_id, ${labels.join(", ")},
       ${counts.map((count) => `sum(${count})::bigint`).join(", ")}
     FROM jsonb_populate_recordset(NULL::usage_day, $1::jsonb)
     ${unit === "week" ? "WHERE bucket_at < (SELECT summed_before FROM usage_weeks)" : ""}
     GROUP BY ${keys.map((_, index) => index + 1).join(", ")}
     ON CONFLICT (${keys.join(", ")}) DO UPDATE SET
       ${counts.map((count) => `${count} = rollup.${count} + excluded.${count}`).join(", ")}`,
    [JSON.stringify(rows)],
  );
}

interface RowPlan {
  day: number;
  index: number;
  id: string;
  workspaceId: string;
  model: string;
  atMs: number;
}

function toRow({ day, index, id, workspaceId, model, atMs }: RowPlan): Record<string, unknown> {
  const weekday = new Date(atMs).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  const wave = 1 + 0.35 * Math.sin(day * 0.9 + index * 1.7) + (DAYS - day) * 0.012;
  const scale = (isWeekend ? 0.3 : 1) * wave * ([1.5, 1.1, 0.8, 0.9, 0.35][index] ?? 0.3);
  const requests = Math.round(2_400 * scale);
  const input = Math.round(9_800_000 * scale);
  const cached = Math.round(31_000_000 * scale);
  const output = Math.round(2_100_000 * scale);
  const costs = {
    input_cost_nano_usd: input * 3_000,
    cache_write_5m_cost_nano_usd: Math.round(input * 0.2) * 3_750,
    cache_read_cost_nano_usd: cached * 300,
    output_cost_nano_usd: output * 15_000,
  };
  return {
    bucket_at: new Date(atMs).toISOString(),
    workspace_id: workspaceId,
    api_key_id: id,
    model,
    service_tier: "standard",
    context_window: "0-200k",
    inference_geo: "global",
    speed: "standard",
    client: "other",
    requests,
    errors: Math.round(requests * 0.004),
    estimated_requests: 0,
    unpriced_requests: 0,
    input_tokens: input,
    cache_write_5m_tokens: Math.round(input * 0.2),
    cache_write_1h_tokens: 0,
    cache_read_tokens: cached,
    output_tokens: output,
    web_searches: 0,
    cache_write_1h_cost_nano_usd: 0,
    web_search_cost_nano_usd: 0,
    ...costs,
    cost_nano_usd: Object.values(costs).reduce((sum, cost) => sum + cost, 0),
  };
}

/** Calls as a browser does from a page of the console. Returns the response's cookie. */
async function post(server: ServerProcess, path: string, body: object): Promise<string> {
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
