import { afterAll, describe, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { newId } from "#src/lib/ids.ts";
import { test as base } from "#test/harness/admin-test.ts";
import {
  type AlertJobNodes,
  createAlert,
  listFired,
  listFirings,
  startAlertJobs,
} from "#test/harness/alert-jobs.ts";
import { makeRefusal, recordRefusals } from "#test/harness/refusals.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { makeRequestAlertJobs } from "./request-alert-jobs.ts";

const MINUTE_MS = 60_000;

const test = base.extend("company", ({ h, org }) => {
  const fired = () => listFired(org);

  async function atMinute(minutes: number): Promise<void> {
    h.clock.nowMs = startMs + minutes * MINUTE_MS;
    await nodes.run();
  }

  /** Records requests that end at that minute. */
  function requests(count: number, minute: number, fields: Partial<EndRecord> = {}) {
    const startedAtMs = startMs + minute * MINUTE_MS - 1_000;
    const of = { organizationId: org.id, workspaceId, apiKeyId, startedAtMs };
    const record = () => endRecord({ ...of, requestId: newId("req_", startMs), ...fields });
    return recordUsage(h.deps.database, Array.from({ length: count }, record));
  }

  /** Records refusals, half of them on each of two nodes. */
  async function refuse(count: number, minute: number, key: { id: string } = { id: apiKeyId }) {
    const atMs = startMs + minute * MINUTE_MS;
    const of = { organizationId: org.id, workspaceId, apiKeyId: key.id, atMs };
    const refusals = Array.from({ length: count }, () => makeRefusal(of));
    const half = Math.ceil(count / 2);
    const both = [refusals.slice(0, half), refusals.slice(half)];
    await Promise.all(both.map((some) => recordRefusals(h.deps.database, some)));
  }

  return { fired, atMinute, requests, refuse };
});

/** Counts refusals of the first minute as a node of version 0.1 does. */
async function countAsOlderNode(
  database: Database,
  of: { organizationId: string; requests: number },
): Promise<void> {
  const row = {
    organization_id: of.organizationId,
    workspace_id: workspaceId,
    api_key_id: apiKeyId,
  };
  const { requests } = of;
  const at = new Date(startMs);
  await database
    .insertInto("refused_request")
    .values({ ...row, requests, minute_at: at })
    .execute();
  await database
    .insertInto("refused_request_hour")
    .values({ ...row, requests, hour_at: at })
    .execute();
}

let nodes: AlertJobNodes;
let workspaceId: string;
let apiKeyId: string;
let startMs: number;

test.beforeAll(async ({ h }) => {
  startMs = h.clock.nowMs;
  nodes = startAlertJobs(h, makeRequestAlertJobs);
});
afterAll(async () => {
  await nodes.close();
});
test.beforeEach(async ({ h, org }) => {
  h.clock.nowMs = startMs;
  ({ id: workspaceId } = await org.operator.createWorkspace({ name: "Research" }));
  ({ id: apiKeyId } = await org.operator.createApiKey(workspaceId));
});

describe("requests that fail upstream", () => {
  const condition = { kind: "upstream_errors", percent: 20, min_requests: 10, minutes: 15 };
  const broken = { outcome: "refused", httpStatus: 503 } as const;

  test("fire once from the percentage on, until a whole window was below it", async ({
    org,
    company,
  }) => {
    await createAlert(org, condition);
    await company.requests(9, 0);
    await company.requests(2, 0, broken);
    await company.requests(1, 0);
    await company.atMinute(1);
    expect(await company.fired()).toEqual([]);
    await company.requests(1, 1, broken);
    await company.atMinute(2);
    expect(await company.fired()).toEqual([["organization", "20%"]]);
    const [first] = await listFirings(org);
    expect(first?.facts).toEqual({ requests: 13, failed_requests: 3, minutes: 15 });
    expect(first?.title).toContain("3 of 13 requests (23%) of the organization");
    // The share falls and rises again within the window.
    await company.requests(20, 3);
    await company.atMinute(4);
    await company.requests(20, 10, broken);
    await company.atMinute(11);
    await company.atMinute(24);
    // The share is below the percentage since then.
    await company.atMinute(26);
    await company.requests(20, 41, broken);
    await company.atMinute(41);
    expect(await company.fired()).toEqual([
      ["organization", "20%"],
      ["organization", "20%"],
    ]);
  });

  test("are server errors, interrupted and unreached requests, but not client errors", async ({
    org,
    company,
  }) => {
    await createAlert(org, { ...condition, percent: 10 });
    await company.requests(100, 0);
    await company.requests(20, 0, { outcome: "refused", httpStatus: 429 });
    await company.requests(20, 0, { outcome: "refused", httpStatus: 400 });
    await company.requests(20, 0, { outcome: "aborted" });
    await company.atMinute(1);
    expect(await company.fired()).toEqual([]);
    await company.requests(10, 1, { outcome: "unreached", httpStatus: 502 });
    // A request that timed out started long ago.
    const startedAtMs = startMs - 20 * MINUTE_MS;
    await company.requests(10, 1, {
      outcome: "interrupted",
      httpStatus: 504,
      startedAtMs,
      endedAtMs: startMs,
    });
    await company.atMinute(1);
    expect((await listFirings(org))[0]?.facts).toMatchObject({
      requests: 180,
      failed_requests: 20,
    });
  });

  test("fire nothing below the minimum, or in another scope or organization", async ({
    h,
    org,
    company,
  }) => {
    await createAlert(org, condition, {
      scope: { type: "workspace", workspace_id: workspaceId },
      includes_below: true,
    });
    await createAlert(org, condition, { is_enabled: false });
    const other = await org.operator.createWorkspace();
    await company.requests(50, 0, { ...broken, workspaceId: other.id });
    await company.requests(50, 0, { ...broken, organizationId: h.firstOrganizationId });
    await company.requests(9, 0, broken);
    await company.atMinute(1);
    expect(await company.fired()).toEqual([]);
    const second = await org.operator.createApiKey(workspaceId);
    await company.requests(10, 1, { ...broken, apiKeyId: second.id });
    await company.atMinute(2);
    expect((await company.fired()).sort()).toEqual(
      [
        [workspaceId, "20%"],
        [second.id, "20%"],
      ].sort(),
    );
  });
});

describe("a window of a day", () => {
  /** Requests of minute 30 are in a window that ends in minute 1,469, but not in the next one. */
  const ends = [
    ["includes its first partial hour", 1_469, 10],
    ["excludes the time before its start", 1_470, 0],
  ] as const;

  test.for(ends)(
    "%s, for requests that fail upstream",
    async ([_, minute, failed], { h, org, company }) => {
      const broken = { outcome: "refused", httpStatus: 503 } as const;
      const record = async (
        count: number,
        startedAtMs: number,
        fields: Partial<EndRecord> = {},
      ) => {
        const of = { organizationId: org.id, workspaceId, apiKeyId, startedAtMs };
        const make = () => endRecord({ ...of, requestId: newId("req_", startMs), ...fields });
        await recordUsage(h.deps.database, Array.from({ length: count }, make));
      };
      const condition = { kind: "upstream_errors", percent: 20, min_requests: 10, minutes: 1_440 };
      await createAlert(org, condition, { includes_below: true });
      await record(500, startMs);
      await record(10, startMs + 30 * MINUTE_MS - 1_000, broken);
      await record(30, startMs + 200 * MINUTE_MS);
      await company.atMinute(minute);
      const facts = (await listFirings(org)).map((firing) => firing.facts);
      const all = { requests: 40, failed_requests: failed, minutes: 1_440 };
      // One firing each for the key, the workspace and the organization.
      expect(facts).toEqual(failed === 0 ? [] : [all, all, all]);
    },
  );

  test.for(ends)("%s, for refused requests", async ([_, minute, requests], { h, org, company }) => {
    const condition = { kind: "refused_requests", count: 15, minutes: 1_440 };
    await createAlert(org, condition);
    const refuse = (count: number, atMs: number) => {
      const of = { organizationId: org.id, workspaceId, apiKeyId, atMs };
      return Array.from({ length: count }, () => makeRefusal(of));
    };
    await recordRefusals(h.deps.database, [
      ...refuse(500, startMs),
      ...refuse(10, startMs + 30 * MINUTE_MS),
      ...refuse(5, startMs + 200 * MINUTE_MS),
    ]);
    await company.atMinute(minute);
    const facts = (await listFirings(org)).map((firing) => firing.facts);
    const cause = { top_error_code: "rate_limited", top_error_requests: 15 };
    expect(facts).toEqual(requests === 0 ? [] : [{ requests: 15, minutes: 1_440, ...cause }]);
  });
});

describe("refused requests", () => {
  const condition = { kind: "refused_requests", count: 50, minutes: 60 };

  test("fire once from the count on, until a whole window was below it", async ({
    org,
    company,
  }) => {
    await createAlert(org, condition);
    await company.refuse(49, 0);
    await company.atMinute(1);
    expect(await company.fired()).toEqual([]);
    await company.refuse(1, 0);
    await company.atMinute(1);
    await company.refuse(500, 30);
    await company.atMinute(31);
    await company.atMinute(80);
    const [first, ...more] = await listFirings(org);
    expect([first?.threshold, more]).toEqual(["50 requests", []]);
    const cause = { top_error_code: "rate_limited", top_error_requests: 50 };
    expect(first?.facts).toEqual({ requests: 50, minutes: 60, ...cause });
    expect(first?.title).toContain("50 requests of the organization");
    expect(first?.next).toContain("Most frequent cause: rate_limited (50 requests)");
    await company.refuse(50, 141);
    await company.atMinute(141);
    expect((await company.fired()).length).toBe(2);
  });

  test("are counted separately for the key, the workspace and the organization", async ({
    org,
    company,
  }) => {
    const second = await org.operator.createApiKey(workspaceId);
    await createAlert(org, condition, { includes_below: true });
    await createAlert(org, condition, { scope: { type: "api_key", api_key_id: second.id } });
    await company.refuse(30, 0);
    await company.refuse(30, 1, second);
    await company.atMinute(2);
    expect((await company.fired()).sort()).toEqual(
      [
        ["organization", "50 requests"],
        [workspaceId, "50 requests"],
      ].sort(),
    );
    await company.refuse(20, 3, second);
    await company.atMinute(4);
    expect((await company.fired()).slice(2)).toEqual([
      [second.id, "50 requests"],
      [second.id, "50 requests"],
    ]);
  });

  test("count with a 4xx of a known key, by their most frequent cause", async ({
    h,
    org,
    company,
  }) => {
    await createAlert(org, condition);
    const of = { organizationId: org.id, workspaceId, apiKeyId, atMs: startMs };
    const unknown = { ...of, workspaceId: "", apiKeyId: "" };
    const refuse = (count: number, fields: Parameters<typeof makeRefusal>[0]) =>
      Array.from({ length: count }, () => makeRefusal(fields));
    await recordRefusals(h.deps.database, [
      ...refuse(20, of),
      ...refuse(30, { ...of, errorCode: "model_not_allowed", httpStatus: 403 }),
      ...refuse(500, { ...of, errorCode: "overloaded", httpStatus: 529 }),
      ...refuse(500, { ...unknown, errorCode: "api_key_invalid", httpStatus: 401 }),
    ]);
    await company.atMinute(1);
    const facts = (await listFirings(org)).map((firing) => firing.facts);
    const cause = { top_error_code: "model_not_allowed", top_error_requests: 30 };
    expect(facts).toEqual([{ requests: 50, minutes: 60, ...cause }]);
  });

  test("of nodes of version 0.1 count too", async ({ h, org, company }) => {
    await createAlert(org, condition);
    await company.refuse(20, 0);
    await countAsOlderNode(h.deps.database, { organizationId: org.id, requests: 30 });
    await company.atMinute(1);
    const facts = (await listFirings(org)).map((firing) => firing.facts);
    const cause = { top_error_code: "rate_limited", top_error_requests: 20 };
    expect(facts).toEqual([{ requests: 50, minutes: 60, ...cause }]);
  });

  test("of nodes of version 0.1 are deleted after two days", async ({ h, org, company }) => {
    await countAsOlderNode(h.deps.database, { organizationId: org.id, requests: 10 });
    const count = () =>
      h.deps.database
        .selectFrom("refused_request")
        .select("requests")
        .where("api_key_id", "=", apiKeyId)
        .execute();
    await company.atMinute(2 * 24 * 60);
    expect(await count()).toEqual([{ requests: 10 }]);
    await company.atMinute(2 * 24 * 60 + 1);
    expect(await count()).toEqual([]);
  });
});
