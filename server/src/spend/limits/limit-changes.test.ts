import {
  NEW_LIMIT_HOLD,
  type spendLimit,
  type workspaceLimit,
} from "@bursar/contract/admin/spend-limits.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import { readLimitsVersion } from "#src/spend/ledger/leases.sql.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

// Responses to changes, and concurrent changes.

const LIMITS = "/v1/admin/spend_limits";
const SHORT = "/v1/admin/workspaces/limits";
type Limit = z.output<typeof spendLimit>;
type ShortLimit = z.output<typeof workspaceLimit>;
type SetLimit = Pick<Limit, "id" | "hold">;

const test = base
  .extend(
    "set",
    ({ org, workspaceId }) =>
      (fields: object = {}) =>
        org.admin.post<Limit>(LIMITS, {
          scope: { type: "workspace", workspace_id: workspaceId },
          period: "monthly",
          limit_usd: 25,
          ...fields,
        }),
  )
  .extend(
    "setShort",
    ({ org, workspaceId }) =>
      (fields: object = {}) =>
        org.admin.post<ShortLimit>(SHORT, {
          workspace_id: workspaceId,
          monthly_limit_usd: 25,
          ...fields,
        }),
  )
  .extend(
    "spend",
    ({ h, org, workspaceId }) =>
      async (nanoUsd: bigint, overrunNanoUsd = 0n): Promise<void> => {
        const charge = {
          scopeType: "workspace",
          scopeId: workspaceId,
          period: "monthly",
          periodStart: "2026-11-01",
          organizationId: org.id,
          nanoUsd,
          overrunNanoUsd,
        } as const;
        await h.deps.database.transaction().execute((tx) => addToBalances(tx, [charge]));
      },
  );

describe("a limit below the spend", () => {
  test.for([
    ["strict", true],
    ["soft", true],
    ["alert_only", false],
  ] as const)(
    "is accepted, and with %s enforcement has blocks_now: %s",
    async ([enforcement, blocksNow], { set, setShort, spend }) => {
      await spend(5_000_000_000n, 7n);
      const long = await set({ limit_usd: "4.999999999", enforcement });
      expect([long.status, long.body.blocks_now, long.body.remaining_usd]).toEqual([
        200,
        blocksNow,
        "0.00",
      ]);
      expect([long.body.spent_usd, long.body.beyond_holds_usd]).toEqual(["5.00", "0.000000007"]);
      const short = await setShort({ monthly_limit_usd: 5, enforcement });
      expect([short.body.blocks_now, short.body.enforcement]).toEqual([blocksNow, enforcement]);
      expect((await setShort({ monthly_limit_usd: "5.01", enforcement })).body.blocks_now).toBe(
        false,
      );
    },
  );
});

describe("the hold of open-ended requests", () => {
  test("is stored, compared, audited, and removed when omitted", async ({ h, set, setShort }) => {
    const first = await set({ open_ended_hold_usd: "1.50" });
    expect(first.body.open_ended_hold_usd).toBe(1.5);
    const same = await set({ open_ended_hold_usd: 1.5 });
    expect(same.body).toEqual(first.body);
    const other = await setShort({ open_ended_hold_usd: 2 });
    expect(other.body.open_ended_hold_usd).toBe(2);
    expect((await set()).body.open_ended_hold_usd).toBeNull();
    const events = await auditEventsOf(h.deps.database, first.body.id);
    const sets = events.filter(({ event }) => event === "spend_limit.set");
    expect(
      sets.map(({ after }) => (after as Record<string, unknown>)["open_ended_hold_usd"]),
    ).toEqual(["1.50", "2.00", null]);
  });

  test.for([0, "0.000000000", -1, "1.0000000001"])("cannot be %j", async (amount, { set }) => {
    const answer = await set({ open_ended_hold_usd: amount });
    expect(answer.status).toBe(400);
    expect(answer.error.message).toMatch(/^open_ended_hold_usd: /);
  });
});

describe("the rule for unknown features", () => {
  test("is stored, audited, kept by a change of the amount alone, and held when omitted", async ({
    h,
    org,
    workspaceId,
    set,
    setShort,
  }) => {
    const first = await set({ unknown_features: "refuse" });
    expect(first.body.unknown_features).toBe("refuse");
    const scope = { type: "workspace", workspace_id: workspaceId };
    await org.admin.post("/v1/organizations/spend_limits", { scope, amount: "3000" });
    const kept = await setShort({ monthly_limit_usd: 30, unknown_features: "refuse" });
    expect(kept.body).toMatchObject({ monthly_limit_usd: 30, unknown_features: "refuse" });
    expect((await set()).body.unknown_features).toBe("hold");
    const events = await auditEventsOf(h.deps.database, first.body.id);
    const sets = events.filter(({ event }) => event === "spend_limit.set");
    expect(sets.map(({ after }) => (after as Record<string, unknown>)["unknown_features"])).toEqual(
      ["refuse", "refuse", "hold"],
    );
    expect((await set({ unknown_features: "allow" })).status).toBe(400);
  });

  test("needs a step-up to hold again", async ({ org, workspaceId }) => {
    const { client } = await org.member({ role: "owner", steppedUpAtMs: null });
    const body = { workspace_id: workspaceId, monthly_limit_usd: 25 };
    expect((await client.post(SHORT, { ...body, unknown_features: "refuse" })).status).toBe(200);
    const held = await client.post(SHORT, body);
    expect([held.status, held.error.details?.error_code]).toEqual([403, "step_up_required"]);
  });
});

describe("the rule for holds of streams", () => {
  test("is stored, audited, and kept by each change that names none", async ({
    h,
    org,
    workspaceId,
    set,
    setShort,
  }) => {
    const first = await set({ hold: "steps" });
    expect(first.body.hold).toBe("steps");
    expect((await set({ limit_usd: 26 })).body.hold).toBe("steps");
    expect((await setShort({ monthly_limit_usd: 27 })).body.hold).toBe("steps");
    const scope = { type: "workspace", workspace_id: workspaceId };
    await org.admin.post("/v1/organizations/spend_limits", { scope, amount: "3000" });
    expect((await set({ hold: "whole" })).body.hold).toBe("whole");
    expect((await setShort({ monthly_limit_usd: 28 })).body.hold).toBe("whole");
    const events = await auditEventsOf(h.deps.database, first.body.id);
    const sets = events.filter(({ event }) => event === "spend_limit.set");
    expect(sets.map(({ after }) => (after as Record<string, unknown>)["hold"])).toEqual([
      ...["steps", "steps", "steps", "steps", "whole", "whole"],
    ]);
    expect((await set({ hold: "half" })).status).toBe(400);
  });

  test("of a new limit is the default, in each shape", async ({ org, workspaceId, apiKeyId }) => {
    const rules: unknown[] = [];
    const scope = { type: "api_key", api_key_id: apiKeyId };
    const limit = { scope, period: "daily", limit_usd: 25 };
    rules.push((await org.admin.post<SetLimit>("/v1/admin/spend_limits", limit)).body.hold);
    const short = { workspace_id: workspaceId, monthly_limit_usd: 25 };
    rules.push((await org.admin.post<SetLimit>(SHORT, short)).body.hold);
    const official = { scope: { type: "organization" }, amount: "3000" };
    const { body } = await org.admin.post<SetLimit>("/v1/organizations/spend_limits", official);
    rules.push((await org.admin.get<SetLimit>(`/v1/admin/spend_limits/${body.id}`)).body.hold);
    expect(rules).toEqual([NEW_LIMIT_HOLD, NEW_LIMIT_HOLD, NEW_LIMIT_HOLD]);
  });

  test("reaches all nodes, and only whole holds wait for them", async ({ h, set }) => {
    const { database } = h.deps;
    const versions = async ({ id }: Limit) => {
      const { version } = await database
        .selectFrom("spend_limit")
        .select("version")
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      return { ofLimit: version, ofAll: await readLimitsVersion(database) };
    };
    const first = await versions((await set({ hold: "whole" })).body);
    const eased = await versions((await set({ hold: "steps" })).body);
    expect(eased).toEqual({ ofLimit: first.ofLimit, ofAll: first.ofAll + 1n });
    const stricter = await versions((await set({ hold: "whole" })).body);
    expect(stricter).toEqual({ ofLimit: first.ofAll + 2n, ofAll: first.ofAll + 2n });
  });

  test("needs a step-up for steps", async ({ org, workspaceId }) => {
    const { client } = await org.member({ role: "owner", steppedUpAtMs: null });
    const body = { workspace_id: workspaceId, monthly_limit_usd: 25 };
    expect((await client.post(SHORT, { ...body, hold: "whole" })).status).toBe(200);
    const eased = await client.post(SHORT, { ...body, hold: "steps" });
    expect([eased.status, eased.error.details?.error_code]).toEqual([403, "step_up_required"]);
    expect((await client.post(SHORT, body)).status).toBe(200);
  });
});

describe("a change with an outdated version", () => {
  test("is refused with the current limit, in both families of routes", async ({
    org,
    set,
    setShort,
  }) => {
    const { version } = (await set({ if_version: null })).body;
    expect((await set({ if_version: version })).body.version).toBe(version);
    const theirs = (await set({ limit_usd: 40, enforcement: "soft", if_version: version })).body;
    expect(theirs.version).toBeGreaterThan(version);
    for (const answer of [
      await set({ limit_usd: 30, if_version: version }),
      await setShort({ monthly_limit_usd: 30, if_version: version }),
      await setShort({ monthly_limit_usd: null, if_version: version }),
      await set({ limit_usd: 30, if_version: null }),
    ]) {
      expect(answer.status).toBe(409);
      expect(answer.error.message).toBe(
        `The spend limit was changed meanwhile. The limit is now $40.00 monthly, soft, at version ${theirs.version}. Review it, then set if_version to ${theirs.version}.`,
      );
    }
    expect((await org.admin.get<Limit>(`${LIMITS}/${theirs.id}`)).body).toEqual(theirs);
  });

  test("is refused after deletion, also when the limit was created again", async ({ org, set }) => {
    const { id, version } = (await set()).body;
    await org.admin.remove(`${LIMITS}/${id}`);
    const gone = await set({ if_version: version });
    expect([gone.status, gone.error.message]).toEqual([
      409,
      "The spend limit was changed meanwhile. No limit is set now: set if_version to null to create one.",
    ]);
    await set();
    expect((await set({ if_version: version })).status).toBe(409);
  });

  test("succeeds once of twenty concurrent ones", async ({ set }) => {
    const { version } = (await set()).body;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => set({ limit_usd: 100 + i, if_version: version })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
  });
});

describe("a limit that a node does not apply yet", () => {
  test("is activating since its creation, also after a raise", async ({
    h,
    org,
    set,
    setShort,
  }) => {
    const made = (await set()).body;
    await h.deps.database
      .insertInto("node")
      .values({
        id: `node_${org.id}`,
        journal_id: "journal",
        version: "0",
        lease_expires_at: new Date(Date.now() + 60_000),
        limits_version: BigInt(made.version - 1),
      })
      .execute();
    const waiting = (await org.admin.get<Limit>(`${LIMITS}/${made.id}`)).body;
    expect([waiting.state, waiting.activating_since]).toEqual(["activating", made.created_at]);
    const raised = (await set({ limit_usd: 30 })).body;
    expect([raised.state, raised.activating_since]).toEqual(["activating", made.created_at]);
    expect(raised.updated_at).not.toBe(made.updated_at);
    const short = (await setShort({ monthly_limit_usd: 30 })).body;
    expect([short.state, short.activating_since]).toEqual(["activating", made.created_at]);
    const told = (version: number) =>
      h.deps.database
        .updateTable("node")
        .set({ limits_version: BigInt(version) })
        .where("id", "=", `node_${org.id}`)
        .execute();
    await told(made.version);
    expect((await org.admin.get<Limit>(`${LIMITS}/${made.id}`)).body.state).toBe("active");
    const lowered = (await set({ limit_usd: 20 })).body;
    expect([lowered.state, lowered.activating_since]).toEqual(["activating", lowered.updated_at]);
    expect((await set({ limit_usd: 20, enforcement: "soft" })).body.state).toBe("active");
    await h.deps.database.deleteFrom("node").where("id", "=", `node_${org.id}`).execute();
  });
});
