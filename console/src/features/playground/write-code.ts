import type { MessageRequest } from "./message-request.ts";

// The same call as a program makes it. What a person wrote stands in it as data: quoted so that no shell and no language
// reads it as anything else.

export const languages = ["curl", "Python", "TypeScript"] as const;
export type Language = (typeof languages)[number];

const KEY_VARIABLE = "ANTHROPIC_API_KEY";

export function codeFor(language: Language, origin: string, request: MessageRequest): string {
  switch (language) {
    case "curl":
      return toCurl(origin, request);
    case "Python":
      return toPython(origin, request);
    case "TypeScript":
      return toTypeScript(origin, request);
  }
}

function toCurl(origin: string, request: MessageRequest): string {
  return [
    `curl ${request.stream ? "--no-buffer " : ""}${origin}/v1/messages \\`,
    `  -H "x-api-key: $${KEY_VARIABLE}" \\`,
    "  -H 'anthropic-version: 2023-06-01' \\",
    "  -H 'content-type: application/json' \\",
    `  -d ${quoteForShell(JSON.stringify(request, null, 2))}`,
  ].join("\n");
}

/** In single quotes a shell reads nothing but the quote itself. */
function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function toPython(origin: string, request: MessageRequest): string {
  const { stream, ...fields } = request;
  const call = [
    ...Object.entries(fields).map(([name, value]) => `    ${name}=${indent(toLiteral(value))},`),
    ")",
  ];
  return [
    "import os",
    "",
    "from anthropic import Anthropic",
    "",
    `client = Anthropic(base_url=${toLiteral(origin)}, api_key=os.environ["${KEY_VARIABLE}"])`,
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

function toTypeScript(origin: string, request: MessageRequest): string {
  const { stream, ...fields } = request;
  const body = toLiteral(fields);
  return [
    'import Anthropic from "@anthropic-ai/sdk";',
    "",
    "const client = new Anthropic({",
    `  baseURL: ${toLiteral(origin)},`,
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

/** JSON is a literal of both languages where there is no true, false and null, of which a request here has none. */
function toLiteral(value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n    ");
}
