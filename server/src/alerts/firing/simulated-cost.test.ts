import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { expect } from "vitest";
import { inTransaction } from "#src/db/transaction.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { FACTS } from "#test/harness/alert-channels.ts";
import { test as base } from "#test/harness/alerting-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";
import { makeMessage } from "./firing-message.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";

// Messages name the part of their spend that the simulator answered.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const USD = 1_000_000_000n;

interface Use {
  atMs: number;
  usd: bigint;
  workspaceId: string;
  apiKeyId: string;
  isReal?: boolean;
}

const test = base.extend("spend", ({ a }) => {
  const { database } = a.h.deps;
  const todayMs = Math.floor(a.h.clock.nowMs / DAY_MS) * DAY_MS;
  const startMs = todayMs - 10 * DAY_MS;
  const facts = {
    ...FACTS,
    spent_usd: "12.40",
    period_starts_at: new Date(startMs).toISOString(),
    period_ends_at: new Date(todayMs + DAY_MS).toISOString(),
  };

  async function createKey() {
    const { id: workspaceId } = await a.org.admin.createWorkspace();
    const { id: apiKeyId } = await a.org.admin.createApiKey(workspaceId);
    return { workspaceId, apiKeyId };
  }

  const record = (uses: readonly Use[]) =>
    recordUsage(
      database,
      uses.map(({ atMs, usd, workspaceId, apiKeyId, isReal = false }, index) => {
        const requestId = `req_${apiKeyId}_${index}`;
        const serviceTier = isReal ? "standard" : SIMULATED_TIER;
        const record = endRecord({
          ...{ requestId, startedAtMs: atMs, organizationId: a.org.id, workspaceId, apiKeyId },
          serviceTier,
        });
        const { cost } = record;
        return { ...record, cost: { ...cost, output: usd * USD, total: usd * USD } };
      }),
    );

  /** Fires once for each scope. Returns the message about these firings. */
  async function fire(...scopes: Pick<NewFiring, "scopeType" | "scopeId" | "workspaceId">[]) {
    const channel = await a.createChannel();
    const alert = await a.org.admin.post<{ id: string }>("/v1/admin/alerts", {
      ...{ name: "Spend", scope: { type: "organization" }, includes_below: true },
      ...{ condition: { kind: "spend_limit" }, channel_ids: [channel.id] },
    });
    const alertId = alert.body.id;
    const fired = await inTransaction(database, (tx) =>
      recordFirings(
        tx,
        a.h.deps,
        scopes.map((scope) => {
          const of = { organizationId: a.org.id, alertId, kind: "spend_limit" as const };
          return { ...of, ...scope, episode: alertId, threshold: "75%", facts };
        }),
      ),
    );
    const delivery = {
      ...{ id: alertId, organization_id: a.org.id, alert_firing_id: fired[0]?.id ?? "" },
      created_at: new Date(a.h.clock.nowMs),
    };
    const own = fired.map(({ id }) => ({ id, isToOwner: false }));
    return makeMessage(a.h.deps, delivery, channel, own);
  }

  return { createKey, record, fire, facts, startMs, todayMs, nowMs: a.h.clock.nowMs };
});

test("names no simulated part without a simulated request of the scope in the period", async ({
  a,
  spend,
}) => {
  const [key, other] = [await spend.createKey(), await spend.createKey()];
  await spend.record([
    { ...key, atMs: spend.startMs - HOUR_MS, usd: 2n },
    { ...key, atMs: spend.startMs, usd: 9n, isReal: true },
  ]);
  await spend.record([{ ...other, atMs: spend.startMs, usd: 1n }]);
  const { workspaceId } = key;
  const message = await spend.fire({ scopeType: "workspace", scopeId: workspaceId, workspaceId });
  expect(message.facts).toContainEqual({ label: "Spent", value: "$12.40" });
  expect(message.payload.data).toMatchObject({ facts: spend.facts });
  expect(JSON.stringify(message)).not.toContain("simulated");
  expect(a.receiver.received).toEqual([]);
});

test("names the simulated part of closed and open hours, in the facts, the text and the payload", async ({
  a,
  spend,
}) => {
  const key = await spend.createKey();
  await spend.record([
    { ...key, atMs: spend.startMs, usd: 1n },
    { ...key, atMs: spend.startMs + 5 * DAY_MS, usd: 1n },
    { ...key, atMs: spend.startMs + 5 * DAY_MS + HOUR_MS, usd: 4n, isReal: true },
    { ...key, atMs: spend.nowMs, usd: 1n },
  ]);
  const { workspaceId, apiKeyId } = key;
  const ofKey = { scopeType: "api_key", scopeId: apiKeyId, workspaceId } as const;
  const closings = [
    () => Promise.resolve(),
    () =>
      closeHoursBefore(a.h.deps.database, spend.startMs + 6 * DAY_MS, {
        rowsPerStep: 1,
        maxSteps: 2,
      }),
    () => closeHoursBefore(a.h.deps.database, spend.todayMs),
    () => closeHoursBefore(a.h.deps.database, spend.todayMs + 2 * DAY_MS),
  ];
  for (const close of closings) {
    await close();
    const message = await spend.fire(ofKey);
    expect(message.facts).toContainEqual({
      label: "Spent",
      value: "$12.40, of which $3.00 simulated",
    });
    expect(message.next).toMatch(/^\$3\.00 of this is simulated and not billed\. /);
    expect(message.payload.data).toMatchObject({
      facts: { ...spend.facts, simulated_usd: "3.00" },
    });
  }
});

test("names the simulated part of each scope in a message about several firings", async ({
  a,
  spend,
}) => {
  const member = await a.org.member({ role: "developer" });
  const { workspaceId, apiKeyId } = await spend.createKey();
  const key = { workspaceId, apiKeyId };
  await spend.record([{ ...key, atMs: spend.nowMs, usd: 5n }]);
  const { list } = await spend.fire(
    { scopeType: "workspace", scopeId: workspaceId, workspaceId },
    { scopeType: "api_key", scopeId: apiKeyId, workspaceId },
    { scopeType: "member", scopeId: member.id, workspaceId: null },
  );
  const simulated = list?.items.map((item) =>
    item.endsWith("$5.00 of this is simulated and not billed."),
  );
  expect(simulated?.toSorted()).toEqual([false, true, true]);
});

test("names no more than the spend of the firing", async ({ a, spend }) => {
  const key = await spend.createKey();
  await spend.record([{ ...key, atMs: spend.nowMs, usd: 500n }]);
  const message = await spend.fire({
    ...{ scopeType: "organization", scopeId: a.org.id, workspaceId: null },
  });
  expect(message.facts).toContainEqual({
    label: "Spent",
    value: "$12.40, of which $12.40 simulated",
  });
});
