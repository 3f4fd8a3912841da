import fc from "fast-check";
import { expect, test } from "vitest";
import { findClientFamily, isClaudeCode } from "./client-family.rule.ts";

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
  ["claude-cli/2.1.332 (external, sdk-cli)", "claude-code"],
  ["claude-cli/2.1.332 (external, sdk-ts, agent-sdk/0.3.332)", "claude-agent-sdk"],
  ["AnthropicBedrock/JS 0.32.0", "anthropic-typescript"],
  ["AnthropicBedrockMantle/JS 0.32.0", "anthropic-typescript"],
  ["AnthropicVertex/JS 0.17.0", "anthropic-typescript"],
  ["AnthropicFoundry/JS 0.5.0", "anthropic-typescript"],
  ["OpenAI/JS 7.59.0", "openai-typescript"],
  ["OpenAI/Python 3.57.0", "openai-python"],
  ["AsyncOpenAI/Python 3.57.0", "openai-python"],
  ["OpenAI/Go 3.0.0", "openai-go"],
  ["OpenAIClientImpl/Java 4.0.0", "openai-java"],
  ["OpenAI::Client/Ruby 0.40.0", "openai-ruby"],
  ["pydantic-ai/2.68.0", "pydantic-ai"],
  ["llama-index/0.12.3", "llama-index"],
  ["ai/5.0.10 ai-sdk/provider-utils/3.0.2 runtime/node.js/24", "vercel-ai"],
  ["ai-sdk/anthropic/2.0.9 ai-sdk/provider-utils/3.0.2", "vercel-ai"],
  ["ai-sdk-anthropic/4.0.105 ai-sdk-provider-utils/5.0.81 node.js/26", "vercel-ai"],
  ["langchainjs-openai/1.0.0 ((node/v26.10.0; linux; x64))", "langchain"],
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

test.each(["claude-code", "claude-agent-sdk"] as const)("%s is Claude Code", (family) => {
  expect(isClaudeCode(family)).toBe(true);
});

test("an SDK is not Claude Code", () => {
  expect(isClaudeCode("anthropic-typescript")).toBe(false);
});

test("returns one of a few names for any user agent", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (userAgent) => {
      expect(findClientFamily(userAgent)).toMatch(/^[a-z-]{2,24}$/);
    }),
  );
  expect(findClientFamily("Anthropic".repeat(1_000_000))).toBe("other");
});
