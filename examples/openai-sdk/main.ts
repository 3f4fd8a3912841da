import OpenAI from "openai";

const client = new OpenAI({
  baseURL: `${process.env["ANTHROPIC_BASE_URL"]}/v1`,
  apiKey: process.env["ANTHROPIC_API_KEY"],
});

const completion = await client.chat.completions.create({
  model: "claude-sonnet-5",
  max_tokens: 200,
  messages: [{ role: "user", content: "Hello, Claude" }],
});
console.log(completion.choices[0]?.message.content);
console.log(`${completion.usage?.completion_tokens} output tokens`);
