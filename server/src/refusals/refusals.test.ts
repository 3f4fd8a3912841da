import type { refusal, refusalRow } from "@bursar/contract/admin/refusals.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { AdminHarness, Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { makeRefusal, recordRefusals } from "#test/harness/refusals.ts";
import { pruneRefusals } from "./prune-refusals.ts";
import type { Refusal } from "./record-refusals.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

type Row = z.output<typeof refusalRow>;
type Recent = z.output<typeof refusal>;
interface Report extends Listed<Row> {
  totals: { requests: number };
}

/** Two workspaces with a key each, and the records of one node. */
const test = base.extend("company", async ({ h, org }) => {
  const research = await org.operator.createWorkspace({ name: "Research" });
  const growth = await org.operator.createWorkspace({ name: "Growth" });
  const key = await org.operator.createApiKey(research.id);
  const other = await org.operator.createApiKey(growth.id);
  const of = { organizationId: org.id, workspaceId: research.id, apiKeyId: key.id };
  const ofOther = { organizationId: org.id, workspaceId: growth.id, apiKeyId: other.id };
  const ofUnknown = { organizationId: org.id, workspaceId: "", apiKeyId: "" };
  return { research, growth, key, other, of, ofOther, ofUnknown, ...makeRecording(h) };
});

function makeRecording(h: AdminHarness) {
  const refuse = (count: number, fields: Parameters<typeof makeRefusal>[0]): Refusal[] =>
    Array.from({ length: count }, () => makeRefusal(fields));
  return { refuse, record: (refusals: Refusal[]) => recordRefusals(h.deps.database, refusals) };
}

async function count(client: Client, query: string): Promise<Report> {
  const { status, body } = await client.get<Report>(`/v1/admin/refusals?limit=1000&${query}`);
  expect(status).toBe(200);
  return body;
}

async function recent(client: Client, query = ""): Promise<Recent[]> {
  const { status, body } = await client.get<Listed<Recent>>(
    `/v1/admin/refusals/recent?limit=1000&${query}`,
  );
  expect(status).toBe(200);
  return body.data;
}

describe("counts", () => {
  test("1,373 refusals in an hour are found by key, cause and minute", async ({
    h,
    org,
    company,
  }) => {
    const { refuse, record, of, ofOther } = company;
    const atMs = h.clock.nowMs - HOUR_MS;
    await record(refuse(1_000, { ...of, atMs }));
    await record([
      ...refuse(300, { ...of, atMs: atMs + 7 * MINUTE_MS, errorCode: "spend_limit_reached" }),
      ...refuse(73, { ...ofOther, atMs: atMs + 7 * MINUTE_MS + 1 }),
    ]);
    const all = await count(org.admin, "group_by=api_key,error_code,model&bucket=1m");
    expect(all.totals.requests).toBe(1_373);
    const start = (row: Row) => (Date.parse(row.starting_at) - atMs) / MINUTE_MS;
    expect(
      all.data.map((row) => [start(row), row.api_key_id, row.error_code, row.model, row.requests]),
    ).toEqual([
      [7, company.key.id, "spend_limit_reached", "claude-sonnet-5", 300],
      [7, company.other.id, "rate_limited", "claude-sonnet-5", 73],
      [0, company.key.id, "rate_limited", "claude-sonnet-5", 1_000],
    ]);
    const [first] = all.data;
    expect([first?.workspace_name, first?.api_key_name]).toEqual(["Research", company.key.name]);
  });

  test("have the same sum in every bucket, and with every group", async ({ h, org, company }) => {
    const { refuse, record, of, ofOther } = company;
    const startMs = h.clock.nowMs - 20 * HOUR_MS;
    const some = [3, 40, 77, 600, 1_199].flatMap((minute, i) => [
      ...refuse(i + 1, { ...of, atMs: startMs + minute * MINUTE_MS }),
      ...refuse(2, {
        ...ofOther,
        atMs: startMs + minute * MINUTE_MS,
        errorCode: "model_not_allowed",
      }),
    ]);
    await record(some);
    for (const bucket of ["1m", "1h", "1d", "none"]) {
      for (const group of ["", "&group_by=workspace", "&group_by=error_code,model"]) {
        const { data, totals } = await count(org.admin, `bucket=${bucket}${group}`);
        const sum = data.reduce((total, { requests }) => total + requests, 0);
        expect([sum, totals.requests]).toEqual([25, 25]);
      }
    }
  });

  test("of a range without buckets are exact to the minute", async ({ h, org, company }) => {
    const { refuse, record, of } = company;
    const nowMs = h.clock.nowMs;
    await record([
      ...refuse(1, { ...of, atMs: nowMs - 90 * MINUTE_MS }),
      ...refuse(10, { ...of, atMs: nowMs - 89 * MINUTE_MS }),
      ...refuse(100, { ...of, atMs: nowMs }),
    ]);
    const from = new Date(nowMs - 89 * MINUTE_MS).toISOString();
    expect((await count(org.admin, `starting_at=${from}`)).totals.requests).toBe(110);
    const until = new Date(nowMs - 80 * MINUTE_MS).toISOString();
    const early = await count(org.admin, `starting_at=${from}&ending_at=${until}`);
    expect(early.totals.requests).toBe(10);
  });

  test("continue on the next page without a gap, the largest group first", async ({
    h,
    org,
    company,
  }) => {
    const { refuse, record, of, ofOther } = company;
    await record([
      ...refuse(2, { ...of, atMs: h.clock.nowMs }),
      ...refuse(5, { ...ofOther, atMs: h.clock.nowMs }),
      ...refuse(2, { ...of, atMs: h.clock.nowMs, errorCode: "overloaded", httpStatus: 529 }),
    ]);
    const found: unknown[] = [];
    let page = "";
    for (let i = 0; i < 3; i++) {
      const url = `/v1/admin/refusals?limit=1&group_by=api_key,error_code${page}`;
      const { body } = await org.admin.get<Report>(url);
      found.push(...body.data.map(({ error_code, requests }) => [error_code, requests]));
      h.clock.nowMs += 1_000;
      page = `&page=${body.next_page}`;
    }
    expect(found).toEqual([
      ["rate_limited", 5],
      ["overloaded", 2],
      ["rate_limited", 2],
    ]);
    expect(page).toBe("&page=null");
  });

  test("by minute are refused after 7 days, and those by hour with the hours of usage", async ({
    h,
    org,
  }) => {
    const { database } = h.deps;
    const status = async (query: string) =>
      (await org.admin.get(`/v1/admin/refusals?${query}`)).status;
    expect(
      await status("bucket=1m&starting_at=2026-11-13T11:59:59Z&ending_at=2026-11-14T00:00:00Z"),
    ).toBe(400);
    expect(await status("bucket=1h&starting_at=2026-11-10T00:00:00Z")).toBe(200);
    await sql`UPDATE retention_mark SET hours_before = '2026-11-11T00:00:00Z'`.execute(database);
    expect(await status("bucket=1h&starting_at=2026-11-10T00:00:00Z")).toBe(400);
    await sql`UPDATE retention_mark SET hours_before = NULL`.execute(database);
  });
});

describe("recent refusals", () => {
  test("are the last 100 of each key, newest first, from all nodes", async ({
    h,
    org,
    company,
  }) => {
    const { refuse, record, of, ofOther } = company;
    const startMs = h.clock.nowMs - HOUR_MS;
    const at = (second: number) => ({ ...of, atMs: startMs + second * 1_000 });
    const node = (from: number) =>
      record(Array.from({ length: 90 }, (_, i) => makeRefusal(at(2 * i + from))));
    await Promise.all([node(0), node(1)]);
    await record(refuse(3, { ...ofOther, atMs: startMs }));
    await record([makeRefusal(at(500))]);
    const listed = await recent(org.admin, `api_key_id=${company.key.id}`);
    const seconds = listed.map(({ refused_at }) => (Date.parse(refused_at) - startMs) / 1_000);
    expect(seconds).toEqual([500, ...Array.from({ length: 99 }, (_, i) => 179 - i)]);
    expect((await recent(org.admin)).length).toBe(103);
  });

  test("have request id, cause and facts, and are found by request id", async ({
    h,
    org,
    company,
  }) => {
    const allowed: Refusal = {
      ...makeRefusal({ ...company.of, atMs: h.clock.nowMs, errorCode: "model_not_allowed" }),
      details: {
        error_code: "model_not_allowed",
        allowed_models: ["claude-haiku-*"],
        fields: [{ path: "model", message: "A text with the secret of a prompt." }],
      },
    };
    await company.record([allowed, ...company.refuse(2, { ...company.of, atMs: h.clock.nowMs })]);
    const [found, ...others] = await recent(org.admin, `request_id=${allowed.requestId}`);
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      id: allowed.requestId,
      error_code: "model_not_allowed",
      model: "claude-sonnet-5",
      address: "192.0.2.7",
      workspace_name: "Research",
      facts: { allowed_models: ["claude-haiku-*"], fields: ["model"] },
    });
  });

  test("and counts survive a restart and are deleted by age", async ({ h, org, company }) => {
    const { refuse, record, of } = company;
    const realNowMs = Date.now();
    const day = 24 * HOUR_MS;
    await record(refuse(2, { ...of, atMs: realNowMs - 31 * day }));
    await record(refuse(3, { ...of, atMs: realNowMs - 9 * day }));
    await record(refuse(4, { ...of, atMs: realNowMs }));
    const { database } = h.deps;
    const rows = async (table: string) => {
      const { rows } = await sql<{ n: bigint }>`SELECT count(*) AS n FROM ${sql.table(table)}
        WHERE organization_id = ${org.id}`.execute(database);
      return Number(rows[0]?.n);
    };
    const all = async () => [
      await rows("refusal_minute"),
      await rows("refusal_hour"),
      await rows("refusal_recent"),
    ];
    expect(await all()).toEqual([3, 3, 9]);
    await pruneRefusals(database);
    expect(await all()).toEqual([1, 3, 7]);
    await sql`UPDATE retention_mark SET hours_before = now() - interval '1 day'`.execute(database);
    await pruneRefusals(database);
    await sql`UPDATE retention_mark SET hours_before = NULL`.execute(database);
    expect(await all()).toEqual([1, 1, 7]);
  });
});

describe("a caller sees", () => {
  async function see(client: Client): Promise<[number, number]> {
    return [(await count(client, "")).totals.requests, (await recent(client)).length];
  }

  test("the refusals of its workspaces, and none of another workspace", async ({
    h,
    org,
    company,
  }) => {
    const { refuse, record, of, ofOther } = company;
    const atMs = h.clock.nowMs;
    await record([...refuse(3, { ...of, atMs }), ...refuse(5, { ...ofOther, atMs })]);
    const inGrowth = await org.operator.createApiKey(company.growth.id, { permissions: ["read"] });
    expect(await see(h.as(inGrowth.key))).toEqual([5, 5]);
    const key = company.key.id;
    const hidden = await h.as(inGrowth.key).get(`/v1/admin/refusals?api_key_id=${key}`);
    expect(hidden.status).toBe(404);
    expect(await see(org.admin)).toEqual([8, 8]);
    const stranger = await h.organization();
    expect(await see(stranger.admin)).toEqual([0, 0]);
  });

  test("a member with the lowest role in the workspace: own keys only", async ({
    h,
    org,
    company,
  }) => {
    const { refuse, record, of } = company;
    const { id } = company.research;
    const member = await org.member({ role: "user", workspaces: { [id]: "workspace_user" } });
    const own = await org.operator.createApiKey(id, { owner_member_id: member.id });
    const atMs = h.clock.nowMs;
    await record([...refuse(3, { ...of, atMs }), ...refuse(2, { ...of, apiKeyId: own.id, atMs })]);
    expect(await see(member.client)).toEqual([2, 2]);
  });

  test("requests without a known key: Owners and the operator only", async ({
    h,
    org,
    company,
  }) => {
    const { refuse, record, ofUnknown } = company;
    const fields = { errorCode: "api_key_invalid", httpStatus: 401, model: "" } as const;
    await record(refuse(4, { ...ofUnknown, ...fields, atMs: h.clock.nowMs }));
    const owner = await org.member({ role: "owner" });
    const admin = await org.member({ role: "admin" });
    expect(await see(owner.client)).toEqual([4, 4]);
    expect(await see(org.operator)).toEqual([4, 4]);
    expect(await see(admin.client)).toEqual([0, 0]);
    expect(await see(org.admin)).toEqual([0, 0]);
    const { data } = await count(org.operator, "group_by=api_key,error_code&is_unknown_key=true");
    expect(data).toMatchObject([
      { api_key_id: null, is_unknown_key: true, error_code: "api_key_invalid", requests: 4 },
    ]);
    expect((await count(org.operator, "is_unknown_key=false")).totals.requests).toBe(0);
  });
});
