import type Anthropic from "@anthropic-ai/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HoldRequest } from "#src/domain/hold-request.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { findReach } from "#src/domain/request-reach.ts";
import { msFromIsoDate } from "#src/domain/spend-period.ts";
import { computeWorstCost, holdUnderLimit } from "#src/domain/worst-case.ts";
import { explainWorstCase } from "./explain-worst-case.rule.ts";
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
  return computeWorstCost(request, book, atMs);
}

function withBlock(block: object) {
  return { ...smallest, messages: [{ role: "user", content: [block] }] };
}

describe("the worst case of a body", () => {
  test("a prompt of 20 KB costs its bytes, the frame and max_tokens, at the price of the US", () => {
    const body = { ...smallest, messages: [{ role: "user", content: "x".repeat(20_000) }] };
    const bytes = BigInt(JSON.stringify(body).length);
    expect(worstCaseOf(body)).toMatchObject({
      kind: "closed",
      nanoUsd: (((bytes + 2_048n) * 2_000n + 32_000n * 10_000n) * 11n) / 10n,
    });
  });

  test("a request with all known fields stays closed", () => {
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

  test("the base64 of an image costs an image, and not its bytes", () => {
    const image = (data: string) =>
      withBlock({ type: "image", source: { type: "base64", media_type: "image/png", data } });
    const small = worstCaseOf(image("AAAA"));
    expect(worstCaseOf(image("A".repeat(400_000)))).toEqual(small);
  });

  test.each<[string, object, string]>([
    ["a PDF", { type: "document", source: { type: "base64", data: "AAAA" } }, "opaque"],
    ["a document by URL", { type: "document", source: { type: "url", url: "https://x" } }, "url"],
    ["a file", { type: "image", source: { type: "file", file_id: "file_1" } }, "file"],
  ])("%s counts as the whole context window", (_, block, inputBasis) => {
    expect(worstCaseOf(withBlock(block))).toMatchObject({
      kind: "closed",
      drivers: { inputBasis, inputTokens: 1_000_000 },
    });
  });

  test.each<[string, object, string]>([
    ["a field that is not known", { autopilot: true }, "open_ended"],
    ["a tool that is not known", { tools: [{ type: "quantum_20300101" }] }, "open_ended"],
    [
      "a block that is not known",
      { messages: [{ role: "user", content: [{ type: "hologram" }] }] },
      "open_ended",
    ],
    ["web search", { tools: [{ type: "web_search_20250305", max_uses: 2 }] }, "open_ended"],
    ["an MCP server", { mcp_servers: [{ type: "url", url: "https://x" }] }, "open_ended"],
    ["compaction", { compaction: { type: "summarize" } }, "open_ended"],
    ["a thread", { thread: { type: "create" } }, "open_ended"],
    ["the default fallbacks", { fallbacks: "default" }, "open_ended"],
    ["code execution", { tools: [{ type: "code_execution_20250825" }] }, "refused"],
    ["a container", { container: "container_1" }, "refused"],
    ["named fallbacks", { fallbacks: [{ model: "claude-opus-4-8" }] }, "closed"],
    [
      "clearing edits",
      { context_management: { edits: [{ type: "clear_thinking_20251015" }] } },
      "closed",
    ],
  ])("%s", (_, fields, kind) => {
    expect(worstCaseOf({ ...smallest, ...fields }).kind).toBe(kind);
  });
});

/** Fields that cost nothing, in the form that Claude Code sends. */
const costless: Record<string, unknown> = {
  safeguards: [
    { type: "dangerous_tool_use", classifier_context: { v: 1, live_cwd: "/home/ada", rules: [] } },
  ],
  tags: { cost_centre: "research" },
  user_profile_id: "uprof_1",
  workspace_id: "wksp_1",
  metadata: { user_id: "{}" },
  context_management: {
    edits: [
      { type: "clear_thinking_20251015", keep: "all" },
      { type: "clear_tool_uses_20250919", trigger: { type: "input_tokens", value: 1 } },
    ],
  },
};

describe("a request with fields that cost nothing is held like a plain one", () => {
  test.each(Object.entries(costless))("%s", (field, value) => {
    expect(worstCaseOf({ ...smallest, [field]: value })).toEqual(worstCaseOf(smallest));
  });

  test("all of these fields, in any order, with any content", () => {
    const content = fc.jsonValue();
    const fields = Object.keys(costless).filter((field) => field !== "context_management");
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...Object.keys(smallest), ...fields, "context_management"], {
          minLength: 3,
        }),
        fc.dictionary(fc.constantFrom(...fields), content),
        (order, contents) => {
          const known: Record<string, unknown> = { ...costless, ...contents, ...smallest };
          const keys = [...order, ...Object.keys(smallest)];
          const body = Object.fromEntries(keys.map((key) => [key, known[key]]));
          expect(worstCaseOf(body)).toEqual(worstCaseOf(smallest));
        },
      ),
    );
  });

  const tools = [
    { name: "ToolSearch", input_schema: { type: "object" } },
    { name: "WebFetch", description: "x".repeat(500), input_schema: { type: "object" } },
  ];
  const plain = { ...smallest, tools };
  const deferred = { ...smallest, tools: [tools[0], { ...tools[1], defer_loading: true }] };

  test("a tool whose loading is deferred", () => {
    expect(worstCaseOf(deferred)).toEqual(worstCaseOf(plain));
  });

  test.each([false, null, "yes"])("a tool with defer_loading %j is read to its end", (value) => {
    const marked = { defer_loading: value, type: "web_search_20250305", name: "web_search" };
    expect(worstCaseOf({ ...smallest, tools: [marked] }).kind).toBe("open_ended");
    const custom = { defer_loading: value, name: "a", input_schema: {} };
    expect(worstCaseOf({ ...smallest, tools: [custom] }).kind).toBe("closed");
  });

  const found = { type: "tool_reference", tool_name: "WebFetch" };
  const search = [{ type: "tool_result", tool_use_id: "t", content: [found] }];
  const addition = [{ type: "tool_addition", tool: { type: "tool_reference", name: "WebFetch" } }];
  const inputTokens = (body: object) => worstCaseOf(body).drivers.inputTokens;
  const withContent = (body: object, ...contents: unknown[]) => {
    const messages = contents.map((content) => ({ role: "user", content }));
    return { ...body, messages };
  };
  const bytesOf = (...bodies: object[]) => bodies.map((body) => JSON.stringify(body).length);

  test.each([
    ["a tool_reference that a search of the client found", search],
    ["a tool_addition of a listed tool", addition],
  ])("%s is closed and counts by its bytes", (_, content) => {
    const body = withContent(deferred, content);
    expect(worstCaseOf(body)).toMatchObject({ kind: "closed", drivers: { inputBasis: "bytes" } });
    const [longer = 0, shorter = 0] = bytesOf(body, deferred);
    expect(inputTokens(body) - inputTokens(deferred)).toBe(longer - shorter);
  });

  test("a tool definition that is loaded twice counts twice", () => {
    const body = withContent(deferred, search, addition);
    const [longer = 0, shorter = 0, definition = 0] = bytesOf(
      body,
      deferred,
      deferred.tools[1] ?? {},
    );
    expect(inputTokens(body) - inputTokens(deferred)).toBe(longer - shorter + definition + 32);
  });

  test("a tool definition that the prompt has already counts twice", () => {
    const body = withContent(plain, search);
    const [longer = 0, shorter = 0, definition = 0] = bytesOf(body, plain, tools[1] ?? {});
    expect(inputTokens(body) - inputTokens(plain)).toBe(longer - shorter + definition + 32);
  });

  test("a tool definition in the conversation counts like a listed one", () => {
    const definition = { type: "custom", name: "late", input_schema: { type: "object" } };
    const late = [{ type: "tool_addition", tool: { type: "tool_definition", definition } }];
    const body = withContent(plain, late);
    const [longer = 0, shorter = 0] = bytesOf(body, plain);
    expect(inputTokens(body) - inputTokens(plain)).toBe(longer - shorter + 32);
  });
});

describe("a refusal never names the check of tool calls", () => {
  test.each([
    { safeguards_v2: [] },
    { "x-safeguards": [] },
    { safeguards: [], safeguards_context: 1, autopilot: true },
  ])("among the unknown fields of %j", (fields) => {
    const text = explainWorstCase(worstCaseOf({ ...smallest, ...fields }));
    expect(text).toContain("parts that this server does not know");
    expect(text).not.toContain("safeguards");
  });

  test("of a repeated key", () => {
    const text = '{"safeguards":[],"safeguards":[]}';
    expect(() => parseMessage(Buffer.from(text))).toThrow(
      /^\(key\): this key appears more than once/,
    );
  });
});

/** Features of a body that the gateway knows, in any combination. */
const knownFeatures = fc.record(
  {
    max_tokens: fc.integer({ min: 0, max: 200_000 }),
    speed: fc.constantFrom("standard", "fast"),
    inference_geo: fc.constantFrom("global", "us"),
    tools: fc.subarray([
      { name: "a", input_schema: {} },
      { type: "bash_20250124", name: "bash" },
      { type: "web_search_20250305", name: "web_search", max_uses: 4 },
      { type: "web_fetch_20250910", name: "web_fetch" },
      { type: "code_execution_20260120", name: "code_execution" },
      { type: "advisor_20260301", name: "advisor", model: "claude-opus-5-5" },
      { type: "advisor_20260301", name: "advisor", model: "claude-haiku-4-5", max_uses: 1 },
    ]),
    fallbacks: fc.oneof(
      fc.constant("default"),
      fc.subarray([
        { model: "claude-opus-4-8" },
        { model: "claude-haiku-4-5", max_tokens: 9000, speed: "fast" },
      ]),
    ),
    mcp_servers: fc.constant([{ type: "url", url: "https://x", name: "x" }]),
    compaction: fc.constant({ type: "summarize" }),
    context_management: fc.constant({ edits: [{ type: "compact_20260112" }] }),
    cache_control: fc.constantFrom({ type: "ephemeral" }, { type: "ephemeral", ttl: "1h" }),
    system: fc.string({ maxLength: 50 }),
  },
  { requiredKeys: [] },
);

const model = fc.constantFrom("claude-haiku-4-5", "claude-sonnet-5", "claude-fable-5-1");
const unknownName = fc.string({ minLength: 1, maxLength: 80 });
const anyValue = fc.oneof(fc.constant({ model: "claude-opus-5-5" }), fc.jsonValue());

/** Adds one unknown part to a body. */
const withUnknownPart = fc
  .record({ place: fc.nat(5), name: unknownName.map((name) => `x-${name}`), value: anyValue })
  .map(({ place, name, value }) => (body: Record<string, unknown>) => {
    const listed = Array.isArray(body["tools"]) ? body["tools"] : [];
    const edits = { context_management: { edits: [{ type: name, value }] } };
    const content = [{ type: "text", text: "hi" }];
    switch (place) {
      case 0:
        return { ...body, [name]: value };
      case 1:
        return { ...body, tools: [...listed, { type: name, name: "t", value }] };
      case 2:
        return { ...body, messages: [{ role: "user", content: [...content, { type: name }] }] };
      case 3:
        return { ...body, ...edits };
      case 4:
        return { ...body, messages: [{ role: "user", content, [name]: value }] };
      default:
        return { ...body, output_config: { [name]: value } };
    }
  });

describe("for any body, an unknown part", () => {
  const reachOf = (body: object) => findReach(parseMessage(Buffer.from(JSON.stringify(body))));

  test("never lowers the hold, and never shrinks what the request may do", () => {
    fc.assert(
      fc.property(model, knownFeatures, withUnknownPart, (name, features, add) => {
        const body = { ...smallest, ...features, model: name };
        const larger = add(body);
        const [before, after] = [worstCaseOf(body), worstCaseOf(larger)];
        expect(after.nanoUsd >= before.nanoUsd).toBe(true);
        expect(after.kind).not.toBe("closed");
        expect(holdUnderLimit(before, null) === null).toBe(holdUnderLimit(after, null) === null);
        const [reach, wider] = [reachOf(body), reachOf(larger)];
        expect(wider.isAnyModel).toBe(true);
        expect(wider.canCallAgain).toBe(true);
        expect(wider.timeBilled).toBe(reach.timeBilled ?? "unknown");
        expect(wider.models).toEqual(expect.arrayContaining([...reach.models]));
      }),
      { numRuns: 2_000 },
    );
  });

  test("is held at no less than any known feature in its place", () => {
    fc.assert(
      fc.property(model, knownFeatures, (name, features) => {
        const { fallbacks: _, max_tokens, ...one } = features;
        const plain = { ...smallest, model: name, ...(max_tokens !== undefined && { max_tokens }) };
        const unknown = worstCaseOf({ ...plain, unheard_of: true }).nanoUsd;
        for (const [field, value] of Object.entries(one)) {
          const known = Array.isArray(value) ? value.map((item) => [item]) : [value];
          for (const each of known) {
            expect(unknown >= worstCaseOf({ ...plain, [field]: each }).nanoUsd).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
