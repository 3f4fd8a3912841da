import fc from "fast-check";
import { expect, test } from "vitest";
import { findClientFamily } from "./client-family.rule.ts";

test.each([
  ["Anthropic/JS 1.14.0", "anthropic-typescript"],
  ["Anthropic/JS 0.137.0", "anthropic-typescript"],
  ["AnthropicBedrock/JS 0.20.0", "anthropic-typescript"],
  ["Anthropic/Python 0.70.0", "anthropic-python"],
  ["AsyncAnthropic/Python 2.1.0", "anthropic-python"],
  ["AsyncAnthropicVertex/Python 2.1.0", "anthropic-python"],
  ["Anthropic/Go 1.19.0", "anthropic-go"],
  ["AnthropicClientImpl/Java 2.9.0", "anthropic-java"],
  ["Anthropic::Client/Ruby 1.16.0", "anthropic-ruby"],
  ["AnthropicClient/C# 12.0.0", "anthropic-csharp"],
  ["anthropic/PHP 0.4.0", "anthropic-php"],
  ["claude-cli/2.1.23 (external, cli)", "claude-code"],
  ["claude-code/2.1.129", "claude-code"],
  ["ai/5.0.10 ai-sdk/provider-utils/3.0.2 runtime/node.js/24", "vercel-ai"],
  ["ai-sdk/anthropic/2.0.9 ai-sdk/provider-utils/3.0.2", "vercel-ai"],
  ["langchain-anthropic/1.0.0", "langchain"],
  ["litellm/1.80.0", "litellm"],
  ["curl/8.5.0", "curl"],
  ["python-requests/2.32.3", "python-requests"],
  ["python-httpx/0.28.1", "python-httpx"],
  ["Python/3.12 aiohttp/3.10.5", "python-aiohttp"],
  ["node", "node"],
  ["undici", "node"],
  ["axios/1.7.9", "axios"],
  ["Go-http-client/1.1", "go-http"],
  ["okhttp/4.12.0", "java-http"],
  ["Mozilla/5.0 (X11; Linux x86_64)", "browser"],
  ["Anthropic/JSON 1.0", "other"],
  ["NotAnthropic/JS 1.0", "other"],
  ["something else", "other"],
  ["", "unknown"],
  [undefined, "unknown"],
])("%s is %s", (userAgent, family) => {
  expect(findClientFamily(userAgent)).toBe(family);
});

test("returns one of a few names for any user agent", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (userAgent) => {
      expect(findClientFamily(userAgent)).toMatch(/^[a-z-]{2,24}$/);
    }),
  );
  expect(findClientFamily("Anthropic".repeat(1_000_000))).toBe("other");
});
