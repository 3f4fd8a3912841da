import { expect, test } from "vitest";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import { bill, type CallInput } from "./bill.ts";
import { billUntil } from "./billed-request.ts";
import { type AnswerRequest, planAnswer, type SearchKind } from "./plan-answer.ts";

const request: AnswerRequest = {
  messageId: "msg_1",
  model: "claude-opus-5-5",
  maxTokens: 128_000,
  prompt: { input: 100, cacheRead: 20_000, cacheWrite5m: 1_000, cacheWrite1h: 0 },
  fixedTokens: null,
  hasThinking: true,
  thinkingTokens: null,
  hasSafeguards: true,
  hasContextManagement: true,
  tool: "Bash",
  hasWebSearch: false,
};

function plan(fields: Partial<AnswerRequest> = {}, seed = 1, searches = usual) {
  const random = seededRandom(seed);
  const speed = { tokensPerSecond: [50, 90], firstTokenMs: [1_000, 3_000] } as const;
  return planAnswer({ ...request, ...fields }, { random, ...speed, searches });
}

const usual: SearchKind = { isRecorded: false, cachesResults: false };

test("the price of a response is that of its tokens", () => {
  const usage = { calls: [request.prompt], outputTokens: 10, searches: 1 };
  expect(bill(request.model, usage)).toBe(
    400_000n + 4_000_000n + 5_000_000n + 200_000n + 10_000_000n,
  );
});

test("the last moment of a response bills what its last event reports", () => {
  for (const hasWebSearch of [false, true]) {
    for (let seed = 1; seed <= 20; seed++) {
      const answer = plan({ hasWebSearch }, seed);
      const last = answer.moments.at(-1) ?? null;
      const reported = /"output_tokens":(\d+),"output_tokens_details"/.exec(last?.text ?? "")?.[1];
      expect(Number(reported)).toBe(answer.usage.outputTokens);
      expect(billUntil(request.model, answer, last)).toBe(bill(request.model, answer.usage));
    }
  }
});

test("tokens are generated in 50 to 90 a second after the first one", () => {
  const { moments, usage } = plan();
  const [first, last] = [moments[0]?.atMs ?? 0, moments.at(-1)?.atMs ?? 0];
  const speed = (1_000 * usage.outputTokens) / (last - first);
  expect(first).toBeGreaterThanOrEqual(1_000);
  expect(speed).toBeGreaterThanOrEqual(49);
  expect(speed).toBeLessThanOrEqual(91);
});

test("a web search bills the whole prompt again with each call", () => {
  const { calls, usage } = plan({ hasWebSearch: true });
  expect(usage.searches).toBe(calls.length - 1);
  for (const [at, call] of calls.entries()) {
    if (at === 0) continue;
    expect(call.cacheRead).toBe(21_000);
    expect(call.input).toBeGreaterThan(calls[at - 1]?.input ?? 0);
  }
});

test("a web search that caches its results reads all earlier tokens", () => {
  const cached = plan({ hasWebSearch: true }, 1, { isRecorded: true, cachesResults: true });
  const plain = plan({ hasWebSearch: true }, 1, { isRecorded: true, cachesResults: false });
  const sums = (calls: readonly CallInput[]) => {
    return calls.map((call) => call.input + call.cacheRead + call.cacheWrite5m);
  };
  expect(sums(cached.calls)).toEqual(sums(plain.calls));
  for (const [at, call] of cached.calls.entries()) {
    if (at === 0) continue;
    expect(call.input).toBe(0);
    expect(call.cacheRead).toBe(at === 1 ? 21_000 : sums(cached.calls)[at - 1]);
  }
});

test("a thinking budget is used up before the first text", () => {
  const { moments } = plan({ thinkingTokens: 2_000 });
  const shown = moments.find(({ text }) => text.includes("content_block_stop"));
  expect(shown?.outputTokens).toBe(2_000);
});

test("an answer ends at max_tokens", () => {
  expect(plan({ maxTokens: 16 }).usage.outputTokens).toBeLessThanOrEqual(16);
});
