// Program of the client, for the usage reports. A client can send any user agent, so reports show only names of this closed
// list.

/** The first match counts. A program that also names its SDK is listed before the SDK. */
const families = [
  ["claude-code", /^claude-(?:cli|code)\//i],
  ["vercel-ai", /\bai-sdk\/|^ai\/[0-9]/i],
  ["langchain", /\blangchain/i],
  ["litellm", /\blitellm\b/i],
  // Stainless SDKs call themselves `<class>/<language> <version>`: Anthropic, AsyncAnthropic, AnthropicBedrock …
  ["anthropic-typescript", anthropicSdk("JS")],
  ["anthropic-python", anthropicSdk("Python")],
  ["anthropic-go", anthropicSdk("Go")],
  ["anthropic-java", anthropicSdk("Java|Kotlin")],
  ["anthropic-ruby", anthropicSdk("Ruby")],
  ["anthropic-csharp", anthropicSdk("C#|CSharp")],
  ["anthropic-php", anthropicSdk("PHP")],
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

function anthropicSdk(languages: string): RegExp {
  return new RegExp(`^(?:Async)?Anthropic[A-Za-z:]*/(?:${languages})(?: |$)`, "i");
}
