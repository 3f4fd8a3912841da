// Program of the client, for the usage reports. A client can send any user agent, so reports show only names of this closed
// list.

/** The first match counts. A program that also names its SDK is listed before the SDK. */
const families = [
  // The Agent SDK runs Claude Code, which then names both.
  ["claude-agent-sdk", /^claude-(?:cli|code)\/.*\bagent-sdk\//i],
  ["claude-code", /^claude-(?:cli|code)\//i],
  ["vercel-ai", /\bai-sdk[-/]|^ai\/[0-9]/i],
  ["langchain", /\blangchain/i],
  ["llama-index", /^llama-index\//i],
  ["pydantic-ai", /^pydantic-ai\//i],
  ["litellm", /\blitellm\b/i],
  // Stainless SDKs call themselves `<class>/<language> <version>`: Anthropic, AsyncAnthropic, AnthropicBedrock … Packages
  // that send no name of their own, such as LangChain.js, are those of the SDK that they use.
  ["anthropic-typescript", makeSdkPattern("Anthropic", "JS")],
  ["anthropic-python", makeSdkPattern("Anthropic", "Python")],
  ["anthropic-go", makeSdkPattern("Anthropic", "Go")],
  ["anthropic-java", makeSdkPattern("Anthropic", "Java|Kotlin")],
  ["anthropic-ruby", makeSdkPattern("Anthropic", "Ruby")],
  ["anthropic-csharp", makeSdkPattern("Anthropic", "C#|CSharp")],
  ["anthropic-php", makeSdkPattern("Anthropic", "PHP")],
  ["openai-typescript", makeSdkPattern("OpenAI", "JS")],
  ["openai-python", makeSdkPattern("OpenAI", "Python")],
  ["openai-go", makeSdkPattern("OpenAI", "Go")],
  ["openai-java", makeSdkPattern("OpenAI", "Java|Kotlin")],
  ["openai-ruby", makeSdkPattern("OpenAI", "Ruby")],
  ["curl", /^curl\//i],
  ["wget", /^wget\//i],
  ["postman", /^PostmanRuntime\//i],
  ["python-requests", /^python-requests\//i],
  ["python-httpx", /^python-httpx\//i],
  ["python-aiohttp", /\baiohttp\//i],
  ["axios", /^axios\//i],
  ["node", /^(?:node|undici|node-fetch|bun|deno)\b/i],
  ["go-http", /^Go-http-client\//i],
  ["java-http", /^(?:okhttp|Java-http-client|Apache-HttpClient)\//i],
  ["browser", /^Mozilla\//i],
] as const satisfies readonly (readonly [string, RegExp])[];

export type ClientFamily = (typeof families)[number][0] | "other" | "unknown";

const MAX_READ_CHARS = 256;

/** Family of a `user-agent` header. "unknown": no header. "other": not in the list. */
export function findClientFamily(userAgent: string | undefined): ClientFamily {
  if (!userAgent) return "unknown";
  const start = userAgent.slice(0, MAX_READ_CHARS);
  return families.find(([, pattern]) => pattern.test(start))?.[0] ?? "other";
}

/** True for Claude Code, also if the Agent SDK runs it. */
export function isClaudeCode(family: ClientFamily): boolean {
  return family === "claude-code" || family === "claude-agent-sdk";
}

function makeSdkPattern(vendor: string, languages: string): RegExp {
  return new RegExp(`^(?:Async)?${vendor}[A-Za-z:]*/(?:${languages})(?: |$)`, "i");
}
