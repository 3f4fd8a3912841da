import Anthropic from "@anthropic-ai/sdk";

// The client reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
const client = new Anthropic();

const stream = client.messages.stream({
  model: "claude-sonnet-5",
  max_tokens: 200,
  messages: [{ role: "user", content: "Hello, Claude" }],
});
stream.on("text", (text) => process.stdout.write(text));
const message = await stream.finalMessage();
console.log(`\n${message.usage.output_tokens} output tokens`);
