import { reportHeaders } from "@bursar/contract/report-headers.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "#src/db/pool.ts";
import { openReplica, type ReplicaReports } from "#src/db/reports-database.ts";
import type { ClaimedLabels } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { type AdminHarness, startAdmin, type TestOrganization } from "./harness/admin.ts";
import { openTestAuditLog, type TestAuditLog } from "./harness/audit-log.ts";
import { type ReplicatedPostgres, startReplicatedPostgres } from "./harness/replicated-postgres.ts";
import { samples } from "./harness/route-samples.ts";
import { endRecord, recordUsage } from "./harness/usage-records.ts";

// The Admin API with a replica of reports.

const NEVER_MS = 3_600_000;
const NOW_MS = Date.now();
const clock = { nowMs: NOW_MS };
const nowMs = () => clock.nowMs;

let postgres: ReplicatedPostgres;
let reports: ReplicaReports;
let h: AdminHarness;
let database: Database;
let auditLog: TestAuditLog;
let org: TestOrganization;
let workspaceId: string;
let apiKeyId: string;
let requestCount = 0;
let isPaused = false;

beforeAll(async () => {
  postgres = await startReplicatedPostgres({ isSynchronous: false });
  await postgres.sql("INSERT INTO installation VALUES ('installation_id', 'inst_1')");
  const { connectionString } = postgres;
  database = openDatabase({
    connectionString,
    maxConnections: 8,
    onIdleError: () => undefined,
  });
  reports = await openReplica({
    primary: database,
    watched: database,
    connectionString: postgres.standbyConnectionString,
    nowMs,
    logger: makeLogger("silent"),
    checkEveryMs: NEVER_MS,
  });
  auditLog = await openTestAuditLog({ database, nowMs });
  const { audit } = auditLog;
  h = await startAdmin({ reportsDatabase: reports }, { database, connectionString, audit });
});
beforeEach(async () => {
  org = await h.organization();
  workspaceId = (await org.admin.createWorkspace({ name: "Research" })).id;
  apiKeyId = (await org.admin.createApiKey(workspaceId)).id;
  await catchUp();
});
afterEach(() => {
  if (isPaused) postgres.resumeReplication();
  isPaused = false;
});
afterAll(async () => {
  await reports.close();
  await h.close();
  await auditLog.close();
  await database.destroy();
  await postgres.stop();
});

async function recordRequests(count: number, claimed?: ClaimedLabels): Promise<void> {
  const records = Array.from({ length: count }, () => {
    requestCount += 1;
    const requestId = `req_${String(requestCount).padStart(24, "0")}`;
    const startedAtMs = NOW_MS - 600_000 + requestCount;
    const record = { requestId, organizationId: org.id, workspaceId, apiKeyId, startedAtMs };
    return endRecord(claimed === undefined ? record : { ...record, claimed });
  });
  await recordUsage(h.deps.database, records);
}

/** Waits until the replica has everything up to now. */
async function catchUp(): Promise<void> {
  await postgres.waitUntilReplicated();
  clock.nowMs = Date.now();
  await reports.check();
}

/** Makes everything from now on unknown to the replica, and lets three seconds pass. */
async function delayReplica(): Promise<number> {
  const asOfMs = clock.nowMs;
  postgres.pauseReplication();
  isPaused = true;
  await postgres.sql("INSERT INTO installation VALUES ($1, '')", [`written at ${asOfMs}`]);
  clock.nowMs += 3_000;
  return asOfMs;
}

interface Log {
  data: { id: string; workspace_name: string }[];
  next_page: string | null;
}
interface Usage {
  totals: { requests: number };
  data_refreshed_at: string;
}

test("a report is read from the replica, and its headers have the time of its data", async () => {
  await recordRequests(1);
  await catchUp();
  const asOfMs = await delayReplica();
  await recordRequests(1);
  const { body, headers } = await org.admin.get<Usage>("/v1/admin/usage?bucket=none");
  expect(body.totals.requests).toBe(1);
  expect(body.data_refreshed_at).toBe(new Date(asOfMs).toISOString());
  expect(headers[reportHeaders.dataAsOf]).toBe(new Date(asOfMs).toISOString());
  expect(headers[reportHeaders.replicaLagSeconds]).toBe("3");
});

describe("while the replica is 3 s behind", () => {
  test("all reports and no other route have the headers of a replica", async () => {
    await recordRequests(1, { agentSessionId: "session-1" });
    await catchUp();
    await delayReplica();
    const month = new Date(clock.nowMs).toISOString().slice(0, "YYYY-MM".length);
    const times = "starting_at=2026-11-01T00:00:00Z&ending_at=2026-11-02T00:00:00Z";
    const queries: Record<string, string> = {
      exportStatement: "?format=csv",
      listStatementRows: "?group_by=workspace",
      getOfficialUsageReport: `?${times}&bucket_width=1d`,
      getOfficialCostReport: `?${times}`,
      getOfficialClaudeCodeReport: "?starting_at=2026-11-01",
      listAnalyticsUsage: `?${times}`,
      listAnalyticsCost: `?${times}`,
    };
    const readable = adminRoutes
      .map((each) => ({
        ...each,
        path: each.path.replace("{agent_session_id}", "session-1").replace("{month}", month),
      }))
      .filter(
        ({ method, path, action }) =>
          method === "GET" &&
          !path.includes("{") &&
          action !== "public" &&
          !action.endsWith(":self"),
      );
    const withHeaders: string[] = [];
    const person = await org.member();
    for (const { operationId, path } of readable) {
      const client = samples[operationId].isDenied?.({ actorType: "admin_key" })
        ? person.client
        : org.admin;
      const { status, headers } = await client.get(`${path}${queries[operationId] ?? ""}`);
      if (headers[reportHeaders.dataAsOf] === undefined) continue;
      expect([operationId, status, headers[reportHeaders.replicaLagSeconds]]).toEqual([
        operationId,
        200,
        "3",
      ]);
      withHeaders.push(operationId);
    }
    expect(withHeaders.sort()).toEqual(
      adminRoutes
        .filter((route) => "isReport" in route)
        .map(({ operationId }) => operationId)
        .sort(),
    );
  });

  test("a changed limit is shown at once", async () => {
    await delayReplica();
    const scope = { type: "workspace", workspace_id: workspaceId };
    const limit = { scope, period: "monthly", limit_usd: 7 };
    expect((await org.admin.post("/v1/admin/spend_limits", limit)).status).toBe(200);
    const url = `/v1/admin/cost/summary?workspace_id=${workspaceId}`;
    const { body } = await org.admin.get<{ limit: object | null }>(url);
    expect(body.limit).toMatchObject({ monthly_limit_usd: "7.00" });
  });

  test("a new workspace can be filtered by, and names are those of the replica", async () => {
    await recordRequests(1);
    await catchUp();
    await delayReplica();
    const { id } = await org.admin.createWorkspace();
    const url = `/v1/admin/usage?bucket=none&workspace_id=${id}`;
    expect((await org.admin.get<Usage>(url)).body.totals.requests).toBe(0);
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}`, { name: "Renamed" });
    const { body } = await org.admin.get<Log>("/v1/admin/requests");
    expect(body.data.map((row) => row.workspace_name)).toEqual(["Research"]);
  });

  test("a member no longer sees the usage of a key that has another owner", async () => {
    const member = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    const setOwner = (owner: string | null) =>
      postgres.sql("UPDATE api_key SET owner_member_id = $1 WHERE id = $2", [owner, apiKeyId]);
    await setOwner(member.id);
    await recordRequests(1);
    await catchUp();
    const count = async () => (await member.client.get<Log>("/v1/admin/requests")).body.data.length;
    expect(await count()).toBe(1);
    await delayReplica();
    await setOwner(null);
    expect(await count()).toBe(0);
  });

  test("the page after a page of the primary is not read from the replica", async () => {
    await delayReplica();
    await recordRequests(4);
    const list = async (page: string | null) => {
      const url = `/v1/admin/requests?limit=2${page === null ? "" : `&page=${page}`}`;
      const { body, headers } = await org.admin.get<Log>(url);
      const { data, next_page } = body;
      return { ids: data.map(({ id }) => id), next_page, headers };
    };
    expect((await list(null)).ids).toEqual([]);
    // The replica is too stale for one page.
    clock.nowMs += 30_000;
    const first = await list(null);
    expect([first.ids.length, first.headers[reportHeaders.replicaLagSeconds]]).toEqual([
      2,
      undefined,
    ]);
    clock.nowMs -= 30_000;
    expect((await list(null)).ids).toEqual([]);
    const second = await list(first.next_page);
    expect([second.ids.length, second.headers[reportHeaders.replicaLagSeconds]]).toEqual([
      2,
      undefined,
    ]);
  });
});

test("an export has the headers, and all rows of its time", async () => {
  await recordRequests(3);
  await catchUp();
  const asOfMs = await delayReplica();
  await recordRequests(1);
  const { text, headers } = await org.admin.get("/v1/admin/requests/export?format=jsonl");
  expect(text.trim().split("\n")).toHaveLength(3);
  expect(headers[reportHeaders.dataAsOf]).toBe(new Date(asOfMs).toISOString());
  expect(headers[reportHeaders.replicaLagSeconds]).toBe("3");
});
