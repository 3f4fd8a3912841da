// Calls of the Vercel AI SDK: vercel.mjs <package "ai"> <package of the provider>. Prints each result as JSON.
const [aiPackage, providerPackage] = process.argv.slice(2);
const { generateObject, generateText, Output, stepCountIs, streamObject, streamText, tool } =
  await import(aiPackage);
const { createAnthropic } = await import(providerPackage);
const { z } = await import("zod");

const anthropic = createAnthropic({
  baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1`,
  apiKey: process.env.ANTHROPIC_API_KEY,
});
const model = anthropic("claude-sonnet-5");
const schema = z.object({
  name: z.string().min(3),
  tags: z.array(z.string()).min(2),
  score: z.number().min(0).max(1),
  kind: z.enum(["a", "b"]),
  day: z.iso.date(),
  email: z.email(),
  count: z.int().gt(10),
});
const prompt = "Make one.";

const ran = [];
const tools = {
  get_weather: tool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string(), unit: z.enum(["C", "F"]) }),
    execute: (input) => {
      ran.push(input);
      return "sunny";
    },
  }),
};
const loop = { model, tools, prompt: "Use get_weather for Paris.", stopWhen: stepCountIs(4) };

const calls = {
  async generateText() {
    const { text, finishReason, usage } = await generateText({ model, prompt: "Hello" });
    return { text, finishReason, usage };
  },
  async streamText() {
    const { text, finishReason, usage } = await read(streamText({ model, prompt: "Hello" }));
    return { text, finishReason, usage };
  },
  async toolLoop() {
    const { steps, text } = await generateText(loop);
    return { steps: steps.length, text, ran: ran.splice(0) };
  },
  async streamedToolLoop() {
    const { steps, text } = await read(streamText(loop));
    return { steps: steps.length, text, ran: ran.splice(0) };
  },
  async generateObject() {
    return (await generateObject({ model, schema, prompt })).object;
  },
  async generateObjectWithATool() {
    const providerOptions = { anthropic: { structuredOutputMode: "jsonTool" } };
    return (await generateObject({ model, schema, prompt, providerOptions })).object;
  },
  async streamObject() {
    const { partialObjectStream, object } = streamObject({ model, schema, prompt });
    for await (const _ of partialObjectStream);
    return await object;
  },
  async outputObject() {
    return (await generateText({ model, output: Output.object({ schema }), prompt })).output;
  },
};

async function read(stream) {
  for await (const part of stream.fullStream) if (part.type === "error") throw part.error;
  const { text, finishReason, usage, steps } = stream;
  return {
    text: await text,
    finishReason: await finishReason,
    usage: await usage,
    steps: await steps,
  };
}

const given = {};
for (const [name, call] of Object.entries(calls)) {
  given[name] = await call().catch((error) => `${error}: ${error.cause ?? ""}`);
}
console.log(JSON.stringify(given));
