// Calls by clients of the OpenAI API: the OpenAI SDK, the Vercel AI SDK and LangChain. Prints each result as JSON.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import OpenAI from "openai";
import { z } from "zod";

const baseURL = `${process.env.ANTHROPIC_BASE_URL}/v1`;
const apiKey = process.env.ANTHROPIC_API_KEY;
const model = "claude-sonnet-5";
const messages = [{ role: "user", content: "Hello" }];
const question = "Use get_weather for Paris.";
const inputSchema = z.object({ city: z.string(), unit: z.enum(["C", "F"]) });
const description = "The weather of a city.";

const sdk = new OpenAI({ baseURL, apiKey });

const vercelModel = createOpenAICompatible({ name: "bursar", baseURL, apiKey, includeUsage: true })(
  model,
);
const ran = [];
const tools = {
  get_weather: tool({
    description,
    inputSchema,
    execute: (input) => {
      ran.push(input);
      return "sunny";
    },
  }),
};
const loop = { model: vercelModel, tools, prompt: question, stopWhen: stepCountIs(4) };

const langChain = new ChatOpenAI({ model, apiKey, configuration: { baseURL } });
const getWeather = langChainTool(() => "sunny", {
  ...{ name: "get_weather", description, schema: inputSchema },
});

const calls = {
  async sdk() {
    const { choices, usage } = await sdk.chat.completions.create({ model, messages });
    return { text: choices[0].message.content, reason: choices[0].finish_reason, usage };
  },
  async sdkStream() {
    const options = { stream_options: { include_usage: true } };
    const stream = sdk.chat.completions.stream({ model, messages, ...options });
    const { choices, usage } = await stream.finalChatCompletion();
    return { text: choices[0].message.content, reason: choices[0].finish_reason, usage };
  },
  async sdkTools() {
    const parameters = z.toJSONSchema(inputSchema);
    const name = "get_weather";
    const found = [];
    const run = (input) => {
      found.push(input);
      return "sunny";
    };
    const runner = sdk.chat.completions.runTools({
      model,
      messages: [{ role: "user", content: question }],
      tools: [
        {
          type: "function",
          function: { name, description, parameters, parse: JSON.parse, function: run },
        },
      ],
    });
    return { text: await runner.finalContent(), ran: found };
  },
  async vercel() {
    const { text, finishReason, usage } = await generateText({ model: vercelModel, messages });
    return { text, finishReason, usage };
  },
  async vercelStream() {
    const { text, finishReason, usage } = streamText({ model: vercelModel, messages });
    return { text: await text, finishReason: await finishReason, usage: await usage };
  },
  async vercelTools() {
    const { steps, text } = await generateText(loop);
    return { steps: steps.length, text, ran: ran.splice(0) };
  },
  async vercelStreamedTools() {
    const { steps, text } = streamText(loop);
    return { steps: (await steps).length, text: await text, ran: ran.splice(0) };
  },
  async langChain() {
    const { text, usage_metadata: usage } = await langChain.invoke("Hello");
    return { text, usage };
  },
  async langChainStream() {
    let whole;
    for await (const chunk of await langChain.stream("Hello")) {
      whole = whole === undefined ? chunk : whole.concat(chunk);
    }
    return { text: whole.text, usage: whole.usage_metadata };
  },
  async langChainTools() {
    const bound = langChain.bindTools([getWeather]);
    const first = await bound.invoke(question);
    const results = await Promise.all(first.tool_calls.map((call) => getWeather.invoke(call)));
    const last = await bound.invoke([{ role: "user", content: question }, first, ...results]);
    return { called: first.tool_calls.map(({ name, args }) => ({ name, args })), text: last.text };
  },
  async wrongKey() {
    const wrong = new OpenAI({ baseURL, apiKey: "sk-ant-api03-wrong" });
    const error = await wrong.chat.completions.create({ model, messages }).catch((found) => found);
    return { name: error.constructor.name, status: error.status, type: error.type };
  },
};

const results = {};
for (const [name, call] of Object.entries(calls)) {
  results[name] = await call().catch((error) => ({ error: String(error) }));
}
console.log(JSON.stringify(results));
