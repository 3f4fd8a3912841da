import { ChatAnthropic } from "@langchain/anthropic";

const model = new ChatAnthropic({
  model: "claude-sonnet-5",
  anthropicApiUrl: process.env["ANTHROPIC_BASE_URL"],
  maxTokens: 200,
});

const message = await model.invoke("Hello, Claude");
console.log(message.text);
console.log(`${message.usage_metadata?.output_tokens} output tokens`);
