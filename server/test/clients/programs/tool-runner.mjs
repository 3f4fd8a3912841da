// A tool loop of the official SDK, as in its guide. Prints the result as JSON.
import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { z } from "zod";

const ran = [];
const getWeather = betaZodTool({
  name: "get_weather",
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string(), days: z.number().int().min(2).max(5) }),
  run: (input) => {
    ran.push(input);
    return `sunny in ${input.city}`;
  },
});
const message = await new Anthropic().beta.messages.toolRunner({
  model: "claude-opus-5-5",
  max_tokens: 1_000,
  messages: [{ role: "user", content: "Use get_weather for Paris." }],
  tools: [getWeather],
});
console.log(JSON.stringify({ ran, message }));
