import type { MessageRequest } from "./message-request.ts";
import { BEDROCK, KEY_VARIABLE, OPENAI, TOKEN_VARIABLE, toVariables, VERTEX } from "./variables.ts";

// Programs that send one Messages request, in Python and TypeScript. All text is quoted, so that no language runs it as code.

export interface ProgramOptions {
  /** Address of this server, without a path of the API. */
  baseUrl: string;
  request: MessageRequest;
}

/** Program of one client: its packages, its file and its text. */
export interface Program {
  /** Command that installs the packages. */
  install: string;
  language: "Python" | "TypeScript";
  /** Shell lines with the address and the key. */
  toVariables: (baseUrl: string, secret: string) => string;
  write: (options: ProgramOptions) => string;
}

export const programs = {
  Python: { install: "pip install anthropic", language: "Python", toVariables, write: writePython },
  TypeScript: {
    install: "npm install @anthropic-ai/sdk",
    language: "TypeScript",
    toVariables,
    write: writeTypeScript,
  },
  "Vercel AI": {
    install: "npm install ai @ai-sdk/anthropic",
    language: "TypeScript",
    toVariables,
    write: writeVercelAi,
  },
  LangChain: {
    install: "pip install langchain-anthropic",
    language: "Python",
    toVariables,
    write: writeLangChain,
  },
  "LangChain.js": {
    install: "npm install @langchain/anthropic @langchain/core",
    language: "TypeScript",
    toVariables,
    write: writeLangChainJs,
  },
  "OpenAI Python": {
    install: "pip install openai",
    language: "Python",
    toVariables: OPENAI.toVariables,
    write: writeOpenAiPython,
  },
  "OpenAI TypeScript": {
    install: "npm install openai",
    language: "TypeScript",
    toVariables: OPENAI.toVariables,
    write: writeOpenAiTypeScript,
  },
  "Python in Bedrock mode": {
    install: "pip install 'anthropic[bedrock]'",
    language: "Python",
    toVariables: BEDROCK.toVariables,
    write: writeBedrock,
  },
  "Python in Vertex mode": {
    install: "pip install 'anthropic[vertex]'",
    language: "Python",
    toVariables: VERTEX.toVariables,
    write: writeVertex,
  },
} as const satisfies Record<string, Program>;

const PYTHON_SPACES = 4;

function writePython({ baseUrl, request }: ProgramOptions): string {
  const client = `client = Anthropic(base_url=${toLiteral(baseUrl)}, api_key=os.environ["${KEY_VARIABLE}"])`;
  return writePythonMessage("Anthropic", [client], request);
}

function writeBedrock({ baseUrl, request }: ProgramOptions): string {
  const client = [
    "client = AnthropicBedrock(",
    `    base_url=${toLiteral(BEDROCK.addressOf(baseUrl))},`,
    '    aws_region="us-east-1",',
    `    api_key=os.environ["${BEDROCK.key}"],`,
    ")",
  ];
  return writePythonMessage("AnthropicBedrock", client, request);
}

function writeVertex({ baseUrl, request }: ProgramOptions): string {
  const client = [
    "client = AnthropicVertex(",
    `    base_url=${toLiteral(VERTEX.addressOf(baseUrl))},`,
    '    project_id="any",',
    '    region="global",',
    `    access_token=os.environ["${TOKEN_VARIABLE}"],`,
    ")",
  ];
  return writePythonMessage("AnthropicVertex", client, request);
}

function writePythonMessage(
  name: string,
  client: readonly string[],
  request: MessageRequest,
): string {
  const { stream, ...fields } = request;
  const call = [
    ...Object.entries(fields).map(([name, value]) => `    ${name}=${toPythonArgument(value)},`),
    ")",
  ];
  return [
    "import os",
    "",
    `from anthropic import ${name}`,
    "",
    ...client,
    "",
    ...(stream
      ? [
          "with client.messages.stream(",
          ...call.slice(0, -1),
          ") as stream:",
          "    for text in stream.text_stream:",
          '        print(text, end="", flush=True)',
        ]
      : ["message = client.messages.create(", ...call, "print(message.content[0].text)"]),
  ].join("\n");
}

function writeTypeScript({ baseUrl, request }: ProgramOptions): string {
  const { stream, ...fields } = request;
  const body = toLiteral(fields);
  return [
    'import Anthropic from "@anthropic-ai/sdk";',
    "",
    "const client = new Anthropic({",
    `  baseURL: ${toLiteral(baseUrl)},`,
    `  apiKey: process.env.${KEY_VARIABLE},`,
    "});",
    "",
    ...(stream
      ? [
          `const stream = client.messages.stream(${body});`,
          'stream.on("text", (text) => process.stdout.write(text));',
          "await stream.finalMessage();",
        ]
      : [
          `const message = await client.messages.create(${body});`,
          "console.log(message.content);",
        ]),
  ].join("\n");
}

/** The package adds only the name of the call to its base URL, so that URL ends in `/v1`. */
function writeVercelAi({ baseUrl, request }: ProgramOptions): string {
  const { model, max_tokens, system, messages, stream } = request;
  const call = [
    `  model: anthropic(${toLiteral(model)}),`,
    `  maxOutputTokens: ${max_tokens},`,
    ...(system === undefined ? [] : [`  system: ${toLiteral(system)},`]),
    `  messages: ${indent(toLiteral(messages), 2)},`,
    "});",
  ];
  return [
    'import { createAnthropic } from "@ai-sdk/anthropic";',
    `import { ${stream ? "streamText" : "generateText"} } from "ai";`,
    "",
    "const anthropic = createAnthropic({",
    `  baseURL: ${toLiteral(`${baseUrl}/v1`)},`,
    `  apiKey: process.env.${KEY_VARIABLE},`,
    "});",
    "",
    ...(stream
      ? [
          "const { textStream } = streamText({",
          ...call,
          "for await (const text of textStream) process.stdout.write(text);",
        ]
      : ["const { text } = await generateText({", ...call, "console.log(text);"]),
  ].join("\n");
}

function writeLangChain({ baseUrl, request }: ProgramOptions): string {
  const messages = toLiteral(listMessages(request), PYTHON_SPACES);
  return [
    "import os",
    "",
    "from langchain_anthropic import ChatAnthropic",
    "",
    "model = ChatAnthropic(",
    `    model=${toLiteral(request.model)},`,
    `    max_tokens=${request.max_tokens},`,
    `    base_url=${toLiteral(baseUrl)},`,
    `    api_key=os.environ["${KEY_VARIABLE}"],`,
    ")",
    "",
    ...(request.stream
      ? [`for chunk in model.stream(${messages}):`, '    print(chunk.text, end="", flush=True)']
      : [`message = model.invoke(${messages})`, "print(message.text)"]),
  ].join("\n");
}

function writeLangChainJs({ baseUrl, request }: ProgramOptions): string {
  const messages = toLiteral(listMessages(request));
  return [
    'import { ChatAnthropic } from "@langchain/anthropic";',
    "",
    "const model = new ChatAnthropic({",
    `  model: ${toLiteral(request.model)},`,
    `  maxTokens: ${request.max_tokens},`,
    `  anthropicApiUrl: ${toLiteral(baseUrl)},`,
    `  apiKey: process.env.${KEY_VARIABLE},`,
    "});",
    "",
    ...(request.stream
      ? [
          `const chunks = await model.stream(${messages});`,
          "for await (const chunk of chunks) process.stdout.write(chunk.text);",
        ]
      : [`const message = await model.invoke(${messages});`, "console.log(message.text);"]),
  ].join("\n");
}

function writeOpenAiPython({ baseUrl, request }: ProgramOptions): string {
  const { stream } = request;
  const call = [
    `    model=${toLiteral(request.model)},`,
    `    max_tokens=${request.max_tokens},`,
    `    messages=${toPythonArgument(listMessages(request))},`,
    ...(stream ? ["    stream=True,"] : []),
    ")",
  ];
  return [
    "import os",
    "",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${toLiteral(OPENAI.addressOf(baseUrl))}, api_key=os.environ["${OPENAI.key}"])`,
    "",
    ...(stream
      ? [
          "chunks = client.chat.completions.create(",
          ...call,
          "for chunk in chunks:",
          '    print(chunk.choices[0].delta.content or "", end="", flush=True)',
        ]
      : [
          "completion = client.chat.completions.create(",
          ...call,
          "print(completion.choices[0].message.content)",
        ]),
  ].join("\n");
}

function writeOpenAiTypeScript({ baseUrl, request }: ProgramOptions): string {
  const { model, max_tokens, stream } = request;
  const fields = { model, max_tokens, messages: listMessages(request) };
  const call = `await client.chat.completions.create(${toLiteral({ ...fields, stream })});`;
  return [
    'import OpenAI from "openai";',
    "",
    "const client = new OpenAI({",
    `  baseURL: ${toLiteral(OPENAI.addressOf(baseUrl))},`,
    `  apiKey: process.env.${OPENAI.key},`,
    "});",
    "",
    ...(stream
      ? [
          `const chunks = ${call}`,
          "for await (const chunk of chunks) {",
          '  process.stdout.write(chunk.choices[0]?.delta.content ?? "");',
          "}",
        ]
      : [`const completion = ${call}`, "console.log(completion.choices[0]?.message.content);"]),
  ].join("\n");
}

/** LangChain and OpenAI have the system prompt as the first message. */
function listMessages({ system, messages }: MessageRequest): readonly object[] {
  return system === undefined ? messages : [{ role: "system", content: system }, ...messages];
}

function toPythonArgument(value: unknown): string {
  return indent(toLiteral(value, PYTHON_SPACES), PYTHON_SPACES);
}

/** JSON of text and numbers is valid in both languages. */
function toLiteral(value: unknown, spaces = 2): string {
  return JSON.stringify(value, null, spaces)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function indent(text: string, spaces: number): string {
  return text.replaceAll("\n", `\n${" ".repeat(spaces)}`);
}
