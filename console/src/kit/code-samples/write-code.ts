import type { MessageRequest } from "./message-request.ts";
import {
  KEY_VARIABLE,
  quoteForShell,
  quoteWhereNeeded,
  TOKEN_VARIABLE,
  toExports,
  toVariables,
  URL_VARIABLE,
} from "./variables.ts";
import { programs } from "./write-program.ts";

// One Messages request in the code of each client. All text is quoted, so that no shell or language runs it as code.

export const clients = [
  "Claude Code",
  "Python",
  "TypeScript",
  "curl",
  "Vercel AI",
  "LangChain",
  "LangChain.js",
] as const;
export type Client = (typeof clients)[number];

/** Stands for the reader's key in a sample. */
export const KEY_PLACEHOLDER = "sk-ant-api03-…";

export interface CodeBlockText {
  /** File for the text, with the command that runs it. Null: the text is for a terminal. */
  file: { name: string; command: string } | null;
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

const files = {
  Python: { name: "hello.py", command: "python hello.py" },
  TypeScript: { name: "hello.mts", command: "node hello.mts" },
} as const;

/** Code blocks for one client, in order. */
export function writeCode(client: Client, options: CodeOptions): readonly CodeBlockText[] {
  switch (client) {
    case "Claude Code":
      return [{ file: null, text: writeClaudeCode(options) }];
    case "curl":
      return [{ file: null, text: writeCurl(options) }];
    default: {
      const { install, language, write } = programs[client];
      return [
        { file: null, text: writeInstall(install, options) },
        { file: files[language], text: write(options) },
      ];
    }
  }
}

function writeInstall(install: string, { baseUrl, secret }: CodeOptions): string {
  return [install, ...(secret === null ? [] : [toVariables(baseUrl, secret)])].join("\n");
}

function writeClaudeCode({ baseUrl, secret, request, hasFixedModel }: CodeOptions): string {
  const token = secret === null ? `"$${KEY_VARIABLE}"` : quoteWhereNeeded(secret);
  return [
    "npm install --global @anthropic-ai/claude-code",
    toExports([[URL_VARIABLE, baseUrl]]),
    `export ${TOKEN_VARIABLE}=${token}`,
    hasFixedModel ? `claude --model ${quoteWhereNeeded(request.model)}` : "claude",
  ].join("\n");
}

function writeCurl({ baseUrl, secret, request }: CodeOptions): string {
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
