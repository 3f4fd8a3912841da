import { expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { type RefusingLimit, toLimitFacts } from "#src/domain/limit-facts.ts";
import type { OwnCap } from "#src/domain/own-caps.ts";
import {
  type Answer,
  call,
  messageBody,
  type TestGateway,
  withKey,
} from "#test/harness/gateway.ts";
import { startBoth } from "#test/harness/gateway-calls.ts";
import { test } from "#test/harness/upstream-test.ts";
import type { GatewayDeps } from "./handle-request.ts";

const DEC_1_MS = Date.UTC(2026, 11, 1);
const CAP: OwnCap = {
  period: "monthly",
  limitNanoUsd: 500_000_000_000n,
  spentNanoUsd: 410_000_000_000n,
  resetMs: DEC_1_MS,
};
const QUOTA = {
  "anthropic-ratelimit-unified-status": "rejected",
  "anthropic-ratelimit-unified-5h-utilization": "1.00",
  "anthropic-ratelimit-requests-remaining": "0",
};
const PREFIX = "anthropic-ratelimit-";

/** Rate limit headers of a response, without the start of their names. */
function limitsOf({ headers }: Answer): Record<string, string> {
  const found = Object.entries(headers).filter(([name]) => name.startsWith(PREFIX));
  return Object.fromEntries(found.map(([name, value]) => [name.slice(PREFIX.length), `${value}`]));
}

function start(findCaps: () => OwnCap[] | null = () => [CAP]) {
  const prepared: string[] = [];
  const personSpend: GatewayDeps["personSpend"] = {
    prepare: ({ memberId, apiKeyId }) => void prepared.push(memberId, apiKeyId),
    findCaps,
  };
  return startBoth({ personSpend }).then((both) => ({ ...both, prepared }));
}

const post = (gateway: TestGateway, token: string, path = "/v1/messages") =>
  call(gateway.origin, {
    path,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: messageBody(),
  });

test("a laptop gets the headers of its person's cap instead of the upstream's", async () => {
  const { gateway, upstream, prepared } = await start();
  upstream.script = (exchange) => exchange.json({ type: "message" }, { headers: QUOTA });
  const answer = await post(gateway, gateway.addLaptop());
  expect(limitsOf(answer)).toEqual({
    "unified-status": "allowed_warning",
    "unified-reset": String(DEC_1_MS / 1_000),
    "unified-representative-claim": "overage",
    "unified-overage-status": "allowed_warning",
    "unified-overage-utilization": "0.82",
    "unified-overage-reset": String(DEC_1_MS / 1_000),
    "unified-overage-surpassed-threshold": "0.75",
  });
  expect(prepared).toEqual(["user_test", "apikey_test"]);
});

test("a laptop without a cap, or with an unknown spend, gets none", async () => {
  for (const caps of [[], null]) {
    const { gateway, upstream } = await start(() => caps);
    upstream.script = (exchange) => exchange.json({ type: "message" }, { headers: QUOTA });
    expect(limitsOf(await post(gateway, gateway.addLaptop()))).toEqual({});
  }
});

test("an error of the upstream and a token count have none", async () => {
  const { gateway, upstream, prepared } = await start();
  const token = gateway.addLaptop();
  upstream.script = (exchange) => exchange.json({}, { status: 429, headers: QUOTA });
  expect(limitsOf(await post(gateway, token))).toEqual({});
  upstream.script = (exchange) => exchange.json({ input_tokens: 7 }, { headers: QUOTA });
  prepared.splice(0);
  expect(limitsOf(await post(gateway, token, "/v1/messages/count_tokens"))).toEqual({});
  expect(prepared).toEqual([]);
});

test("a client with a key gets the upstream's headers, and no look at caps", async () => {
  const { gateway, upstream, prepared } = await start();
  upstream.script = (exchange) => exchange.json({ type: "message" }, { headers: QUOTA });
  const answer = await call(gateway.origin, {
    headers: withKey(gateway.secret),
    body: messageBody(),
  });
  expect(answer.headers).toMatchObject(QUOTA);
  expect(prepared).toEqual([]);
});

type CutCode = `stream_cut_${"limit_spent" | "budget_held" | "database_unavailable"}`;
type Scope = Pick<RefusingLimit["limit"], "scopeType" | "scopeId" | "scopeName">;

async function refuseFor(scope: Scope): Promise<Answer> {
  const { gateway, upstream } = await start();
  const limit = { id: "spl_test", ...scope, period: "monthly", amountNanoUsd: 10_000_000_000n };
  gateway.admission = {
    admit: () => ({
      kind: "blocked",
      message: "Used up.",
      limit: { ...limit, period: "monthly" },
      spentNanoUsd: 10_200_000_000n,
      regainAtMs: DEC_1_MS,
    }),
  };
  const answer = await post(gateway, gateway.addLaptop());
  expect(upstream.received).toEqual([]);
  return answer;
}

const NEXT = "ask for a higher limit at https://bursar.example.com/increase-requests/new?scope=";
const REJECTED = {
  "unified-status": "rejected",
  "unified-reset": String(DEC_1_MS / 1_000),
  "unified-overage-reset": String(DEC_1_MS / 1_000),
  "unified-overage-utilization": "1.02",
  "unified-overage-period": "monthly",
  "unified-overage-disabled-reason": "org_spend_cap_reached",
};

test("a used cap is a 429 with the exact headers and one sentence", async () => {
  const answer = await refuseFor({ scopeType: "member", scopeId: "user_test" });
  expect([answer.status, answer.headers["x-should-retry"]]).toEqual([429, "false"]);
  expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
  expect(limitsOf(answer)).toEqual(REJECTED);
  const { type, message } = JSON.parse(answer.text).error;
  expect([type, message]).toEqual([
    "billing_error",
    `Your monthly spend limit of $10.00 is used up until 2026-12-01 at 00:00 UTC: ${NEXT}member&id=user_test&period=monthly`,
  ]);
});

test.for<[Scope, string]>([
  [{ scopeType: "group", scopeId: "g_1", scopeName: "Writers" }, "that the group Writers shares"],
  [{ scopeType: "workspace", scopeId: "wksp_test" }, "that the workspace shares"],
  [{ scopeType: "organization", scopeId: "o" }, "that the organization shares"],
])("a used limit of others names no amount: %j", async ([scope, name]) => {
  const answer = await refuseFor(scope);
  expect(limitsOf(answer)).toEqual({
    ...REJECTED,
    "unified-overage-utilization": "1.00",
    "unified-overage-scope": "group_pool",
  });
  const { message } = JSON.parse(answer.text).error;
  expect(message).toMatch(`The monthly spend limit ${name} is used up until 2026-12-01`);
});

test.for<[Scope, string]>([
  [
    { scopeType: "member", scopeId: "user_test" },
    "$2.25 of your monthly spend limit of $10.00 remains until 2026-12-01 at 00:00 UTC,",
  ],
  [
    { scopeType: "workspace", scopeId: "wksp_test" },
    "The rest of the monthly spend limit that the workspace shares is too small until 2026-12-01 at 00:00 UTC,",
  ],
])(
  "a request that the rest of a limit cannot pay names its highest cost: %j",
  async ([scope, rest]) => {
    const { gateway } = await start();
    const limit = toLimitFacts({
      limit: { id: "spl_test", ...scope, period: "monthly", amountNanoUsd: 10_000_000_000n },
      spentNanoUsd: 7_500_000_000n,
      heldNanoUsd: 0n,
      unresolvedNanoUsd: 250_000_000n,
      neededNanoUsd: 3_204_000_000n,
      regainAtMs: DEC_1_MS,
    });
    gateway.admission = {
      admit: () => {
        const facts = { limit, max_cost_usd: "3.204" };
        throw new ApiError("request_too_large_for_limit", "Too large.", {}, facts);
      },
    };
    const answer = await post(gateway, gateway.addLaptop());
    const { message } = JSON.parse(answer.text).error;
    const page = `${NEXT}${scope.scopeType}&id=${scope.scopeId}&period=monthly`;
    expect(message).toBe(
      `${rest} and this request can cost $3.21: choose another model with /model, use /compact, or ${page}`,
    );
  },
);

test.for<[CutCode, Scope, string]>([
  [
    "stream_cut_limit_spent",
    { scopeType: "member", scopeId: "user_test" },
    `your monthly spend limit of $10.00 is used up until 2026-12-01 at 00:00 UTC: ${NEXT}member&id=user_test&period=monthly`,
  ],
  [
    "stream_cut_limit_spent",
    { scopeType: "workspace", scopeId: "w" },
    `the monthly spend limit that the workspace shares is used up until 2026-12-01 at 00:00 UTC: ${NEXT}workspace&id=w&period=monthly`,
  ],
  [
    "stream_cut_budget_held",
    { scopeType: "workspace", scopeId: "w" },
    "other requests hold what remains of the monthly spend limit that the workspace shares: send the request again shortly.",
  ],
  [
    "stream_cut_database_unavailable",
    { scopeType: "workspace", scopeId: "w" },
    "the gateway got no more budget for it in time: send the request again shortly.",
  ],
])(
  "a cut of a stream by %s says that it was stopped, without amounts that people share: %j",
  async ([code, scope, reason]) => {
    const { gateway } = await start();
    const limit = toLimitFacts({
      limit: { id: "spl_test", ...scope, period: "monthly", amountNanoUsd: 10_000_000_000n },
      spentNanoUsd: 9_900_000_000n,
      heldNanoUsd: 100_000_000n,
      unresolvedNanoUsd: 0n,
      neededNanoUsd: 100_000_000n,
      regainAtMs: DEC_1_MS,
    });
    const cut = { held_usd: "0.10", cost_usd: "0.09" };
    gateway.admission = {
      admit: () => {
        throw new ApiError(code, "Spent: $9.90.", {}, { limit, cut });
      },
    };
    const answer = await post(gateway, gateway.addLaptop());
    expect(JSON.parse(answer.text).error.message).toBe(
      `This response was stopped, because ${reason}`,
    );
  },
);

test("a limit that cannot be read is a 429 with its reason alone", async () => {
  const { gateway } = await start();
  gateway.admission = {
    admit: () => {
      throw new ApiError("database_unavailable", "No budget.", { "retry-after": "2" });
    },
  };
  const answer = await post(gateway, gateway.addLaptop());
  expect([answer.status, limitsOf(answer), answer.headers["retry-after"]]).toEqual([
    429,
    { "unified-overage-disabled-reason": "fetch_error" },
    undefined,
  ]);
  expect(answer.headers["x-should-retry"]).toBe("false");
});

test("a model that is not allowed is a 400", async () => {
  const { gateway, upstream } = await start();
  const answer = await post(gateway, gateway.addLaptop({ allowedModels: ["claude-haiku-*"] }));
  const { type, details } = JSON.parse(answer.text).error;
  expect([answer.status, type, details.error_code]).toEqual([
    400,
    "invalid_request_error",
    "model_not_allowed",
  ]);
  expect(upstream.received).toEqual([]);
});

test("limits of a person do not count the tokens that their laptop counts", async () => {
  const scopes: object[] = [];
  const { gateway, upstream } = await startBoth({
    rates: {
      take: (scope) => {
        scopes.push({ ...scope });
        return null;
      },
      charge: () => undefined,
      headersOf: () => ({}),
    },
  });
  upstream.script = (exchange) => exchange.json({ input_tokens: 7 });
  const path = "/v1/messages/count_tokens";
  await post(gateway, gateway.addLaptop({ groupIds: ["group_1"] }), path);
  expect(scopes).toEqual([
    {
      organizationId: expect.any(String),
      workspaceId: "wksp_test",
      apiKeyId: null,
      modelGroup: "token_count",
    },
  ]);
});
