import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import type { spendLimit } from "@bursar/contract/admin/spend-limits.ts";
import { afterEach, describe, expect } from "vitest";
import type { z } from "zod";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { type AlertNode, startAlertNode } from "#test/harness/alert-node.ts";
import { makeUnreliable } from "#test/harness/meters.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { sweepSpendAlerts } from "./fire-spend.ts";

// Spend alerts, fired by the flush of a node, by changes of limits and alerts, by refusals, and by the sweep.

type Alert = z.output<typeof alert>;
type Firing = z.output<typeof alertFiring>;
type Limit = z.output<typeof spendLimit>;

const DOLLAR = 1_000_000_000n;
const DAY_MS = 86_400_000;

const test = base.extend("company", ({ h, org, workspaceId, apiKeyId }) => {
  /** Starts a node that folds on this database. */
  async function startNode(database: Database = h.deps.database): Promise<AlertNode> {
    const started = await startAlertNode({ h, directory, foldDatabase: database });
    stops.push(started.stop);
    return started;
  }

  /** Records and flushes a request that costs this many dollars. */
  async function spend(usd: number, on: AlertNode = node): Promise<void> {
    const startedAtMs = h.clock.nowMs;
    const begin = beginRecord({ organizationId: org.id, workspaceId, apiKeyId, startedAtMs });
    on.meter.begin(begin);
    on.meter.end(endRecord(begin, BigInt(Math.round(usd * 100)) * (DOLLAR / 100n)));
    await on.meter.flush();
    await on.fold();
  }

  const workspaceScope = () => ({ type: "workspace", workspace_id: workspaceId });

  /** The database, and its statements about alerts since the last call of `statements`. */
  function watched(): { database: Database; statements: () => string[] } {
    let seen: string[] = [];
    const database = h.deps.database.withPlugin({
      transformQuery: ({ node: query }) => {
        seen.push(JSON.stringify(query, (_, value) => (typeof value === "bigint" ? "" : value)));
        return query;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    const statements = () => {
      const ofAlerts = seen.filter(
        (text) => /alert|firings/.test(text) && !/INSERT INTO balance/.test(text),
      );
      seen = [];
      return ofAlerts;
    };
    return { database, statements };
  }

  async function createAlert(fields: object = {}): Promise<Alert> {
    const { body, error } = await org.admin.post<Alert>("/v1/admin/alerts", {
      name: "Spend",
      scope: workspaceScope(),
      condition: { kind: "spend_limit" },
      ...fields,
    });
    expect(error.message).toBe("");
    return clearCache(body);
  }

  async function change(id: string, fields: object): Promise<void> {
    const { error } = await org.admin.post(`/v1/admin/alerts/${id}`, fields);
    expect(error.message).toBe("");
    clearCache(null);
  }

  async function limit(limitUsd: number, fields: object = {}): Promise<Limit> {
    const { body, error } = await org.admin.post<Limit>("/v1/admin/spend_limits", {
      scope: workspaceScope(),
      period: "monthly",
      limit_usd: limitUsd,
      enforcement: "soft",
      ...fields,
    });
    expect(error.message).toBe("");
    return clearCache(body);
  }

  async function firings(): Promise<Firing[]> {
    const { body } = await org.admin.get<Listed<Firing>>("/v1/admin/alert_firings?limit=100");
    return body.data;
  }

  /** Thresholds of all firings, sorted. */
  const fired = async () => (await firings()).map(({ threshold }) => threshold).sort();

  const sweep = () => inTransaction(h.deps.database, (tx) => sweepSpendAlerts(tx, h.deps));

  return {
    startNode,
    spend,
    workspaceScope,
    watched,
    createAlert,
    change,
    limit,
    firings,
    fired,
    sweep,
  };
});

let directory: string;
let stops: (() => Promise<void>)[];
let node: AlertNode;

test.beforeEach(async ({ h, company }) => {
  // Raises and creation times of limits come from the database's clock.
  h.clock.nowMs = Date.now();
  directory = fs.mkdtempSync(path.join(tmpdir(), "bursar-alerts-"));
  stops = [];
  node = await company.startNode();
});

afterEach(async () => {
  for (const stop of stops) await stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

/** Clears the node's cache, as a change does. */
function clearCache<Body>(body: Body): Body {
  node.alerts.forget("anything");
  return body;
}

describe("a fold", () => {
  test("fires each crossed threshold once, with its facts", async ({ workspaceId, company }) => {
    await company.limit(10);
    const { id } = await company.createAlert();
    await company.spend(4.99);
    expect(await company.fired()).toEqual([]);
    await company.spend(0.01);
    expect(await company.fired()).toEqual(["50%"]);
    await company.spend(1);
    await company.spend(4);
    expect(await company.fired()).toEqual(["100%", "50%", "75%", "90%"]);
    await company.spend(10);
    expect(await company.fired()).toHaveLength(4);
    const first = (await company.firings()).find(({ threshold }) => threshold === "50%");
    expect(first).toMatchObject({
      alert: { id },
      scope: company.workspaceScope(),
      workspace_id: workspaceId,
      facts: { spent_usd: "5.00", limit_usd: "10.00", period: "monthly", enforcement: "soft" },
      is_muted: false,
    });
  });

  test("of two concurrent nodes fires each threshold once", async ({ company }) => {
    await company.limit(10);
    await company.createAlert();
    const other = await company.startNode();
    await Promise.all([company.spend(6), company.spend(6, other)]);
    expect(await company.fired()).toEqual(["100%", "50%", "75%", "90%"]);
  });

  test("far from all thresholds runs no alert statement, and counts the spend of other nodes", async ({
    company,
  }) => {
    await company.limit(10);
    await company.createAlert();
    const { database, statements } = company.watched();
    const [first, second] = [await company.startNode(database), await company.startNode()];
    await company.spend(1, first);
    expect(statements()).not.toEqual([]);
    await company.spend(1, first);
    expect(statements()).toEqual([]);
    await company.spend(2.99, second);
    expect(statements()).toEqual([]);
    await company.spend(0.01, first);
    expect(statements()).not.toEqual([]);
    expect(await company.fired()).toEqual(["50%"]);
    await company.spend(0.01, first);
    expect(statements()).toEqual([]);
  });

  test.for(["after commit", "before commit"] as const)(
    "with a connection lost %s fires and counts once",
    async (when, { h, company }) => {
      await company.limit(10);
      await company.createAlert();
      const on = await company.startNode(makeUnreliable(h.deps.database, when, 1));
      await expect(company.spend(6, on)).rejects.toThrow("connection lost");
      await on.fold();
      expect(await company.fired()).toEqual(["50%"]);
      await company.spend(3, on);
      expect(await company.fired()).toEqual(["50%", "75%", "90%"]);
      const [ninety] = (await company.firings()).filter(({ threshold }) => threshold === "90%");
      expect(ninety?.facts.spent_usd).toBe("9.00");
    },
  );

  test("that cannot fire still counts, and the sweep fires later", async ({ h, company }) => {
    await company.limit(10);
    await company.createAlert();
    const { randomBytes } = h.deps;
    h.deps.randomBytes = () => {
      throw new Error("a defect in an alert");
    };
    try {
      await company.spend(6);
    } finally {
      h.deps.randomBytes = randomBytes;
    }
    expect(await company.fired()).toEqual([]);
    await company.sweep();
    const [firing] = await company.firings();
    expect(firing).toMatchObject({ threshold: "50%", facts: { spent_usd: "6.00" } });
    await company.sweep();
    expect(await company.fired()).toEqual(["50%"]);
  });
});

interface Step {
  limit?: number;
  spend?: number;
  fired: string[];
}

describe("a limit", () => {
  // Each step sets the limit, spends, and expects all thresholds that have fired. Amounts are in dollars.
  test.for([
    [
      "that is lowered below the spend fires once, at once",
      [
        { limit: 100, spend: 8, fired: [] },
        { limit: 10, fired: ["50%", "75%"] },
        { limit: 9, fired: ["50%", "75%"] },
      ],
    ],
    [
      "that is lowered and restored arms the thresholds above the spend again",
      [
        { limit: 100, spend: 8, fired: [] },
        { limit: 10, fired: ["50%", "75%"] },
        { limit: 100, fired: ["50%", "75%"] },
        { spend: 42, fired: ["50%", "50%", "75%"] },
      ],
    ],
    [
      "that is raised arms only the thresholds above the spend again",
      [
        { limit: 10, spend: 8, fired: ["50%", "75%"] },
        { limit: 12, fired: ["50%", "75%"] },
        // 75 % of 12 is 9, and is crossed again. 50 % stayed below the spend.
        { spend: 1, fired: ["50%", "75%", "75%"] },
      ],
    ],
  ] satisfies [string, Step[]][])("%s", async ([, steps], { company }) => {
    await company.createAlert();
    for (const { limit, spend, fired } of steps) {
      if (limit !== undefined) await company.limit(limit);
      if (spend !== undefined) await company.spend(spend);
      expect(await company.fired()).toEqual(fired);
    }
  });

  test("that is removed and created again counts as raised", async ({ org, company }) => {
    const { id } = await company.limit(10);
    await company.createAlert();
    await company.spend(8);
    await org.admin.remove(`/v1/admin/spend_limits/${id}`);
    await company.limit(10);
    expect(await company.fired()).toEqual(["50%", "50%", "75%", "75%"]);
  });

  test("that is strict fires 100 % once when it refuses, even with less settled", async ({
    org,
    workspaceId,
    company,
  }) => {
    await company.limit(10, { enforcement: "strict" });
    await company.createAlert();
    await company.spend(9.6);
    expect(await company.fired()).toEqual(["50%", "75%", "90%"]);
    const reached = {
      organizationId: org.id,
      scopeType: "workspace",
      scopeId: workspaceId,
      workspaceId,
      period: "monthly",
      amountNanoUsd: 10n * DOLLAR,
    } as const;
    // A refusal of an older amount fires nothing.
    node.alerts.reportReachedLimit({ ...reached, amountNanoUsd: 9n * DOLLAR });
    await node.alerts.stop();
    expect(await company.fired()).toEqual(["50%", "75%", "90%"]);
    for (let i = 0; i < 3; i++) node.alerts.reportReachedLimit(reached);
    await node.alerts.stop();
    expect(await company.fired()).toEqual(["100%", "50%", "75%", "90%"]);
    await company.spend(0.4);
    expect(await company.fired()).toHaveLength(4);
  });
});

describe("a period", () => {
  test("that is new fires again", async ({ h, company }) => {
    await company.limit(10, { period: "daily" });
    await company.createAlert();
    await company.spend(6);
    expect(await company.fired()).toEqual(["50%"]);
    h.clock.nowMs += DAY_MS;
    await company.spend(4);
    expect(await company.fired()).toEqual(["50%"]);
    await company.spend(1);
    expect(await company.fired()).toEqual(["50%", "50%"]);
  });
});

describe("an alert", () => {
  test("that is created, or gets another threshold, fires crossed thresholds", async ({
    company,
  }) => {
    await company.limit(10);
    await company.spend(6);
    const { id } = await company.createAlert({
      condition: { kind: "spend_limit", thresholds: [{ percent: 50 }] },
    });
    expect(await company.fired()).toEqual(["50%"]);
    await company.change(id, {
      condition: { kind: "spend_limit", thresholds: [{ percent: 50 }, { percent: 60 }] },
    });
    expect(await company.fired()).toEqual(["50%", "60%"]);
  });

  test("about an amount needs no limit", async ({ company }) => {
    await company.createAlert({
      condition: { kind: "spend_limit", thresholds: [{ amount_usd: 5, period: "monthly" }] },
    });
    await company.spend(5);
    const [firing] = await company.firings();
    expect(firing).toMatchObject({
      threshold: "$5.00",
      facts: { limit_usd: null, spend_limit_id: null, enforcement: null },
    });
  });

  test("about an amount fires at its creation, once, for spend of a scope without a limit", async ({
    h,
    org,
    company,
  }) => {
    await company.spend(6);
    const balances = h.deps.database.selectFrom("balance").select("scope_id");
    expect(await balances.where("organization_id", "=", org.id).execute()).toEqual([]);
    await company.createAlert({
      condition: { kind: "spend_limit", thresholds: [{ amount_usd: 5, period: "monthly" }] },
    });
    expect(await company.fired()).toEqual(["$5.00"]);
    await company.spend(1);
    await company.sweep();
    expect(await company.fired()).toEqual(["$5.00"]);
  });

  test("about an amount fires in the sweep for spend that a fold counted beside its change", async ({
    h,
    company,
  }) => {
    const { id } = await company.createAlert({
      condition: { kind: "spend_limit", thresholds: [{ amount_usd: 5, period: "monthly" }] },
      is_enabled: false,
    });
    await company.spend(6);
    // The change commits after the fold has read the alerts, and has read the usage before the fold commits.
    const updatedAt = new Date(h.clock.nowMs);
    await h.deps.database
      .updateTable("alert")
      .set({ is_enabled: true, updated_at: updatedAt })
      .where("id", "=", id)
      .execute();
    expect(await company.fired()).toEqual([]);
    await company.sweep();
    expect(await company.fired()).toEqual(["$5.00"]);
  });

  test("that is off or deleted fires nothing, and fires crossed thresholds when enabled", async ({
    org,
    company,
  }) => {
    await company.limit(10);
    const { id } = await company.createAlert({ is_enabled: false });
    const deleted = await company.createAlert({ name: "Deleted" });
    await org.admin.remove(`/v1/admin/alerts/${deleted.id}`);
    clearCache(null);
    await company.spend(6);
    await company.sweep();
    expect(await company.fired()).toEqual([]);
    await company.change(id, { is_enabled: true });
    expect((await company.firings()).map((firing) => firing.alert.id)).toEqual([id]);
  });

  test("that is muted fires without messages", async ({ org, company }) => {
    const channel = await org.operator.post<{ id: string }>("/v1/admin/alert_channels", {
      name: "Mail",
      target: { kind: "email", recipients: { addresses: ["desk@example.com"] } },
    });
    await company.limit(10);
    const { id } = await company.createAlert({ channel_ids: [channel.body.id] });
    await company.spend(6);
    await company.change(id, { muted_until: new Date(Date.now() + DAY_MS).toISOString() });
    await company.spend(2);
    await company.change(id, { muted_until: null });
    await company.spend(1);
    const fired = (await company.firings()).map(({ threshold, is_muted, deliveries }) => {
      return { threshold, is_muted, deliveries: deliveries.length };
    });
    expect(fired.sort((a, b) => (a.threshold < b.threshold ? -1 : 1))).toEqual([
      { threshold: "50%", is_muted: false, deliveries: 1 },
      { threshold: "75%", is_muted: true, deliveries: 0 },
      { threshold: "90%", is_muted: false, deliveries: 1 },
    ]);
  });

  test("watches child scopes only with includes_below, each one separately", async ({
    apiKeyId,
    company,
  }) => {
    await company.limit(10);
    await company.limit(10, { scope: { type: "api_key", api_key_id: apiKeyId } });
    await company.limit(10, { scope: { type: "organization" } });
    const thresholds = [{ percent: 50 }];
    const condition = { kind: "spend_limit", thresholds };
    const organization = { type: "organization" };
    await company.createAlert({ name: "Organization", scope: organization, condition });
    await company.createAlert({
      name: "Everything",
      scope: organization,
      includes_below: true,
      condition,
    });
    await company.createAlert({ name: "Workspace", condition });
    await company.createAlert({ name: "Workspace and keys", includes_below: true, condition });
    await company.spend(6);
    const found = (await company.firings()).map(
      (firing) => `${firing.alert.name}: ${firing.scope.type}`,
    );
    expect(found.sort()).toEqual([
      "Everything: api_key",
      "Everything: organization",
      "Everything: workspace",
      "Organization: organization",
      "Workspace and keys: api_key",
      "Workspace and keys: workspace",
      "Workspace: workspace",
    ]);
  });

  test("of another organization does not fire", async ({ h, company }) => {
    const other = await h.organization();
    await other.admin.post("/v1/admin/alerts", {
      name: "Elsewhere",
      scope: { type: "organization" },
      includes_below: true,
      condition: { kind: "spend_limit", thresholds: [{ amount_usd: 1 }] },
    });
    await company.spend(6);
    await company.sweep();
    const { body } = await other.admin.get<Listed<Firing>>("/v1/admin/alert_firings");
    expect(body.data).toEqual([]);
  });
});
