import type Anthropic from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import type { HoldRequest } from "#src/domain/hold-request.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { msFromIsoDate } from "#src/domain/spend-period.ts";
import { worstCaseCost } from "#src/domain/worst-case.ts";
import { parseMessage } from "./parse-message.ts";

const book = makePriceBook([]);
const atMs = msFromIsoDate("2026-11-24");
const smallest = {
  model: "claude-sonnet-5",
  max_tokens: 32_000,
  messages: [{ role: "user", content: "hi" }],
};

function worstCaseOf(body: object) {
  const request: HoldRequest = parseMessage(Buffer.from(JSON.stringify(body)));
  return worstCaseCost(request, book, atMs);
}

function withBlock(block: object) {
  return { ...smallest, messages: [{ role: "user", content: [block] }] };
}

describe("the worst case of a body as it was sent", () => {
  test("a prompt of 20 KB: its bytes, the frame, and max_tokens, at the price of the US", () => {
    const body = { ...smallest, messages: [{ role: "user", content: "x".repeat(20_000) }] };
    const bytes = BigInt(JSON.stringify(body).length);
    expect(worstCaseOf(body)).toMatchObject({
      kind: "closed",
      nanoUsd: (((bytes + 2_048n) * 2_000n + 32_000n * 10_000n) * 11n) / 10n,
    });
  });

  test("a request with everything that is known stays closed", () => {
    const body: Anthropic.MessageCreateParams = {
      model: "claude-opus-5-5",
      max_tokens: 4096,
      stream: true,
      thinking: { type: "adaptive" },
      service_tier: "auto",
      inference_geo: "global",
      cache_control: { type: "ephemeral", ttl: "1h" },
      output_config: { effort: "high" },
      tool_choice: { type: "any" },
      tools: [
        { name: "a", input_schema: { type: "object" } },
        { type: "bash_20250124", name: "bash" },
      ],
      messages: [{ role: "user", content: "hi" }],
    };
    const worstCase = worstCaseOf(body);
    expect(worstCase.kind).toBe("closed");
    expect(worstCase.drivers.inputRate.kind).toBe("cacheWrite1h");
  });

  test("the base64 of an image costs what an image costs, not its bytes", () => {
    const image = (data: string) =>
      withBlock({ type: "image", source: { type: "base64", media_type: "image/png", data } });
    const small = worstCaseOf(image("AAAA"));
    expect(worstCaseOf(image("A".repeat(400_000)))).toEqual(small);
  });

  test.each<[string, object, string]>([
    ["a PDF", { type: "document", source: { type: "base64", data: "AAAA" } }, "opaque"],
    ["a document by URL", { type: "document", source: { type: "url", url: "https://x" } }, "url"],
    ["a file", { type: "image", source: { type: "file", file_id: "file_1" } }, "file"],
    ["a block that is not known", { type: "hologram" }, "opaque"],
  ])("%s counts as the whole context window", (_, block, inputBasis) => {
    expect(worstCaseOf(withBlock(block))).toMatchObject({
      kind: "closed",
      drivers: { inputBasis, inputTokens: 1_000_000 },
    });
  });

  test.each<[string, object, string]>([
    ["a field that is not known", { autopilot: true }, "open_ended"],
    ["a tool that is not known", { tools: [{ type: "quantum_20300101" }] }, "open_ended"],
    ["web search", { tools: [{ type: "web_search_20250305", max_uses: 2 }] }, "open_ended"],
    ["an MCP server", { mcp_servers: [{ type: "url", url: "https://x" }] }, "open_ended"],
    ["compaction", { compaction: { type: "summarize" } }, "open_ended"],
    ["a thread", { thread: { type: "create" } }, "open_ended"],
    ["the default fallbacks", { fallbacks: "default" }, "open_ended"],
    ["code execution", { tools: [{ type: "code_execution_20250825" }] }, "refused"],
    ["a container", { container: "container_1" }, "refused"],
    ["named fallbacks", { fallbacks: [{ model: "claude-opus-4-8" }] }, "closed"],
    ["clearing edits", { context_management: { edits: [{ type: "clear_thinking_1" }] } }, "closed"],
  ])("%s", (_, fields, kind) => {
    expect(worstCaseOf({ ...smallest, ...fields }).kind).toBe(kind);
  });
});
