import { type CallInput, sumInput, type Usage } from "./bill.ts";
import { formatEvent, type Moment, Timeline, takeWords } from "./timeline.ts";

// Plans the response to a request before its first byte. The parts are those that Claude Code accepts: a thinking block
// without text, a short text, one tool call, and the result of the safeguards.

export interface PlannedAnswer {
  /** In the order of time. The last one completes the response. */
  moments: readonly Moment[];
  /** Input of each model call. */
  calls: readonly CallInput[];
  content: readonly object[];
  stopReason: "end_turn" | "tool_use";
  /** Usage of the whole response. */
  usage: Usage;
}

/** Facts of the request that the plan depends on. */
export interface AnswerRequest {
  messageId: string;
  model: string;
  maxTokens: number;
  prompt: CallInput;
  /** Length of a short answer, such as a title. Null: a turn of an agent. */
  fixedTokens: number | null;
  hasThinking: boolean;
  /** Length of the thinking. Null: as an agent needs it. */
  thinkingTokens: number | null;
  hasSafeguards: boolean;
  hasContextManagement: boolean;
  /** Tool that the turn may call. Null: none. */
  tool: string | null;
  /** True: the model searches the web several times. */
  hasWebSearch: boolean;
}

export type Range = readonly [lowest: number, highest: number];

export interface PlanOptions {
  random: () => number;
  tokensPerSecond: Range;
  firstTokenMs: Range;
  searches: SearchKind;
}

/** Sizes of search results, and their price in later calls. */
export interface SearchKind {
  /** True: sizes as in recorded responses. False: sizes of an even spread. */
  isRecorded: boolean;
  /** With a cache mark, each call writes what is new to the cache, as documented, and reads the rest. */
  cachesResults: boolean;
}

interface Spread {
  median: number;
  /** Standard deviation of the logarithm. */
  spread: number;
}

/** Token counts of the parts of one turn, and the shares of the turns that have them. */
const THINKING = { share: 0.7, median: 220, spread: 1 };
const TEXT = { share: 0.6, median: 70, spread: 0.7 };
const TOOL_INPUT = { share: 0.88, median: 110, spread: 1.1 };
/** Turns that write a long file. */
const LONG_INPUT = { share: 0.04, median: 3_500, spread: 0.5 };
/** A signature has about the length of the thinking that it hides. */
const SIGNATURE = { chars: 300, charsPerToken: 3 };

const SEARCHES: Range = [2, 6];
const QUERY_TOKENS: Range = [8, 24];
const SEARCH_MS: Range = [600, 2_500];
const RESULT_TOKENS: Range = [2_000, 8_000];
/** Encrypted content is base64 of about four bytes for each token. */
const RESULT_CHARS_PER_TOKEN = 5.4;
const RESULTS_PER_SEARCH = 8;
/** Characters of encrypted content in recorded results of ten pages, and their tokens: see `visible-tools.ts` of the server. */
const RECORDED_CHARS = [
  7_140, 9_904, 11_728, 12_548, 13_140, 13_692, 14_408, 14_824, 15_092, 16_332, 18_788, 19_580,
  20_364, 20_440, 20_452, 21_784, 22_752, 22_792, 23_232, 23_504, 23_708, 24_088, 24_480, 24_500,
  24_604, 24_740, 25_320, 25_460, 26_660, 26_880, 27_064, 27_748, 27_888, 28_368, 31_728, 33_136,
  34_640, 36_292, 37_292, 37_604, 37_912, 38_184, 41_488, 49_044,
];
const RECORDED_PAGES = 10;
const RECORDED_PAGE_TOKENS = 144;
const RECORDED_CHARS_PER_TOKEN = 4.27;
const ANSWER_AFTER_SEARCHES = { median: 600, spread: 0.5 };

export function planAnswer(request: AnswerRequest, options: PlanOptions): PlannedAnswer {
  const { random } = options;
  const line = new Timeline({
    firstTokenMs: between(options.firstTokenMs, random),
    tokensPerSecond: between(options.tokensPerSecond, random),
    maxTokens: request.maxTokens,
  });
  const calls = [request.prompt];
  const content: object[] = [];
  line.add(formatEvent("message_start", { message: toStart(request) }));
  let toolId: string | null = null;
  if (request.fixedTokens !== null) addText(line, content, request.fixedTokens);
  else if (request.hasWebSearch) addSearches({ line, calls, content }, options);
  else toolId = addTurn({ line, content }, request, random);
  const usage = { calls, outputTokens: line.outputTokens, searches: line.searches };
  const stopReason = toolId === null ? "end_turn" : "tool_use";
  line.add(formatEnd(request, { usage, stopReason, toolId }));
  return { moments: line.moments, calls, content, stopReason, usage };
}

function addText(line: Timeline, content: object[], tokens: number): void {
  const block = { type: "text", text: "" };
  const toDelta = (text: string) => ({ type: "text_delta", text });
  content.push({ type: "text", text: line.show({ block, tokens, toDelta }) });
}

/** Thinks, writes and calls a tool. Returns the id of the call. */
function addTurn(
  { line, content }: { line: Timeline; content: object[] },
  request: AnswerRequest,
  random: () => number,
): string | null {
  const { thinkingTokens } = request;
  if (request.hasThinking && (thinkingTokens !== null || random() < THINKING.share)) {
    const tokens = thinkingTokens ?? sample(THINKING, random);
    line.start({ type: "thinking", thinking: "", signature: "" });
    line.hide(tokens);
    const signature = takeWords(0, SIGNATURE.chars + tokens * SIGNATURE.charsPerToken);
    line.delta({ type: "signature_delta", signature });
    line.stop();
    content.push({ type: "thinking", thinking: "", signature });
  }
  const { tool } = request;
  const hasTool = tool !== null && random() < TOOL_INPUT.share;
  if (!hasTool || random() < TEXT.share) addText(line, content, sample(TEXT, random));
  if (!hasTool) return null;
  const id = `toolu_${request.messageId.slice("msg_".length)}`;
  const block = { type: "tool_use", id, name: tool, input: {}, caller: { type: "direct" } };
  const input = line.show({
    block,
    tokens: sample(random() < LONG_INPUT.share ? LONG_INPUT : TOOL_INPUT, random),
    toDelta: (json) => ({ type: "input_json_delta", partial_json: json }),
    around: ['{"command":"', '"}'],
  });
  content.push({ ...block, input: JSON.parse(input) as object });
  return id;
}

/** Searches the web. Each result is in the prompt of the next model call, which bills the whole prompt again. */
function addSearches(
  parts: { line: Timeline; calls: CallInput[]; content: object[] },
  { random, firstTokenMs, searches: kind }: PlanOptions,
): void {
  const { line, calls, content } = parts;
  const [first = { input: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 }] = calls;
  const { input, cacheRead, cacheWrite5m, cacheWrite1h } = first;
  // The cached prefix of the first call is read again.
  let read = cacheRead + cacheWrite5m + cacheWrite1h;
  const cachesResults = kind.cachesResults && read > 0;
  let promptTokens = input;
  const count = Math.round(between(SEARCHES, random));
  for (let search = 0; search < count; search++) {
    const outputBefore = line.outputTokens;
    const id = `srvtoolu_${search}`;
    line.show({
      block: { type: "server_tool_use", id, name: "web_search", input: {} },
      tokens: Math.round(between(QUERY_TOKENS, random)),
      toDelta: (json) => ({ type: "input_json_delta", partial_json: json }),
      around: ['{"query":"', '"}'],
    });
    line.wait(between(SEARCH_MS, random));
    const result = kind.isRecorded ? sampleRecorded(random) : sampleEven(random);
    line.searches += 1;
    line.start(makeResult(id, result));
    line.stop();
    promptTokens += line.outputTokens - outputBefore + result.tokens;
    line.calls += 1;
    const rest = { cacheRead: read, cacheWrite1h: 0 };
    if (cachesResults) calls.push({ ...rest, input: 0, cacheWrite5m: promptTokens });
    else calls.push({ ...rest, input: promptTokens, cacheWrite5m: 0 });
    if (cachesResults) [read, promptTokens] = [read + promptTokens, 0];
    line.add("");
    line.wait(between(firstTokenMs, random));
  }
  addText(line, content, sample(ANSWER_AFTER_SEARCHES, random));
}

interface SearchResult {
  tokens: number;
  pages: number;
  charsPerPage: number;
}

function sampleEven(random: () => number): SearchResult {
  const tokens = Math.round(between(RESULT_TOKENS, random));
  const chars = Math.round((tokens * RESULT_CHARS_PER_TOKEN) / RESULTS_PER_SEARCH);
  return { tokens, pages: RESULTS_PER_SEARCH, charsPerPage: chars };
}

function sampleRecorded(random: () => number): SearchResult {
  const chars = RECORDED_CHARS[Math.floor(random() * RECORDED_CHARS.length)] ?? 0;
  const pages = RECORDED_PAGES;
  const tokens = Math.round(pages * RECORDED_PAGE_TOKENS + chars / RECORDED_CHARS_PER_TOKEN);
  return { tokens, pages, charsPerPage: Math.round(chars / pages) };
}

function makeResult(id: string, { pages, charsPerPage }: SearchResult): object {
  const content = Array.from({ length: pages }, (_, at) => ({
    type: "web_search_result",
    url: `https://example.com/${at}`,
    title: "Report",
    encrypted_content: takeWords(at, charsPerPage),
    page_age: null,
  }));
  return { type: "web_search_tool_result", tool_use_id: id, content };
}

function toStart({ messageId, model, prompt }: AnswerRequest): object {
  return {
    ...makeHead(messageId, model),
    content: [],
    stop_reason: null,
    usage: {
      ...toWireInput(prompt),
      output_tokens: 1,
      output_tokens_details: null,
      server_tool_use: null,
      ...TERMS,
    },
  };
}

const TERMS = { service_tier: "standard", speed: "standard", inference_geo: "global" };

function makeHead(id: string, model: string): object {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    container: null,
    stop_sequence: null,
    stop_details: null,
  };
}

/** Body of a JSON response. */
export function toMessage(request: AnswerRequest, answer: PlannedAnswer): object {
  const { content, stopReason, usage } = answer;
  return {
    ...makeHead(request.messageId, request.model),
    content,
    stop_reason: stopReason,
    usage: { ...toWireTotals(request.model, usage), ...TERMS },
  };
}

function formatEnd(
  { model, hasSafeguards, hasContextManagement }: AnswerRequest,
  end: { usage: Usage; stopReason: string; toolId: string | null },
): string {
  const { usage, stopReason, toolId } = end;
  const harmless = { type: "evaluated", outcome: "not_flagged" };
  const toolUses = toolId === null ? {} : { [toolId]: harmless };
  const status = { type: "available", tool_uses: toolUses };
  const delta = {
    stop_reason: stopReason,
    stop_sequence: null,
    stop_details: null,
    container: null,
    ...(hasSafeguards && { safeguard_results: [{ type: "dangerous_tool_use", status }] }),
  };
  const edits = hasContextManagement ? { applied_edits: [] } : null;
  const wire = { delta, usage: toWireTotals(model, usage), context_management: edits };
  return formatEvent("message_delta", wire) + formatEvent("message_stop", {});
}

function toWireTotals(model: string, { calls, outputTokens, searches }: Usage): object {
  const iterations = calls.map((call, at) => ({
    type: "message",
    model,
    ...toWireInput(call),
    // Only the sum of the output is billed, so its split does not matter.
    output_tokens: at === calls.length - 1 ? outputTokens : 0,
  }));
  const serverTools = { web_search_requests: searches, web_fetch_requests: 0 };
  return {
    ...toWireInput(sumInput(calls)),
    output_tokens: outputTokens,
    output_tokens_details: null,
    server_tool_use: searches === 0 ? null : serverTools,
    iterations,
  };
}

function toWireInput({ input, cacheRead, cacheWrite5m, cacheWrite1h }: CallInput): object {
  return {
    input_tokens: input,
    cache_creation_input_tokens: cacheWrite5m + cacheWrite1h,
    cache_read_input_tokens: cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite5m,
      ephemeral_1h_input_tokens: cacheWrite1h,
    },
  };
}

export function between([lowest, highest]: Range, random: () => number): number {
  return lowest + random() * (highest - lowest);
}

/** A log-normal count of at least 1. */
export function sample({ median, spread }: Spread, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.max(1, Math.round(median * Math.exp(spread * normal)));
}
