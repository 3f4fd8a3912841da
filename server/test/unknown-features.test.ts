import { afterEach, describe, expect } from "vitest";
import { makePriceBooks } from "#src/prices/price-book.ts";
import { test } from "./harness/database-test.ts";
import { messageJson } from "./harness/fake-upstream.ts";
import { messageBody } from "./harness/gateway.ts";
import { passMonthEnd } from "./harness/month-end.ts";
import { StrictGateway, waitFor, worstCaseOf } from "./harness/strict-gateway.ts";

// Strict limits and unknown parts of a request.

// Waits here, outside the time limits of tests and hooks.
await passMonthEnd();

let s: StrictGateway;

test.beforeEach(async ({ db, upstream }) => {
  s = await StrictGateway.start(db, upstream);
});

afterEach(() => s.stop());

const EIGHT_DOLLARS = 8_000_000_000n;
const opus = { model: "claude-opus-4-5" };
const advisor = { type: "advisor_20260301", name: "advisor", ...opus };
const definition = { type: "tool_definition", definition: advisor };
const messages = (...content: object[]) => ({ messages: [{ role: "user", content }] });

/** Bodies of the cheapest model whose response another model may bill. */
const escapes: [string, object][] = [
  ["a tool_addition of an advisor", messages({ type: "tool_addition", tool: definition })],
  [
    "a tool_addition that is the advisor itself",
    messages({ type: "tool_addition", tool: advisor }),
  ],
  ["an unknown tool", { tools: [{ type: "quantum_20300101", name: "q" }] }],
  ["an unknown field with a model", { reviewer: opus }],
  ["an unknown block", messages({ type: "hologram" })],
  [
    "a compaction edit with a model",
    { context_management: { edits: [{ type: "compact_20260112", ...opus }] } },
  ],
  [
    "a nested override of a fallback",
    { fallbacks: [{ model: "claude-haiku-4-5", overrides: opus }] },
  ],
];

/** Nine calls of the advisor, each with a whole context window: $45 and more. */
const advised = {
  type: "advisor_message",
  model: "claude-opus-4-5",
  input_tokens: 1_000_000,
  output_tokens: 0,
};
const bill = messageJson({
  model: "claude-haiku-4-5",
  usage: {
    input_tokens: 10,
    output_tokens: 5,
    iterations: [
      { type: "message", model: "claude-haiku-4-5", input_tokens: 10, output_tokens: 5 },
      ...Array(9).fill(advised),
    ],
  },
});

describe.each(escapes)("%s", (_, fields) => {
  const body = messageBody({ model: "claude-haiku-4-5", ...fields });

  test("is refused under a strict limit of $8", async () => {
    await s.limit(EIGHT_DOLLARS);
    const refused = await s.refusalOf(body);
    expect(refused).toMatchObject({ status: 400, shouldRetry: "false" });
    expect(refused.message).toMatch(/less than this request can cost/);
    expect(s.countMessages()).toBe(0);
  });

  test("is held at no less than another model bills", async ({ upstream }) => {
    await s.limit(worstCaseOf(body));
    upstream.script = (exchange) => exchange.json(bill);
    expect((await s.ask(body)).status).toBe(200);
    await s.node.flush();
    const { settled, overrun } = await s.balance();
    expect(settled).toBeGreaterThan(45_000_000_000n - 1n);
    expect(overrun).toBe(0n);
  });
});

test("a new field becomes neutral by a row of data", async ({ db }) => {
  const fields = { autopilot: { model: "claude-opus-4-5" } };
  const body = messageBody({ model: "claude-haiku-4-5", ...fields });
  const prices = makePriceBooks({ database: db.database });
  await s.reopen({ prices, leases: s.node.leases });
  await s.limit(EIGHT_DOLLARS);
  expect((await s.refusalOf(body)).message).toContain("(field autopilot)");
  await db.database
    .insertInto("neutral_feature")
    .values({
      id: `feature_${s.scope.organizationId}`,
      organization_id: s.scope.organizationId,
      kind: "field",
      name: "autopilot",
      effect: "labels the request",
      source: "https://example.com",
      is_in_prompt: true,
    })
    .execute();
  await prices.reload();
  expect((await s.ask(body)).status).toBe(200);
});

describe("a limit that refuses unknown features", () => {
  const unknown = { autopilot: 1, tools: [{ type: "quantum_20300101" }] };
  const body = messageBody(unknown);
  const MUCH = 2n * worstCaseOf(body);
  const ofOrganization = () =>
    ({ scopeType: "organization", scopeId: s.scope.organizationId }) as const;

  test("names them and itself, also beside a narrower limit that holds them", async () => {
    await s.limit(MUCH);
    expect((await s.ask(body)).status).toBe(200);
    await s.limit(MUCH, { ...ofOrganization(), unknownFeatures: "refuse" });
    const refused = await s.ask(body);
    expect(refused.status).toBe(400);
    expect(refused.headers["x-should-retry"]).toBe("false");
    const { error } = JSON.parse(refused.text) as { error: { message: string; details: object } };
    expect(error.message).toContain(": field autopilot, tool quantum_20300101. The monthly");
    expect(error.message).toContain(`of organization ${s.scope.organizationId} is `);
    expect(error.message).toContain("Send the request without them.");
    expect(error.details).toMatchObject({
      error_code: "unknown_features_refused",
      unknown_features: ["field autopilot", "tool quantum_20300101"],
      limit: { scope: { type: "organization" }, period: "monthly" },
    });
    expect(s.refusals).toEqual(["unknown_features"]);
    expect((await s.ask(messageBody())).status).toBe(200);
    expect(s.countMessages()).toBe(2);
  });

  test("tells Claude Code no time at which they are allowed", async () => {
    await s.limit(MUCH, { unknownFeatures: "refuse" });
    const headers = { "user-agent": "claude-cli/2.1.332 (external, cli)" };
    const refused = await s.refusalOf(body, headers);
    expect(refused).toMatchObject({ status: 429, shouldRetry: "false", retryAfter: undefined });
  });

  test("counts from the next request on, and allows them once it is soft", async () => {
    await s.limit(MUCH, { unknownFeatures: "refuse" });
    expect((await s.refusalOf(body)).status).toBe(400);
    await s.limit(MUCH, { unknownFeatures: "hold" });
    expect((await s.ask(body)).status).toBe(200);
    await s.limit(MUCH, { unknownFeatures: "refuse" });
    expect((await s.refusalOf(body)).status).toBe(400);
    await s.limit(MUCH, { unknownFeatures: "refuse", enforcement: "soft" });
    expect((await s.ask(body)).status).toBe(200);
  });

  test("that is set while a request waits for budget refuses the request", async () => {
    await s.limit(worstCaseOf(body));
    const { exchange, answer } = await s.startRequest();
    const waiting = s.refusalOf(body);
    await waitFor(() => s.node.leases.status().waiting === 1);
    await s.limit(MUCH, { unknownFeatures: "refuse" });
    expect((await waiting).message).toContain("field autopilot");
    exchange.json(messageJson());
    expect((await answer).status).toBe(200);
    await s.node.flush();
    expect((await s.balance()).unresolved).toBe(0n);
  });
});

test("a record is marked where features that are billed by time could run", async ({
  db,
  upstream,
}) => {
  const bodies: [object, boolean][] = [
    [{ tools: [{ type: "code_execution_20250825", name: "code_execution" }] }, true],
    [
      {
        tools: [
          { type: "code_execution_20260120", name: "code_execution" },
          { type: "web_search_20260209", name: "web_search" },
        ],
      },
      false,
    ],
    [{ autopilot: 1 }, true],
    [{}, false],
  ];
  for (const [fields] of bodies) expect((await s.ask(messageBody(fields))).status).toBe(200);
  upstream.script = (exchange) => exchange.json({ type: "error" }, { status: 500 });
  await s.ask(messageBody(bodies[0]?.[0]));
  await s.node.flush();
  const rows = await db.database
    .selectFrom("recorded_request")
    .select("has_unbilled_parts")
    .where("workspace_id", "=", s.scope.workspaceId)
    .orderBy("started_at")
    .orderBy("request_id")
    .execute();
  const marks = rows.map((row) => row.has_unbilled_parts);
  expect(marks).toEqual([...bodies.map(([, isMarked]) => isMarked), false]);
});
