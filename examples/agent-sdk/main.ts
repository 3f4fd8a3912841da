import { query } from "@anthropic-ai/claude-agent-sdk";

// The agent reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY.
const options = { settingSources: [], allowedTools: [], maxTurns: 3 };
for await (const message of query({ prompt: "Hello, Claude", options })) {
  if (message.type === "result" && message.subtype === "success") console.log(message.result);
}
