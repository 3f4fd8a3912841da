import { createAnthropic } from "@ai-sdk/anthropic";
import { streamText } from "ai";

const anthropic = createAnthropic({
  baseURL: `${process.env["ANTHROPIC_BASE_URL"]}/v1`,
  apiKey: process.env["ANTHROPIC_API_KEY"],
});

const { textStream, usage } = streamText({
  model: anthropic("claude-sonnet-5"),
  prompt: "Hello, Claude",
});
for await (const text of textStream) process.stdout.write(text);
console.log(`\n${(await usage).outputTokens} output tokens`);
