import type { MessageRequest } from "./message-request.ts";

// One Messages request in the code of each client. All text is quoted, so that no shell or language runs it as code.

export const clients = ["Claude Code", "Python", "TypeScript", "curl"] as const;
export type Client = (typeof clients)[number];

export interface CodeBlockText {
  /** Place of the text: a terminal, or a file with the command that runs it. */
  title: string;
  text: string;
}

interface CodeOptions {
  /** Address of this server, without a path of the API. */
  baseUrl: string;
  /** Key that the variables hold. Null: the reader has set them already. */
  secret: string | null;
  request: MessageRequest;
  /** Starts Claude Code with the request's model instead of its own choice. */
  hasFixedModel?: boolean;
}

const KEY_VARIABLE = "ANTHROPIC_API_KEY";
const URL_VARIABLE = "ANTHROPIC_BASE_URL";
// Claude Code starts at once with this variable. With the key variable it asks first, and its first start needs
// api.anthropic.com.
const TOKEN_VARIABLE = "ANTHROPIC_AUTH_TOKEN";
const PYTHON_SPACES = 4;
const TERMINAL = "In a terminal";

/** Variables of the official SDKs: the address and the key. */
export function toVariables(baseUrl: string, secret: string): string {
  return toExports([
    [URL_VARIABLE, baseUrl],
    [KEY_VARIABLE, secret],
  ]);
}

/** Shell lines that each set one variable. */
export function toExports(variables: readonly (readonly [name: string, value: string])[]): string {
  return variables.map(([name, value]) => `export ${name}=${quoteWhereNeeded(value)}`).join("\n");
}

/** Code blocks for one client, in order. */
export function writeCode(client: Client, options: CodeOptions): readonly CodeBlockText[] {
  switch (client) {
    case "Claude Code":
      return [{ title: TERMINAL, text: toClaudeCode(options) }];
    case "Python":
      return [
        ...toTerminal("pip install anthropic", options),
        { title: "hello.py, run with python hello.py", text: toPython(options) },
      ];
    case "TypeScript":
      return [
        ...toTerminal("npm install @anthropic-ai/sdk", options),
        { title: "hello.mts, run with node hello.mts", text: toTypeScript(options) },
      ];
    case "curl":
      return [{ title: TERMINAL, text: toCurl(options) }];
  }
}

function toTerminal(install: string, { baseUrl, secret }: CodeOptions): readonly CodeBlockText[] {
  const variables = secret === null ? [] : [toVariables(baseUrl, secret)];
  return [{ title: TERMINAL, text: [install, ...variables].join("\n") }];
}

function toClaudeCode({ baseUrl, secret, request, hasFixedModel }: CodeOptions): string {
  const token = secret === null ? `"$${KEY_VARIABLE}"` : quoteWhereNeeded(secret);
  return [
    "npm install --global @anthropic-ai/claude-code",
    toExports([[URL_VARIABLE, baseUrl]]),
    `export ${TOKEN_VARIABLE}=${token}`,
    hasFixedModel ? `claude --model ${quoteWhereNeeded(request.model)}` : "claude",
  ].join("\n");
}

function toCurl({ baseUrl, secret, request }: CodeOptions): string {
  const address =
    secret === null ? quoteWhereNeeded(`${baseUrl}/v1/messages`) : `"$${URL_VARIABLE}/v1/messages"`;
  return [
    ...(secret === null ? [] : [toVariables(baseUrl, secret)]),
    `curl ${request.stream ? "--no-buffer " : ""}${address} \\`,
    `  -H "x-api-key: $${KEY_VARIABLE}" \\`,
    "  -H 'anthropic-version: 2023-06-01' \\",
    "  -H 'content-type: application/json' \\",
    `  -d ${quoteForShell(JSON.stringify(request, null, 2))}`,
  ].join("\n");
}

function quoteWhereNeeded(text: string): string {
  return /^[\w:/.-]+$/.test(text) ? text : quoteForShell(text);
}

/** In single quotes, a shell treats only the quote itself as special. */
function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function toPython({ baseUrl, request }: CodeOptions): string {
  const { stream, ...fields } = request;
  const call = [
    ...Object.entries(fields).map(
      ([name, value]) => `    ${name}=${indent(toLiteral(value, PYTHON_SPACES))},`,
    ),
    ")",
  ];
  return [
    "import os",
    "",
    "from anthropic import Anthropic",
    "",
    `client = Anthropic(base_url=${toLiteral(baseUrl)}, api_key=os.environ["${KEY_VARIABLE}"])`,
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

function toTypeScript({ baseUrl, request }: CodeOptions): string {
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

/** JSON is valid in both languages, because these requests contain no true, false or null. */
function toLiteral(value: unknown, spaces = 2): string {
  return JSON.stringify(value, null, spaces)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n    ");
}
