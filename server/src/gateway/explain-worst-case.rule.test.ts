import { describe, expect, test } from "vitest";
import { type HoldRequestChanges, unknownPart, worst } from "#test/harness/hold-requests.ts";
import { explainWorstCase } from "./explain-worst-case.rule.ts";

describe("the explanation", () => {
  test.each<[HoldRequestChanges, string]>([
    [
      { maxTokens: 32_000, bodyBytes: 20_480, inferenceGeo: "global" },
      "The request can cost up to $0.3651: max_tokens 32,000 × $10/M = $0.32; an input of at most 22,528 tokens by its bytes and images × $2/M = $0.0451.",
    ],
    [
      { maxTokens: 32_000, bodyBytes: 20_480 },
      'The request can cost up to $0.4016: max_tokens 32,000 × $10/M × 1.1 = $0.352; an input of at most 22,528 tokens by its bytes and images × $2/M × 1.1 = $0.0496. inference_geo is not set, so the price of inference in the US is assumed; "global" avoids it.',
    ],
    [
      { markers: { hasOpaqueSource: true, hasUrlSource: true }, inferenceGeo: "global" },
      "The request can cost up to $2.0103: a source by URL, which counts as the whole context window, 1,000,000 tokens × $2/M = $2.00; max_tokens 1,024 × $10/M = $0.0103.",
    ],
    [
      {
        serverTools: [{ type: "web_search_20250305", maxUses: 3, model: null }],
        inferenceGeo: "global",
      },
      "The request can cost up to $13.15: the whole context window, 4,000,000 tokens, in 4 calls × $2/M = $8.00; 4 calls × the model's maximum output of 128,000 tokens × $10/M = $5.12; web searches = $0.03. web_search_20250305 may bill the prompt again with each use; max_uses is 3.",
    ],
    [
      { model: "claude-new", markers: { hasCacheControl1h: true }, inferenceGeo: "global" },
      "The request can cost up to $0.1683: an input of at most 3,048 tokens by its bytes and images × $30/M (1h cache write, the highest rate of all models) = $0.0915; max_tokens 1,024 × $75/M (the highest rate of all models) = $0.0768.",
    ],
  ])("%j", (changes, text) => {
    expect(explainWorstCase(worst(changes))).toBe(text);
  });

  test("lists unknown parts, unless their names are not plain words", () => {
    const names = ["effort", "a b<c>", ""];
    const unknownParts = names.map((name) => ({ ...unknownPart, name }));
    const text = explainWorstCase(worst({ unknownParts }));
    expect(text).toContain("(field effort, field (unnamed), field (unnamed))");
    expect(text).not.toContain("<c>");
  });

  test.each<[string, string]>([
    ["web_search_20250305", " with each use; max_uses would bound that."],
    ["web_fetch_20250910", " with each use; max_uses would bound that."],
    ["advisor_20260301", " with each use; max_uses would bound that."],
    ["tool_search_tool_regex_20251119", " with each use."],
    ["code_execution_20250825", " with each use. Code execution is billed"],
  ])("recommends max_uses only for a tool that supports it: %s", (type, words) => {
    const text = explainWorstCase(worst({ serverTools: [{ type, maxUses: null, model: null }] }));
    expect(text).toContain(`${type} may bill the prompt again${words}`);
    expect(text.includes("max_uses")).toBe(words.includes("max_uses"));
  });

  test("mentions hourly billing", () => {
    expect(explainWorstCase(worst({ markers: { hasContainer: true } }))).toContain(
      "A container is billed by the hour, which nothing in the request bounds.",
    );
  });
});
