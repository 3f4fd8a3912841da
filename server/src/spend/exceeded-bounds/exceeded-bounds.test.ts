import type { exceededBound } from "@bursar/contract/admin/exceeded-bounds.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { createDefaultAlerts } from "#src/alerts/rules/default-alerts.ts";
import { newId } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type ObservedExcess, recordExceededBound } from "./change-exceeded-bounds.ts";
import { type ExceededBounds, makeExceededBounds } from "./exceeded-bounds.ts";

// A model that was faster than its highest speed is held whole on every node, until its entry is deleted.

type Bound = z.output<typeof exceededBound>;

const BOUNDS = "/v1/admin/exceeded_bounds";
const WAIT_MS = 10_000;
const MODEL = "claude-opus-5";

const test = base.extend("bounds", async ({ h, org }, { onCleanup }) => {
  const { deps } = h;
  const { database } = deps;
  const excess: ObservedExcess = {
    ...{ organizationId: org.id, kind: "model", name: MODEL },
    ...{ observed: 812.4, allowed: 400, requestId: newId("req_", deps.nowMs()) },
  };
  const nodes: ExceededBounds[] = [];
  onCleanup(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  });
  const makeNode = (record = (of: ObservedExcess) => recordExceededBound(deps, of)) => {
    const node = makeExceededBounds({ database, record, logger: makeLogger("silent"), retryMs: 1 });
    nodes.push(node);
    return node;
  };
  const list = async () => (await org.admin.get<Listed<Bound>>(BOUNDS)).body.data;
  return { excess, makeNode, list };
});

test("a reported model is held whole at once, stored, and held whole by another node and after a restart", async ({
  org,
  bounds,
}) => {
  const node = bounds.makeNode();
  node.report(bounds.excess);
  expect(node.isHeldWhole(org.id, "model", MODEL)).toBe(true);
  expect(node.isHeldWhole(org.id, "model", "claude-sonnet-5")).toBe(false);
  expect(node.isHeldWhole(org.id, "tool", MODEL)).toBe(false);
  expect(node.isHeldWhole("00000000-0000-4000-8000-000000000009", "model", MODEL)).toBe(false);
  await eventually(WAIT_MS, "the entry", async () =>
    (await bounds.list()).length > 0 ? true : null,
  );
  const other = bounds.makeNode();
  await other.reload();
  expect(other.isHeldWhole(org.id, "model", MODEL)).toBe(true);
  expect(await bounds.list()).toEqual([
    {
      id: expect.stringMatching(/^bound_/),
      type: "exceeded_bound",
      kind: "model",
      name: MODEL,
      observed_tokens: 813,
      allowed_tokens: 400,
      request_id: bounds.excess.requestId,
      exceeded_at: expect.any(String),
    },
  ]);
});

test("the entry is stored after the database is back", async ({ h, org, bounds }) => {
  let failures = 2;
  const node = bounds.makeNode(async (of) => {
    if (failures-- > 0) throw new Error("the database is away");
    return recordExceededBound(h.deps, of);
  });
  node.report(bounds.excess);
  await eventually(WAIT_MS, "the entry", async () =>
    (await bounds.list()).length > 0 ? true : null,
  );
  expect(node.isHeldWhole(org.id, "model", MODEL)).toBe(true);
});

test("several nodes record one entry, one event and one firing", async ({ h, org, bounds }) => {
  const { deps } = h;
  await createDefaultAlerts(deps);
  const later = { ...bounds.excess, observed: 900 };
  await Promise.all([bounds.excess, later, later].map((each) => recordExceededBound(deps, each)));
  expect(await bounds.list()).toHaveLength(1);
  const { body } = await org.admin.get<Listed<{ title: string; facts: object }>>(
    "/v1/admin/alert_firings?kinds=bound_exceeded",
  );
  expect(body.data).toHaveLength(1);
  expect(body.data[0]).toMatchObject({
    threshold: "beyond bound",
    title: expect.stringMatching(
      /^The model claude-opus-5 sent (813|900) tokens per second, more than its highest speed of 400\.$/,
    ),
    facts: { exceeded_bound: { kind: "model", name: MODEL, allowed_tokens: 400 } },
  });
});

describe("a deleted entry", () => {
  test("holds the model in steps again, on nodes that read the change", async ({
    h,
    org,
    bounds,
  }) => {
    await recordExceededBound(h.deps, bounds.excess);
    const node = bounds.makeNode();
    await node.reload();
    const [entry] = await bounds.list();
    const gone = await org.admin.remove(`${BOUNDS}/${entry?.id}`);
    expect(gone.body).toEqual({ id: entry?.id, type: "exceeded_bound_deleted" });
    await node.reload();
    expect(node.isHeldWhole(org.id, "model", MODEL)).toBe(false);
    expect((await org.admin.remove(`${BOUNDS}/${entry?.id}`)).status).toBe(404);
    expect(await auditEventsOf(h.deps.database, entry?.id ?? "")).toMatchObject([
      { event: "exceeded_bound.recorded", before: null, after: { name: MODEL } },
      { event: "exceeded_bound.deleted", before: { name: MODEL }, after: null },
    ]);
  });

  test("is recorded again by another stream beyond the bound", async ({ h, org, bounds }) => {
    const node = bounds.makeNode();
    await recordExceededBound(h.deps, bounds.excess);
    const [entry] = await bounds.list();
    await org.admin.remove(`${BOUNDS}/${entry?.id}`);
    await node.reload();
    node.report(bounds.excess);
    await eventually(WAIT_MS, "the entry", async () =>
      (await bounds.list()).length > 0 ? true : null,
    );
  });
});

test("the System page and the doctor name models that are held whole", async ({
  h,
  org,
  bounds,
}) => {
  await recordExceededBound(h.deps, bounds.excess);
  const [entry] = await bounds.list();
  const { body } = await org.operator.get<{ warnings: string[] }>("/v1/admin/system");
  expect(body.warnings).toContain(
    `The model claude-opus-5 was faster than its highest speed: 813 tokens per second instead of 400. Strict limits hold its requests whole. \`./bursar exceeded-bounds delete ${entry?.id}\` holds them in steps again.`,
  );
});
