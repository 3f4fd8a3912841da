import type { spendLimit } from "@bursar/contract/admin/spend-limits.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { readStrictLimits } from "#src/spend/ledger/leases.sql.ts";
import type { Client, Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

// Default caps of groups, and what they do to the limits of their members.

const LIMITS = "/v1/admin/spend_limits";
const MODE = "/v1/admin/group_limit_mode";
const GROUPS = "/v1/admin/groups";
type Limit = z.output<typeof spendLimit>;

const test = base
  .extend("org", ({ h }) => h.organization())
  .extend("company", async ({ org }) => {
    const ada = (await org.member({ name: "Ada" })).id;
    const owner = (await org.member({ role: "owner" })).client;
    const makeGroup = async (name: string) =>
      (await org.admin.post<{ id: string }>(GROUPS, { name })).body.id;
    const [research, support] = [await makeGroup("Research"), await makeGroup("Support")];
    const post = (path: string, body: object, client: Client = org.admin) =>
      client.post(path, body);
    return {
      ...{ ada, owner, research, support },
      join: (group: string, client?: Client) =>
        post(`${GROUPS}/${group}/members`, { member_id: ada }, client),
      leave: (group: string, client: Client = org.admin) =>
        client.remove(`${GROUPS}/${group}/members/${ada}`),
      setDefault: (group: string, usd: number, client?: Client, fields: object = {}) =>
        post(
          LIMITS,
          {
            scope: { type: "group_member", group_id: group },
            period: "monthly",
            limit_usd: usd,
            ...fields,
          },
          client,
        ),
      setOwn: (usd: number, client?: Client) =>
        post(
          LIMITS,
          { scope: { type: "member", member_id: ada }, period: "monthly", limit_usd: usd },
          client,
        ),
      /** Limit in force of Ada. */
      cap: async () => {
        const { body } = await org.admin.get<Listed<Limit>>(
          `${LIMITS}?scope_type=member&member_id=${ada}`,
        );
        return body.data[0]?.limit_usd ?? null;
      },
    };
  });

test("a default is the cap of each member, from joining to leaving", async ({ company }) => {
  const { research, join, leave, setDefault, cap } = company;
  expect((await setDefault(research, 10)).status).toBe(200);
  expect(await cap()).toBe(null);
  await join(research);
  expect(await cap()).toBe(10);
  await setDefault(research, 20);
  expect(await cap()).toBe(20);
  await leave(research);
  expect(await cap()).toBe(null);
});

test("nodes acquire no lease for a strict default", async ({ h, company }) => {
  const { ada, research, join, setDefault } = company;
  await setDefault(research, 10);
  await join(research);
  const { limits } = await readStrictLimits(h.deps.database);
  const scopes = limits.map(({ scopeId }) => scopeId);
  expect(scopes).toContain(ada);
  expect(scopes).not.toContain(research);
});

test("a default holds the streams of its members in steps or whole", async ({ h, company }) => {
  const { ada, owner, research, join, setDefault } = company;
  await join(research);
  const rule = async () => {
    const { limits } = await readStrictLimits(h.deps.database);
    return limits.find(({ scopeId }) => scopeId === ada)?.hold;
  };
  await setDefault(research, 10, owner, { hold: "steps" });
  expect(await rule()).toBe("steps");
  await setDefault(research, 10, owner, { hold: "whole" });
  expect(await rule()).toBe("whole");
});

test("of several groups the highest default applies", async ({ company }) => {
  const { research, support, join, leave, setDefault, cap } = company;
  await setDefault(research, 10);
  await setDefault(support, 30);
  await join(research);
  await join(support);
  expect(await cap()).toBe(30);
  await leave(support);
  expect(await cap()).toBe(10);
});

test("with the mode `lowest` the lowest default applies, at once and to all", async ({
  h,
  org,
  company,
}) => {
  const { ada, research, support, join, setDefault, setOwn, cap } = company;
  await setDefault(research, 10);
  await setDefault(support, 30);
  await join(research);
  await join(support);
  expect((await org.admin.get(MODE)).body).toEqual({ type: "group_limit_mode", mode: "highest" });
  const lowest = { type: "group_limit_mode", mode: "lowest" };
  expect((await org.admin.post(MODE, { mode: "lowest" })).body).toEqual(lowest);
  expect((await org.admin.get(MODE)).body).toEqual(lowest);
  expect(await cap()).toBe(10);
  await org.admin.post(MODE, { mode: "lowest" });
  const events = await auditEventsOf(h.deps.database, org.id);
  expect(events.filter(({ event }) => event === "group_limit_mode.set")).toMatchObject([
    {
      before: { mode: "highest" },
      after: { mode: "lowest", changed_member_limits: { count: 1, first: [{ member_id: ada }] } },
    },
  ]);
  await setOwn(70);
  await org.admin.post(MODE, { mode: "highest" });
  expect(await cap()).toBe(70);
});

test("a lower rank does not raise an owner's default by the mode", async ({ org, company }) => {
  const { owner, research, support, join, setDefault, cap } = company;
  await setDefault(research, 10, owner);
  await setDefault(support, 30, owner);
  await join(research);
  await join(support, owner);
  const admin = (await org.member({ role: "admin" })).client;
  expect(await admin.post(MODE, { mode: "lowest" })).toMatchObject({ status: 200 });
  expect(await cap()).toBe(10);
  expect(await admin.post(MODE, { mode: "highest" })).toMatchObject({
    status: 403,
    body: { error: { details: { error_code: "limit_set_above" } } },
  });
  expect(await cap()).toBe(10);
  expect((await owner.post(MODE, { mode: "highest" })).status).toBe(200);
  expect(await cap()).toBe(30);
});

test("one person does not raise limits by the mode where two are needed", async ({ company }) => {
  const { owner, research, support, join, setDefault, cap } = company;
  await setDefault(research, 10);
  await setDefault(support, 30);
  await join(research);
  await join(support);
  await owner.post(MODE, { mode: "lowest" });
  await owner.post("/v1/admin/security_settings", { raises_need_two_people: true });
  expect(await owner.post(MODE, { mode: "highest" })).toMatchObject({
    status: 403,
    body: { error: { details: { error_code: "raise_needs_two_people" } } },
  });
  expect(await cap()).toBe(10);
});

test("a person's own value wins, and the default returns without it", async ({ org, company }) => {
  const { research, join, setDefault, setOwn, cap } = company;
  await setDefault(research, 10);
  await join(research);
  await setOwn(50);
  expect(await cap()).toBe(50);
  await setDefault(research, 5);
  expect(await cap()).toBe(50);
  const { body } = await org.admin.get<Listed<Limit>>(`${LIMITS}?scope_type=member`);
  expect((await org.admin.remove(`${LIMITS}/${body.data[0]?.id}`)).status).toBe(200);
  expect(await cap()).toBe(5);
});

test("a limit that only a default decides is not removed, and names its group", async ({
  org,
  company,
}) => {
  const { research, join, setDefault, cap } = company;
  await setDefault(research, 10);
  await join(research);
  const { body } = await org.admin.get<Listed<Limit>>(LIMITS);
  const group = { type: "group", group_id: research, group_name: "Research" };
  const [ofMember] = body.data.filter(({ scope }) => scope.type === "member");
  expect(ofMember).toMatchObject({ inherited_from: group, values: [], member_count: null });
  expect(body.data.find(({ scope }) => scope.type === "group_member")).toMatchObject({
    ...{ inherited_from: null, member_count: 1 },
  });
  expect(await org.admin.remove(`${LIMITS}/${ofMember?.id}`)).toMatchObject({
    status: 400,
    body: {
      error: { details: { error_code: "limit_is_inherited", inherited_from: group } },
    },
  });
  expect(await cap()).toBe(10);
  const own = await org.admin.get<Listed<Limit>>(`${LIMITS}?inherited=false`);
  expect(own.body.data.map(({ scope }) => scope.type)).toEqual(["group_member"]);
});

test("a lower rank neither raises nor removes an owner's default", async ({ org, company }) => {
  const { owner, research, support, join, leave, setDefault, setOwn, cap } = company;
  const admin = (await org.member({ role: "admin" })).client;
  await setDefault(research, 10, owner);
  await join(research, admin);
  expect(await cap()).toBe(10);
  await setOwn(500, admin);
  await setDefault(support, 900, admin);
  await join(support, admin);
  expect(await cap()).toBe(10);
  for (const answer of [
    await leave(research, admin),
    await admin.remove(`${GROUPS}/${research}`),
  ]) {
    expect(answer).toMatchObject({
      status: 403,
      body: { error: { details: { error_code: "limit_set_above", set_above: { rank: "owner" } } } },
    });
  }
  expect((await leave(research, owner)).status).toBe(200);
  expect(await cap()).toBe(500);
});

test("a deleted group has no limits, and its members lose its default", async ({
  org,
  company,
}) => {
  const { research, join, setDefault, cap } = company;
  await setDefault(research, 10);
  const scope = { type: "group", group_id: research };
  await org.admin.post(LIMITS, { scope, period: "monthly", limit_usd: 100 });
  await join(research);
  expect((await org.admin.remove(`${GROUPS}/${research}`)).status).toBe(200);
  expect(await cap()).toBe(null);
  expect((await org.admin.get<Listed<Limit>>(LIMITS)).body.data).toEqual([]);
});

test("the audit event of a change lists the members whose limits changed", async ({
  h,
  org,
  company,
}) => {
  const { ada, research, join, setDefault } = company;
  await setDefault(research, 10);
  await join(research);
  await setDefault(research, 20);
  await setDefault(research, 20);
  const rows = h.deps.database.selectFrom("audit_event").selectAll().orderBy("seq");
  const changes = (await rows.where("organization_id", "=", org.id).execute()).filter(({ event }) =>
    /^(spend_limit|group_member)\./.test(event),
  );
  const changed = (before: string | null, after: string) => ({
    changed_member_limits: {
      count: 1,
      first: [
        { member_id: ada, period: "monthly", limit_usd_before: before, limit_usd_after: after },
      ],
    },
  });
  expect(changes.map(({ event, after }) => [event, after])).toEqual([
    ["spend_limit.set", expect.not.objectContaining({ changed_member_limits: expect.anything() })],
    ["group_member.added", expect.objectContaining(changed(null, "10.00"))],
    ["spend_limit.set", expect.objectContaining(changed("10.00", "20.00"))],
  ]);
});

/** With a default for each period, their rows have more values than one statement has parameters. */
const MANY = 2_500;

test("a default is the cap of thousands of members", async ({ h, org, company }) => {
  const { research, setDefault } = company;
  await inSignedTransaction(h.deps, async (tx) => {
    await sql`
      WITH made AS (INSERT INTO member (id, organization_id, email, name, role)
        SELECT 'user_many' || n, ${org.id}::uuid, 'many' || n || '@example.com', 'Many ' || n, 'user'
        FROM generate_series(1, ${MANY}::integer) AS n RETURNING id)
      INSERT INTO group_member (group_id, member_id, source) SELECT ${research}, id, 'direct' FROM made`.execute(
      tx,
    );
  });
  for (const period of ["daily", "weekly", "monthly"]) {
    expect((await setDefault(research, 10, org.admin, { period })).status).toBe(200);
  }
  const { rows } = await sql`
    SELECT period, count(*)::integer AS members FROM spend_limit
    WHERE scope_id LIKE 'user_many%' AND amount_nano_usd = 10000000000 GROUP BY period ORDER BY period`.execute(
    h.deps.database,
  );
  expect(rows).toEqual(["daily", "monthly", "weekly"].map((period) => ({ period, members: MANY })));
});
