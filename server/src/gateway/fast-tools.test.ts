import { expect, test } from "vitest";
import { messageEnd, messageStart, sse } from "#test/harness/fake-upstream.ts";
import { open } from "#test/harness/gateway.ts";
import { post, readAll } from "#test/harness/gateway-calls.ts";
import { startSteppedGateway } from "#test/harness/stepped-gateway.ts";
import { largest } from "#test/harness/stepped-leases.ts";

const MODEL = "claude-opus-5";
const SEARCH = "web_search_20250305";
const use = sse("content_block_start", {
  index: 0,
  content_block: { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
});
/** Larger than the figure of a result. */
const pages = [{ type: "web_search_result", encrypted_content: "A".repeat(120_000) }];
const result = sse("content_block_start", {
  index: 1,
  content_block: { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: pages },
});

/** Starts a search under a limit that grants its first hold only. */
async function startSearch() {
  const { ledger, clock, excesses, upstream, gateway } = await startSteppedGateway();
  const arrived = upstream.nextExchange();
  const tools = [{ type: SEARCH, name: "web_search" }];
  const asked = { model: MODEL, max_tokens: 4_000, stream: true, tools };
  const response = open(gateway.origin, post(gateway, asked));
  const exchange = await arrived;
  exchange.startStream();
  await exchange.write(messageStart().replace("claude-sonnet-4-5-20250929", MODEL));
  await expect.poll(() => ledger.holds.length, { timeout: 5_000 }).toBeGreaterThan(1);
  ledger.budgetNanoUsd = ledger.holds.at(-1) ?? 0n;
  return { ledger, clock, excesses, gateway, exchange, response };
}

test("a search that answers at once costs more than its hold, and excludes its tool", async () => {
  const { ledger, excesses, gateway, exchange, response } = await startSearch();
  const reading = readAll(await response);
  await exchange.write(use + result);
  await reading;
  const end = await gateway.end();
  expect(end).toMatchObject({ outcome: "interrupted", isEstimated: true });
  expect(end.cut?.reason).toBe("limit_spent");
  // The figure of a result is 15,000 tokens, at $5 a million.
  expect(end.cost.total).toBeGreaterThan(75_000_000n);
  expect(end.cost.total).toBeGreaterThan(end.holdNanoUsd ?? 0n);
  expect(end.holdNanoUsd).toBe(largest(ledger.holds));
  expect(excesses).toMatchObject([{ kind: "tool", name: SEARCH, allowed: 0 }]);
});

test("a search that answers at once within its hold excludes nothing", async () => {
  const { ledger, excesses, gateway, exchange, response } = await startSearch();
  ledger.budgetNanoUsd = 10_000_000_000n;
  const reading = readAll(await response);
  const before = ledger.holds.length;
  await exchange.write(use + result);
  await expect.poll(() => ledger.holds.length, { timeout: 5_000 }).toBeGreaterThan(before);
  await exchange.write(messageEnd({ output_tokens: 5 }).join(""));
  exchange.end();
  await reading;
  expect(await gateway.end()).toMatchObject({ outcome: "answered" });
  expect(excesses).toEqual([]);
});

test("a process that was stopped excludes no tool", async () => {
  const { clock, excesses, gateway, exchange, response } = await startSearch();
  const reading = readAll(await response);
  clock.atMs += 20_000;
  await exchange.write(use + result);
  await reading;
  const end = await gateway.end();
  expect(end.cost.total).toBeGreaterThan(end.holdNanoUsd ?? 0n);
  expect(end.cut?.pausedMs).toBeGreaterThan(19_000);
  expect(excesses).toEqual([]);
});
