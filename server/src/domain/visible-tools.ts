// Server tools of which a stream shows each call: a `server_tool_use` block, then its result, and only then the next call
// of the model. No other server tool is listed, because a version that runs code can call again out of sight. Sources:
// the pages on web search, on web fetch and on server tools, copies of October and November 2026.

export interface VisibleTool {
  /** Type in the request. */
  type: string;
  /** `name` of its blocks. */
  name: string;
  /** Highest tokens of one result in the prompt. Null: `max_content_tokens` of the tool, otherwise the window. */
  resultTokens: number | null;
  /** Each use is billed as a web search. */
  isSearch: boolean;
}

export const visibleTools: readonly VisibleTool[] = [
  // The example of the page has about 5,300 tokens for ten pages, and long pages have about 10,000. A result above the
  // figure excludes the tool: see the gateway.
  { type: "web_search_20250305", name: "web_search", resultTokens: 15_000, isSearch: true },
  { type: "web_fetch_20250910", name: "web_fetch", resultTokens: null, isSearch: false },
];

/** `max_content_tokens` is approximate, and the frame of a result adds some tokens. */
const CONTENT_MARGIN_TOKENS = 1_024;
const CONTENT_MARGIN_DIVISOR = 4;

export function findVisibleTool(type: string): VisibleTool | null {
  return visibleTools.find((tool) => tool.type === type) ?? null;
}

/** Highest tokens of one result of a tool. Infinity: the context window alone is a bound. */
export function findResultTokens(
  { resultTokens }: VisibleTool,
  maxContentTokens: number | null,
): number {
  if (resultTokens !== null) return resultTokens;
  if (maxContentTokens === null) return Number.POSITIVE_INFINITY;
  return (
    maxContentTokens + Math.ceil(maxContentTokens / CONTENT_MARGIN_DIVISOR) + CONTENT_MARGIN_TOKENS
  );
}
