import type { MessageRequest } from "./message-request.ts";
import {
  BEDROCK,
  KEY_VARIABLE,
  quoteForShell,
  quoteWhereNeeded,
  TOKEN_VARIABLE,
  toExports,
  toVariables,
  URL_VARIABLE,
  VERTEX,
} from "./variables.ts";
import { type Program, programs } from "./write-program.ts";

// One Messages request in the code of each client. All text is quoted, so that no shell or language runs it as code.

/** Clients that need no other API. */
export const usualClients = [
  "Claude Code",
  "Python",
  "TypeScript",
  "curl",
  "Vercel AI",
  "LangChain",
  "LangChain.js",
] as const;
export const clients = [
  ...usualClients,
  "OpenAI Python",
  "OpenAI TypeScript",
  "Claude Code in Bedrock mode",
  "Python in Bedrock mode",
  "Claude Code in Vertex mode",
  "Python in Vertex mode",
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
    case "Claude Code in Bedrock mode":
      return [{ file: null, text: writeClaudeCodeMode("BEDROCK", BEDROCK, options) }];
    case "Claude Code in Vertex mode":
      return [{ file: null, text: writeClaudeCodeMode("VERTEX", VERTEX, options) }];
    default: {
      const { language, write } = programs[client];
      return [
        { file: null, text: writeInstall(programs[client], options) },
        { file: files[language], text: write(options) },
      ];
    }
  }
}

function writeInstall(program: Program, { baseUrl, secret }: CodeOptions): string {
  const variables = secret === null ? [] : [program.toVariables(baseUrl, secret)];
  return [program.install, ...variables].join("\n");
}

function writeClaudeCode({ baseUrl, secret, request, hasFixedModel }: CodeOptions): string {
  const token = secret === null ? `"$${KEY_VARIABLE}"` : quoteWhereNeeded(secret);
  return [
    INSTALL_CLAUDE_CODE,
    toExports([[URL_VARIABLE, baseUrl]]),
    `export ${TOKEN_VARIABLE}=${token}`,
    writeStart(request, hasFixedModel),
  ].join("\n");
}

const INSTALL_CLAUDE_CODE = "npm install --global @anthropic-ai/claude-code";

/** Claude Code sends the key of this server in place of a platform's own authentication. */
function writeClaudeCodeMode(
  mode: "BEDROCK" | "VERTEX",
  api: typeof BEDROCK,
  { baseUrl, secret, request, hasFixedModel }: CodeOptions,
): string {
  return [
    INSTALL_CLAUDE_CODE,
    toExports([
      [`CLAUDE_CODE_USE_${mode}`, "1"],
      [`CLAUDE_CODE_SKIP_${mode}_AUTH`, "1"],
    ]),
    api.toVariables(baseUrl, secret ?? KEY_PLACEHOLDER),
    writeStart(request, hasFixedModel),
  ].join("\n");
}

function writeStart({ model }: MessageRequest, hasFixedModel: boolean | undefined): string {
  return hasFixedModel ? `claude --model ${quoteWhereNeeded(model)}` : "claude";
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
