import type { Answer, AnswerBlock } from "./compose-answer.ts";
import type { Directives } from "./directives.ts";
import type { CodeRun } from "./objects/containers.ts";
import type { Container } from "./objects/wire-objects.ts";
import type { CachedPrompt } from "./prompt-cache.ts";

// Responses in the official shape, as JSON and as a stream of events.

type CodeResultBlock = Extract<AnswerBlock, { type: "code_result" }>;

/** Content of a response, before it is written as JSON or a stream. */
export interface WireAnswer {
  id: string;
  model: string;
  answer: Answer;
  usage: AnswerUsage;
  /** Null: the response ran no code. */
  container: Container | null;
  /** Null: the request asked for no beta, so the response has no beta fields. */
  beta: BetaTerms | null;
}

/** Facts that only the response to a beta request contains. */
export interface BetaTerms {
  hasContextManagement: boolean;
  /** True if the request asks for a check of tool calls, like Claude Code in its auto mode. */
  hasSafeguards: boolean;
}

/** A whole message. The API omits `citations` from a text without citations. */
export interface AnswerMessage {
  id: string;
  type: "message";
  role: "assistant";
  model: string;
  container: Container | null;
  diagnostics: null;
  content: AnswerContent[];
  stop_reason: Answer["stopReason"];
  stop_sequence: string | null;
  stop_details: AnswerStopDetails | null;
  usage: AnswerUsage;
}

export type AnswerContent =
  | { type: "text"; text: string }
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "tool_use"; id: string; name: string; input: unknown; caller: { type: "direct" } }
  | {
      type: "server_tool_use";
      id: string;
      name: CodeRun["tool"];
      input: Record<string, unknown>;
      caller: { type: "direct" };
    }
  | {
      type: "bash_code_execution_tool_result";
      tool_use_id: string;
      content: CodeResult<"bash_code_execution">;
    }
  | {
      type: "code_execution_tool_result";
      tool_use_id: string;
      content: CodeResult<"code_execution">;
    };

interface CodeResult<Tool extends CodeRun["tool"]> {
  type: `${Tool}_result`;
  stdout: string;
  stderr: string;
  return_code: number;
  content: { type: `${Tool}_output`; file_id: string }[];
}

interface AnswerStopDetails {
  type: "refusal";
  category: null;
  explanation: string;
}

/** A message in the response to a beta request. */
export interface BetaAnswerMessage extends AnswerMessage {
  context_management: { applied_edits: [] } | null;
  safeguard_results?: SafeguardResult[];
  stop_details: (AnswerStopDetails & BetaStopDetails) | null;
  usage: AnswerUsage & BetaUsage;
}

interface SafeguardResult {
  type: "dangerous_tool_use";
  status: {
    type: "available";
    tool_uses: Record<string, { type: "evaluated"; outcome: "not_flagged" }>;
  };
}

interface BetaStopDetails {
  fallback_credit_token: null;
  fallback_has_prefill_claim: null;
  recommended_model: null;
}

interface BetaUsage {
  iterations: BetaIteration[] | null;
  fallback_credit: null;
}

interface BetaIteration {
  type: "message";
  model: string;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  cache_creation: AnswerUsage["cache_creation"];
}

/** The `usage` of a whole message. */
export interface AnswerUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
  output_tokens: number;
  output_tokens_details: { thinking_tokens: number } | null;
  server_tool_use: { web_search_requests: number; web_fetch_requests: number } | null;
  service_tier: "standard" | "priority" | "batch";
  speed: "standard" | "fast";
  inference_geo: string;
}

/** Speed, geography and tier that a response reports. */
export interface AnswerTerms {
  serviceTier: "standard" | "batch";
  speed: "standard" | "fast";
  inferenceGeo: string;
}

/** Creates `usage` of a request. Numbers from the model name replace the counted ones. */
export function makeUsage(
  prompt: CachedPrompt,
  answer: Answer,
  terms: AnswerTerms,
  directives: Directives | null,
): AnswerUsage {
  const asked = directives?.usage ?? {};
  const write5m = asked.cacheWrite5m ?? prompt.cacheWrite5m;
  const write1h = asked.cacheWrite1h ?? prompt.cacheWrite1h;
  const thinking = asked.thinking ?? answer.thinkingTokens;
  const searches = asked.webSearches;
  return {
    input_tokens: asked.input ?? prompt.input,
    cache_creation_input_tokens: write5m + write1h,
    cache_read_input_tokens: asked.cacheRead ?? prompt.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h },
    output_tokens: asked.output ?? answer.outputTokens,
    output_tokens_details: thinking === null ? null : { thinking_tokens: thinking },
    server_tool_use:
      searches === undefined ? null : { web_search_requests: searches, web_fetch_requests: 0 },
    service_tier: asked.serviceTier ?? terms.serviceTier,
    speed: asked.speed ?? terms.speed,
    inference_geo: asked.inferenceGeo ?? terms.inferenceGeo,
  };
}

/** Body of a JSON response. */
export function toMessage(wire: WireAnswer): AnswerMessage | BetaAnswerMessage {
  const { answer } = wire;
  const message: AnswerMessage = {
    ...messageHead(wire),
    content: answer.blocks.map((block) => toBlock(block, textOf(block))),
    ...stopOf(answer),
    usage: wire.usage,
  };
  if (wire.beta === null) return message;
  return {
    ...message,
    context_management: contextManagementOf(wire.beta),
    ...betaStopOf(answer),
    ...safeguardsOf(wire),
    usage: { ...wire.usage, ...betaUsageOf(wire) },
  };
}

function textOf(block: AnswerBlock): string {
  return block.type === "code_result" ? "" : block.pieces.join("");
}

/** Generates the events of a stream on demand. */
export function* toEvents(wire: WireAnswer): Generator<string, void, undefined> {
  const { answer, usage, beta } = wire;
  yield event("message_start", {
    message: {
      ...messageHead(wire),
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: {
        ...usage,
        output_tokens: Math.min(1, usage.output_tokens),
        output_tokens_details: null,
        server_tool_use: null,
        ...(beta !== null && { iterations: null, fallback_credit: null }),
      },
      ...(beta !== null && { context_management: null }),
    },
  });
  for (const [index, block] of answer.blocks.entries()) {
    yield event("content_block_start", { index, content_block: toBlock(block, "") });
    if (index === 0) yield event("ping", {});
    yield* deltasOf(block, index);
    yield event("content_block_stop", { index });
  }
  yield event("message_delta", {
    delta: {
      ...(beta === null ? stopOf(answer) : betaStopOf(answer)),
      container: wire.container,
      ...safeguardsOf(wire),
    },
    usage: {
      input_tokens: usage.input_tokens,
      cache_creation_input_tokens: usage.cache_creation_input_tokens,
      cache_read_input_tokens: usage.cache_read_input_tokens,
      output_tokens: usage.output_tokens,
      output_tokens_details: usage.output_tokens_details,
      server_tool_use: usage.server_tool_use,
      ...(beta !== null && betaUsageOf(wire)),
    },
    ...(beta !== null && { context_management: contextManagementOf(beta) }),
  });
  yield event("message_stop", {});
}

export function overloadedEvent(): string {
  return event("error", { error: { type: "overloaded_error", message: "Overloaded" } });
}

function messageHead(wire: WireAnswer) {
  return {
    id: wire.id,
    type: "message" as const,
    role: "assistant" as const,
    model: wire.model,
    container: wire.container,
    diagnostics: null,
  };
}

function stopOf(
  answer: Answer,
): Pick<AnswerMessage, "stop_reason" | "stop_sequence" | "stop_details"> {
  const isRefusal = answer.stopReason === "refusal";
  const explanation = "The model name asked the simulator to refuse.";
  return {
    stop_reason: answer.stopReason,
    stop_sequence: answer.stopSequence,
    stop_details: isRefusal ? { type: "refusal", category: null, explanation } : null,
  };
}

function betaStopOf(answer: Answer) {
  const { stop_details: details, ...stop } = stopOf(answer);
  const added: BetaStopDetails = {
    fallback_credit_token: null,
    fallback_has_prefill_claim: null,
    recommended_model: null,
  };
  return { ...stop, stop_details: details === null ? null : { ...details, ...added } };
}

/** The simulator never edits the context, so a response to a request that allows edits reports none. */
function contextManagementOf(beta: BetaTerms): BetaAnswerMessage["context_management"] {
  return beta.hasContextManagement ? { applied_edits: [] } : null;
}

/** Reports every tool call as harmless. Without a report, Claude Code sends billed requests of its own. */
function safeguardsOf({ answer, beta }: WireAnswer): Pick<BetaAnswerMessage, "safeguard_results"> {
  if (beta === null || !beta.hasSafeguards) return {};
  const ids = answer.blocks.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
  const harmless = { type: "evaluated", outcome: "not_flagged" } as const;
  const tool_uses = Object.fromEntries(ids.map((id) => [id, harmless]));
  return {
    safeguard_results: [{ type: "dangerous_tool_use", status: { type: "available", tool_uses } }],
  };
}

function betaUsageOf({ usage, model }: WireAnswer): BetaUsage {
  const iteration: BetaIteration = {
    type: "message",
    model,
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_input_tokens: usage.cache_read_input_tokens,
    cache_creation_input_tokens: usage.cache_creation_input_tokens,
    cache_creation: usage.cache_creation,
  };
  return { iterations: [iteration], fallback_credit: null };
}

/** Converts a block with `text`, which is empty at the start of a stream. */
function toBlock(block: AnswerBlock, text: string): AnswerContent {
  switch (block.type) {
    case "text":
      return { type: "text", text };
    case "thinking": {
      const signature = text === "" ? "" : block.signature;
      return { type: "thinking", thinking: block.isOmitted ? "" : text, signature };
    }
    case "code_result":
      return toCodeResult(block);
    case "server_tool_use": {
      const input = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
      const name = block.name === "code_execution" ? block.name : "bash_code_execution";
      return { type: "server_tool_use", id: block.id, name, input, caller: { type: "direct" } };
    }
    case "tool_use": {
      const input: unknown = text === "" ? {} : JSON.parse(text);
      return {
        type: "tool_use",
        id: block.id,
        name: block.name,
        input,
        caller: { type: "direct" },
      };
    }
  }
}

function toCodeResult({ toolUseId, run }: CodeResultBlock): AnswerContent {
  const result = { stdout: "/tmp\n", stderr: "", return_code: 0 };
  if (run.tool === "code_execution") {
    const content = run.outputIds.map(
      (file_id) => ({ type: "code_execution_output", file_id }) as const,
    );
    return {
      type: "code_execution_tool_result",
      tool_use_id: toolUseId,
      content: { type: "code_execution_result", ...result, content },
    };
  }
  const content = run.outputIds.map(
    (file_id) => ({ type: "bash_code_execution_output", file_id }) as const,
  );
  return {
    type: "bash_code_execution_tool_result",
    tool_use_id: toolUseId,
    content: { type: "bash_code_execution_result", ...result, content },
  };
}

function* deltasOf(block: AnswerBlock, index: number): Generator<string, void, undefined> {
  switch (block.type) {
    case "text":
      for (const piece of block.pieces) yield delta(index, "text_delta", "text", piece);
      break;
    case "thinking":
      if (!block.isOmitted) {
        for (const piece of block.pieces) yield delta(index, "thinking_delta", "thinking", piece);
      }
      yield delta(index, "signature_delta", "signature", block.signature);
      break;
    case "code_result":
      break; // The start of the block has its content.
    case "server_tool_use":
    case "tool_use":
      yield delta(index, "input_json_delta", "partial_json", "");
      for (const piece of block.pieces)
        yield delta(index, "input_json_delta", "partial_json", piece);
      break;
  }
}

/** Formats an event without JSON.stringify of an object, because every token has one. */
function delta(index: number, type: string, field: string, text: string): string {
  return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${type}","${field}":${JSON.stringify(text)}}}\n\n`;
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
