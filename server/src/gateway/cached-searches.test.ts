import { expect, test } from "vitest";
import type { ObservedExcess } from "#src/spend/exceeded-bounds/change-exceeded-bounds.ts";
import { messageEnd, messageStart, sse } from "#test/harness/fake-upstream.ts";
import { open } from "#test/harness/gateway.ts";
import { post, readAll, startBoth } from "#test/harness/gateway-calls.ts";
import { makeSteppedLeases } from "#test/harness/stepped-leases.ts";

const MODEL = "claude-opus-5";
const SEARCH = "web_search_20250305";
const SEARCHES = 3;
const system = [{ type: "text", text: "x".repeat(8_000), cache_control: { type: "ephemeral" } }];
const asked = {
  ...{ model: MODEL, max_tokens: 4_000, stream: true, system },
  tools: [{ type: SEARCH, name: "web_search" }],
};
const first = { input_tokens: 2_000, cache_creation_input_tokens: 8_000 };
const pages = [{ type: "web_search_result", encrypted_content: "A".repeat(3_200) }];
const blocks = [
  { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
  { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: pages },
].map((content_block) => sse("content_block_start", { index: 0, content_block }));

// The three later prompts have at most 11,266, 12,484 and 13,676 tokens. Opus 5 costs $5 per million plain tokens, $6.25 of a
// write for five minutes, and $0.50 of a read.
const PLAIN = 13_426n * 5_000n + 24_000n * 500n;
const CACHED = 5_676n * 6_250n + 31_750n * 500n;
/** The first prompt, the output of a burst and of five seconds, and the fees. */
const REST = 2_000n * 5_000n + 8_000n * 6_250n + 600n * 25_000n + 3n * 10_000_000n;

test("a stream whose results were cached lowers the next hold, and one that reads no cache excludes its tool", async () => {
  const ledger = makeSteppedLeases();
  const excesses: ObservedExcess[] = [];
  const { upstream, gateway } = await startBoth({
    script: () => undefined,
    leases: ledger.leases,
    clock: { nowMs: () => Date.now(), monotonicMs: () => 1_000_000 },
    exceededBounds: { isHeldWhole: () => false, report: (excess) => void excesses.push(excess) },
  });
  const search = async (usage: object, holdNanoUsd: bigint) => {
    const arrived = upstream.nextExchange();
    const response = open(gateway.origin, post(gateway, asked));
    const exchange = await arrived;
    exchange.startStream();
    const start = messageStart(first).replace("claude-sonnet-4-5-20250929", MODEL);
    await exchange.write(start + blocks.join("").repeat(SEARCHES));
    const reading = readAll(await response);
    await expect.poll(() => ledger.holds.at(-1), { timeout: 5_000 }).toBe(holdNanoUsd);
    await exchange.write(messageEnd({ output_tokens: 60, ...usage }).join(""));
    exchange.end();
    await reading;
  };
  const cached = { input_tokens: 2_006, cache_creation_input_tokens: 13_000 };
  await search({ ...cached, cache_read_input_tokens: 31_000 }, REST + PLAIN);
  expect(excesses).toEqual([]);
  await search({ ...first, input_tokens: 31_596, cache_read_input_tokens: 0 }, REST + CACHED);
  // 29,596 plain tokens of later calls.
  const excess = { kind: "tool", name: SEARCH, observed: 29_596, allowed: Number(CACHED / 5_000n) };
  await expect.poll(() => excesses).toContainEqual(expect.objectContaining(excess));
});
