// Sends one message, and decides by error codes alone what to do after a refusal.
// Usage: ANTHROPIC_BASE_URL=… ANTHROPIC_API_KEY=… node handle-refusals.mjs <max_tokens>

import { setTimeout as sleep } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";

const MAX_ATTEMPTS = 10;
const MIN_TOKENS = 16;

// The program decides itself when it sends a request again.
const client = new Anthropic({ maxRetries: 0 });

const request = {
  model: "claude-sonnet-5",
  max_tokens: JSON.parse(process.argv[2] ?? "1024"),
  messages: [{ role: "user", content: "Hello" }],
};

for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
  try {
    const { content } = await client.messages.create(request);
    console.log(content.map((block) => block.text ?? "").join(""));
    process.exit(0);
  } catch (error) {
    if (!(error instanceof Anthropic.APIError)) throw error;
    const exitCode = await handleRefusal(error);
    if (exitCode !== null) process.exit(exitCode);
  }
}
console.error(`No answer after ${MAX_ATTEMPTS} attempts.`);
process.exit(1);

/** Returns the exit code, or null where another attempt makes sense. */
async function handleRefusal(error) {
  const { errorCode, details } = error;
  switch (errorCode) {
    case "spend_limit_reached": {
      const { scope, period, period_ends_at: endsAt } = details.limit;
      console.error(`The ${period} limit of the ${scope.type} is used up until ${endsAt}.`);
      return 6;
    }
    case "request_too_large_for_limit": {
      const smaller = Math.floor(request.max_tokens / 2);
      if (smaller < MIN_TOKENS) throw error;
      console.error(`The request can cost $${details.max_cost_usd}. Trying ${smaller} tokens.`);
      request.max_tokens = smaller;
      return null;
    }
    case "budget_held":
      console.error(`Running requests hold $${details.limit.held_usd}. Waiting.`);
      await sleep(details.retry_after_seconds * 1_000);
      return null;
    case "invalid_fields":
      for (const { path, message } of details.fields) console.error(`${path}: ${message}`);
      return 2;
    default:
      throw error;
  }
}
