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
  /** Size of a result whose pages are encrypted. Null: the pages are text, or unknown. */
  page: PageSize | null;
  /** Each use is billed as a web search. */
  isSearch: boolean;
}

/** Tokens of a result by the size of its encrypted pages. */
export interface PageSize {
  /** Most tokens of a page beyond its characters. */
  frameTokens: number;
  /** Fewest characters of one token: base64, title and address. */
  charsPerToken: number;
}

/**
 * Seven streams of Sonnet 4 and 4.5 with 18 results fit 144 tokens a page and 4.27 characters a token, within 3 % each. These
 * figures are 30 to 37 % above each stream. Newer tokenizers need up to a third more tokens for the same text. Sources: test
 * recordings of the AI SDK of Vercel and of Pydantic AI, copies of November 2026.
 */
const searchPage: PageSize = { frameTokens: 192, charsPerToken: 3.2 };

export const visibleTools: readonly VisibleTool[] = [
  // The example of the page has about 5,300 tokens for ten pages, and long pages have about 10,000. A result above the
  // figure excludes the tool: see the gateway.
  {
    type: "web_search_20250305",
    name: "web_search",
    resultTokens: 15_000,
    page: searchPage,
    isSearch: true,
  },
  {
    type: "web_fetch_20250910",
    name: "web_fetch",
    resultTokens: null,
    page: null,
    isSearch: false,
  },
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
