import { expect, test } from "vitest";
import { explainRefusal, type Refusal } from "./refusal-words.ts";

const refusal = (error_code: string, fields: Partial<Refusal> = {}) =>
  ({
    ...{ error_code, facts: {}, model: "claude-opus-5", address: "203.0.113.7" },
    ...{ workspace_name: "Research", api_key_name: "Notebook" },
    ...fields,
  }) as Refusal;

const limit = {
  ...{ id: "slim_1", period: "monthly", period_ends_at: "2026-12-01T00:00:00.000Z" },
  scope: { type: "workspace", workspace_id: "wksp_1" },
  ...{ limit_usd: 5, spent_usd: "4.99", held_usd: null, unresolved_usd: null },
} as NonNullable<Refusal["facts"]["limit"]>;

const textOf = (refused: Refusal) => {
  const { reason, remedy } = explainRefusal(refused);
  return `${reason} ${remedy}`;
};

test.each([
  [
    "spend_limit_reached",
    "Monthly limit of the workspace Research is used up: $4.99 of $5.00 spent. Request an increase, or wait until 1 Dec 2026 (UTC).",
  ],
  [
    "request_too_large_for_limit",
    "Monthly limit of the workspace Research has less left than the request can cost: $4.99 of $5.00 spent. Set a smaller max_tokens, use a cheaper model, or request an increase.",
  ],
  [
    "budget_held",
    "Other requests hold the rest of a limit. Monthly limit of the workspace Research: $4.99 of $5.00 spent. Send the request again in a minute.",
  ],
])("a refusal by a limit with %s has the limit, its amounts and the next step", (code, text) => {
  const refused = refusal(code, { facts: { limit } });
  expect(textOf(refused)).toBe(text);
  expect(explainRefusal(refused)).toMatchObject({ limit, needsHelp: true });
});

test("a refused model has the models that the key allows", () => {
  const facts = { allowed_models: ["claude-haiku-*", "claude-sonnet-5"] };
  expect(textOf(refusal("model_not_allowed", { facts }))).toBe(
    "The key cannot use claude-opus-5. Use one of these models: claude-haiku-*, claude-sonnet-5.",
  );
  expect(textOf(refusal("model_not_allowed", { model: "other" }))).toBe(
    "The key cannot use this model. Use another model.",
  );
});

test("a refused address is named", () => {
  expect(textOf(refusal("address_not_allowed"))).toBe(
    "The key cannot be used from 203.0.113.7. Send the request from an allowed address.",
  );
});

test("a rate limit has its rate", () => {
  const rate_limit = { kind: "input_tokens", per_minute: 1000 };
  const facts = { rate_limit } as Refusal["facts"];
  expect(textOf(refusal("rate_limited", { facts }))).toBe(
    "The rate limit of 1000 input tokens a minute is reached. Wait a minute, and send the request again.",
  );
});

test("a key that its owner can replace needs no other person", () => {
  expect(explainRefusal(refusal("api_key_expired"))).toEqual({
    ...{ reason: "The key has expired.", remedy: "Create another key." },
    ...{ limit: null, needsHelp: false },
  });
});

test("an unknown cause points to the response", () => {
  expect(textOf(refusal("a_later_cause"))).toBe(
    "The server refused the request. The response in your client has the reason.",
  );
});
