import type { Call, ReportCall } from "../server/src/access/call.ts";
import { type AuditEventFilter, listAuditEvents } from "../server/src/audit/audit-log.sql.ts";
import type { Database } from "../server/src/db/pool.ts";
import { readPrimary } from "../server/src/db/reports-database.ts";
import { type ApiKeyQuery, listApiKeys } from "../server/src/keys/api-keys/api-keys.ts";
import { getCostSummary } from "../server/src/usage/reports/cost-summary.ts";
import { getUsage, type UsageQuery } from "../server/src/usage/reports/usage.ts";
import { listRequests, type RequestQuery } from "../server/src/usage/request-log/requests.ts";

// Reports and lists that run over the history of history.ts.

export interface ReportCase {
  name: string;
  run: (database: Database) => Promise<unknown>;
}

const DAY_MS = 86_400_000;

const groupings = [
  ["workspace"],
  ["api_key"],
  ["member"],
  ["workspace", "model"],
  ["api_key", "model"],
  ["member", "model"],
  ["workspace", "status"],
  ["api_key", "status"],
  ["member", "status"],
  ["api_key", "client"],
] as const satisfies UsageQuery["group_by"][];

const makeCall = (organizationId: string) => ({
  caller: {
    kind: "admin_key" as const,
    id: "adminkey_bench",
    organizationId,
    scopes: null,
    allowedAddresses: null,
    expiresAtMs: null,
  },
  origin: { requestId: "req_bench", ipAddress: null, userAgent: null },
});
const withReader = (call: Call, primary: Database): ReportCall => ({
  ...call,
  reader: readPrimary({ primary, nowMs: () => Date.now() }),
});
/** Call of a member with its own keys in two workspaces. */
const makeMemberCall = (organizationId: string) => ({
  ...makeCall(organizationId),
  caller: {
    kind: "member",
    id: someMember,
    organizationId,
    role: "user",
    workspaceRoles: new Map([18, 518].map((n) => [workspaceId(n), "workspace_user"] as const)),
    sessionId: "session_bench",
    steppedUpAtMs: null,
  } as const,
});
const workspaceId = (n: number) => `wksp_${String(n).padStart(24, "0")}`;
const someKey = `apikey_${"0".repeat(22)}17`;
const someMember = `user_${"0".repeat(22)}18`;
const someWorkspace = `wksp_${"0".repeat(23)}7`;

export function listCases(organizationId: string): ReportCase[] {
  const usage = makeUsageCase(organizationId);
  return [
    ...makeChartCases(usage),
    ...makeRankingCases(usage),
    ...makeFilteredCases(usage),
    ...makeMemberCases(usage, makeMemberCall(organizationId)),
    {
      name: "cost summary of the organization",
      run: (database) =>
        getCostSummary(
          { database, nowMs: () => Date.now() },
          withReader(makeCall(organizationId), database),
          {},
        ),
    },
    ...makeLogCases(organizationId),
    ...makeKeyCases(organizationId),
    ...makeAuditCases(organizationId),
  ];
}

type UsageCase = (
  name: string,
  query: Partial<UsageQuery> & Pick<UsageQuery, "starting_at">,
  call?: Call,
) => ReportCase;

function makeUsageCase(organizationId: string): UsageCase {
  const nowMs = Date.now();
  return (name, query, call = makeCall(organizationId)) => {
    const asked = { limit: 100, bucket: "1d", ...query } as const;
    return {
      name,
      run: (database) =>
        getUsage({ database, nowMs: () => nowMs }, withReader(call, database), asked),
    };
  };
}

function daysAgo(count: number): string {
  return new Date(Date.now() - count * DAY_MS).toISOString();
}

/** Charts: rows by time, or the first groups and all others. */
function makeChartCases(usage: UsageCase): ReportCase[] {
  const spans = [
    { span: "90 days by day", starting_at: daysAgo(89) },
    { span: "30 days by day", starting_at: daysAgo(29) },
    { span: "6.5 days by hour", starting_at: daysAgo(6.5), bucket: "1h" },
  ] as const;
  const byTime = spans.flatMap(({ span, ...range }) => [
    usage(`organization, ${span}`, { ...range, limit: 1000 }),
    usage(`model, ${span}`, { ...range, group_by: ["model"], limit: 1000 }),
    ...groupings.map((group_by) =>
      usage(`${group_by.join(" × ")}, ${span}, first 1,000`, { ...range, group_by, limit: 1000 }),
    ),
  ]);
  const top = spans.flatMap(({ span, ...range }) =>
    groupings.map((group_by) =>
      usage(`top 10 ${group_by.join(" × ")} and others, ${span}`, { ...range, group_by, top: 10 }),
    ),
  );
  return [
    ...byTime,
    usage("model × client, 31 days by hour, first 1,000", {
      starting_at: daysAgo(30),
      bucket: "1h",
      group_by: ["model", "client"],
      limit: 1000,
    }),
    ...top,
  ];
}

/** Rankings: one row per group for the whole range, the first hundred. */
function makeRankingCases(usage: UsageCase): ReportCase[] {
  const month = (ago: number) => {
    const now = new Date();
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago);
  };
  const at = (ms: number) => new Date(ms).toISOString();
  const spans = [
    { span: "6.5 days", starting_at: daysAgo(6.5) },
    { span: "30 days", starting_at: daysAgo(30) },
    { span: "90 days", starting_at: daysAgo(89) },
    // These ranges contain no whole month.
    {
      span: "30 past days from the middle of a month",
      starting_at: at(month(2) + 15 * DAY_MS),
      ending_at: at(month(2) + 45 * DAY_MS),
    },
    {
      span: "two past months but for a day at each end",
      starting_at: at(month(2) + DAY_MS),
      ending_at: at(month(0) - DAY_MS),
    },
    {
      span: "30 past days from any minute to any minute",
      starting_at: daysAgo(47.5),
      ending_at: daysAgo(17.5),
    },
  ] as const;
  return spans.flatMap(({ span, ...range }) =>
    groupings.flatMap((group_by) =>
      (span === "30 days" ? (["cost", "requests"] as const) : (["cost"] as const)).map((order_by) =>
        usage(`${group_by.join(" × ")} by ${order_by}, ${span}`, {
          ...range,
          bucket: "none",
          group_by: [...group_by],
          order_by,
        }),
      ),
    ),
  );
}

function makeFilteredCases(usage: UsageCase): ReportCase[] {
  return [
    usage("one key by model, 90 days by day", {
      starting_at: daysAgo(89),
      api_key_id: [someKey],
      group_by: ["model"],
    }),
    usage("one person by model, 90 days by day", {
      starting_at: daysAgo(89),
      member_id: [someMember],
      group_by: ["model"],
    }),
    usage("one person's keys, 90 days by day", {
      starting_at: daysAgo(89),
      member_id: [someMember],
      group_by: ["api_key"],
      limit: 1000,
    }),
    usage("one person by status, 7 days by hour", {
      starting_at: daysAgo(7),
      bucket: "1h",
      member_id: [someMember],
      group_by: ["status"],
    }),
    usage("keys of one status by cost, 30 days", {
      starting_at: daysAgo(29),
      bucket: "none",
      status: ["aborted"],
      group_by: ["api_key"],
    }),
    usage("workspaces of one client by cost, 90 days", {
      starting_at: daysAgo(89),
      bucket: "none",
      client: ["claude-code"],
      group_by: ["workspace"],
    }),
    usage("one workspace by model, 30 days by hour", {
      starting_at: daysAgo(30),
      bucket: "1h",
      workspace_id: [someWorkspace],
      group_by: ["model"],
      limit: 1000,
    }),
    usage("organization, last hour by minute", { starting_at: daysAgo(1 / 24), bucket: "1m" }),
    usage("organization, 24 hours by minute", { starting_at: daysAgo(1), bucket: "1m" }),
    usage("one workspace, 24 hours by minute", {
      starting_at: daysAgo(1),
      bucket: "1m",
      workspace_id: [someWorkspace],
    }),
  ];
}

function makeMemberCases(usage: UsageCase, call: Call): ReportCase[] {
  return [
    usage(
      "a member's view, 90 days by day",
      { starting_at: daysAgo(89), group_by: ["model"], limit: 1000 },
      call,
    ),
    usage(
      "a member's view, keys by cost, 30 days",
      { starting_at: daysAgo(29), bucket: "none", group_by: ["api_key"] },
      call,
    ),
    usage(
      "a member's view, top 10 keys and others, 7 days by hour",
      { starting_at: daysAgo(7), bucket: "1h", group_by: ["api_key"], top: 10 },
      call,
    ),
  ];
}

function makeLogCases(organizationId: string): ReportCase[] {
  const call = makeCall(organizationId);
  const hour = new Date(Date.now() - 3_600_000).toISOString();
  const log = (name: string, query: RequestQuery): ReportCase => ({
    name,
    run: (database) =>
      listRequests({ database, nowMs: () => Date.now() }, withReader(call, database), {
        limit: 100,
        ...query,
      }),
  });
  return [
    log("request log, newest 100", {}),
    log("request log of one key", { api_key_id: [someKey] }),
    log("request log of one key, failed ones", {
      api_key_id: [someKey],
      status: ["rate_limited", "server_error"],
    }),
    log("request log of one person", { member_id: [someMember] }),
    log("request log, aborted ones", { status: ["aborted"] }),
    log("request log of one workspace, failed ones", {
      workspace_id: [someWorkspace],
      status: ["server_error"],
    }),
    log("request log, failed ones", { status: ["server_error", "rate_limited"] }),
    log("request log, a cost that most requests have", { min_cost_usd: 0.00001 }),
    log("request log, a cost that no request has", { min_cost_usd: 1000 }),
    log("request log of one key, a cost that no request has", {
      api_key_id: [someKey],
      min_cost_usd: 1000,
    }),
    log("request log, last hour of one model", { starting_at: hour, model: ["claude-opus-5"] }),
  ];
}

function makeKeyCases(organizationId: string): ReportCase[] {
  const list = (name: string, query: ApiKeyQuery): ReportCase => ({
    name: `keys, ${name}`,
    run: (database) =>
      listApiKeys({ database, nowMs: () => Date.now() }, makeCall(organizationId), query, {
        limit: 100,
        direction: "older",
        from: null,
      }),
  });
  return [
    list("newest 100", {}),
    list("a search with many matches", { search: "key" }),
    list("a search for one name", { search: "Key 9876" }),
    list("a search for an owner", { search: "person18@" }),
    list("a search without matches", { search: "no such key" }),
    list("one owner's", { owner_member_id: someMember }),
    list("unused for 30 days", { unused_days: 30 }),
    list("without a limit", { issue: "no_spend_limit" }),
  ];
}

function makeAuditCases(organizationId: string): ReportCase[] {
  const list = (
    name: string,
    filter: Omit<AuditEventFilter, "organizationId">,
    from: { createdAt: Date; seq: bigint } | null = null,
  ): ReportCase => ({
    name: `audit log, ${name}`,
    run: (database) =>
      listAuditEvents(
        database,
        { organizationId, ...filter },
        { from, direction: "older", limit: 101 },
      ),
  });
  const week = { startingAt: new Date(daysAgo(40)), endingAt: new Date(daysAgo(33)) };
  return [
    list("newest 100", {}),
    list("a page from its middle", {}, { createdAt: new Date(daysAgo(45)), seq: 0n }),
    list("one kind of event", { event: "api_key.rotated" }),
    list("events of keys, one past week", { event: "api_key.", ...week }),
    list("one person", { actor_id: someMember }),
    list("one key", { subject_id: someKey }),
    list("one workspace, one kind", { workspace_id: someWorkspace, event: "spend_limit.updated" }),
    list("a person without events", { actor_id: "user_nobody" }),
  ];
}
