// An agent with its own tool: agent-sdk.mjs <prompt>. Prints its tool calls and its result as JSON.
import { createSdkMcpServer, query, tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";

const ran = [];
const desk = createSdkMcpServer({
  name: "desk",
  version: "1.0.0",
  tools: [
    tool("get_weather", "The weather of a city.", { city: z.string() }, async (input) => {
      ran.push(input);
      return { content: [{ type: "text", text: "sunny" }] };
    }),
  ],
});
const called = [];
let result = null;
const options = {
  mcpServers: { desk },
  allowedTools: ["mcp__desk__get_weather"],
  settingSources: [],
  maxTurns: 5,
};
for await (const message of query({ prompt: process.argv[2], options })) {
  if (message.type === "assistant") {
    for (const block of message.message.content)
      if (block.type === "tool_use") called.push(block.name);
  }
  if (message.type === "result") result = message;
}
console.log(JSON.stringify({ ran, called, result }));
