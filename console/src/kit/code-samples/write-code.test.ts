import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { clientPages, findClientAddress } from "./client-pages.ts";
import { findUsableModel, makeFirstRequest } from "./first-request.ts";
import { writeSettings } from "./key-store.ts";
import { toVariables } from "./variables.ts";
import { type Client, clients, KEY_PLACEHOLDER, writeCode } from "./write-code.ts";

const BASE_URL = "https://bursar.example.com";
const SECRET = "sk-ant-api03-abc_DEF-123";

const ask = (content: string) =>
  ({ ...makeFirstRequest(), messages: [{ role: "user", content }] }) as const;
const programs = clients.filter((client) => !client.startsWith("Claude Code") && client !== "curl");
const textOf = (client: Client, secret: string | null, request = makeFirstRequest()) =>
  writeCode(client, { baseUrl: BASE_URL, secret, request })
    .map(({ text }) => text)
    .join("\n");

test("variables set the address and the key together", async () => {
  const script = `${toVariables(BASE_URL, SECRET)}\necho "$ANTHROPIC_BASE_URL $ANTHROPIC_API_KEY"`;
  expect(await runShell(script)).toBe(`${BASE_URL} ${SECRET}\n`);
});

test("variables quote special characters of an address", async () => {
  const address = "http://[::1]:8484/it's $HOME";
  const script = `${toVariables(address, SECRET)}\nprintf %s "$ANTHROPIC_BASE_URL"`;
  expect(await runShell(script)).toBe(address);
});

test.each(clients)("the sample for %s sets the address, with and without a key", (client) => {
  const code = textOf(client, SECRET);
  expect(code).toContain(SECRET);
  expect(code.split("\n").find((line) => line.includes("BASE_URL"))).toBe(addressLineOf(client));
  expect(textOf(client, null)).not.toContain(SECRET);
  expect(textOf(client, null)).toContain(BASE_URL);
});

function addressLineOf(client: Client): string {
  if (client.startsWith("OpenAI")) return `export OPENAI_BASE_URL=${BASE_URL}/v1`;
  if (client.endsWith("Bedrock mode"))
    return `export ANTHROPIC_BEDROCK_BASE_URL=${BASE_URL}/bedrock`;
  if (client.endsWith("Vertex mode"))
    return `export ANTHROPIC_VERTEX_BASE_URL=${BASE_URL}/vertex/v1`;
  return `export ANTHROPIC_BASE_URL=${BASE_URL}`;
}

test.each(programs)(
  "the program for %s has the model, the system prompt and a stream",
  (client) => {
    const request = { ...makeFirstRequest(), system: "Be brief." };
    expect(textOf(client, null, request)).toContain("claude-sonnet-5");
    expect(textOf(client, null, request)).toContain('"Be brief."');
    expect(textOf(client, null, { ...request, stream: true })).toMatch(/stream/i);
    expect(textOf(client, null, request)).not.toMatch(/stream/i);
  },
);

test.each(clients)("the guide has the code for %s", (client) => {
  const guide = readFileSync(
    new URL("../../../../docs/guides/connect.md", import.meta.url),
    "utf8",
  );
  const options = { baseUrl: BASE_URL, secret: KEY_PLACEHOLDER, request: makeFirstRequest() };
  for (const { file, text } of writeCode(client, options)) {
    expect(guide).toContain(`\n${text}\n\`\`\`\n`);
    if (file)
      expect(guide).toContain(
        `Save this program as **${file.name}**, and run **${file.command}**:`,
      );
  }
});

test("each client is on one tab, and each tab has an address of its own", () => {
  expect(clientPages.flatMap((page) => page.clients ?? [])).toEqual([...clients]);
  expect(new Set(clientPages.map(findClientAddress)).size).toBe(11);
});

test.each([
  [
    "Claude Code in Bedrock mode",
    [
      ...["CLAUDE_CODE_USE_BEDROCK=1", "CLAUDE_CODE_SKIP_BEDROCK_AUTH=1"],
      ...[`ANTHROPIC_BEDROCK_BASE_URL=${BASE_URL}/bedrock`, "AWS_REGION=us-east-1"],
      `AWS_BEARER_TOKEN_BEDROCK=${SECRET}`,
    ],
  ],
  [
    "Claude Code in Vertex mode",
    [
      ...["CLAUDE_CODE_USE_VERTEX=1", "CLAUDE_CODE_SKIP_VERTEX_AUTH=1"],
      `ANTHROPIC_VERTEX_BASE_URL=${BASE_URL}/vertex/v1`,
      ...["ANTHROPIC_VERTEX_PROJECT_ID=any", "CLOUD_ML_REGION=global"],
      `ANTHROPIC_AUTH_TOKEN=${SECRET}`,
    ],
  ],
] as const)("%s gets the key of this server, and no authentication of its own", (client, lines) => {
  const exports = textOf(client, SECRET).split("\n").slice(1, -1);
  expect(exports).toEqual(lines.map((line) => `export ${line}`));
});

test("Claude Code gets the token variable, and a model if it is fixed", () => {
  const options = { baseUrl: BASE_URL, secret: SECRET, request: makeFirstRequest() };
  const variables = `export ANTHROPIC_BASE_URL=${BASE_URL}\nexport ANTHROPIC_AUTH_TOKEN=${SECRET}`;
  const install = "npm install --global @anthropic-ai/claude-code";
  expect(writeCode("Claude Code", options).map(({ text }) => text)).toEqual([
    `${install}\n${variables}\nclaude`,
  ]);
  const [fixed] = writeCode("Claude Code", { ...options, hasFixedModel: true });
  expect(fixed?.text.split("\n").at(-1)).toBe("claude --model claude-sonnet-5");
});

test("Claude Code reads a stored key with the settings' command", () => {
  const settings: unknown = JSON.parse(writeSettings("macOS", BASE_URL));
  expect(settings).toEqual({
    apiKeyHelper: 'security find-generic-password -s bursar -a "$USER" -w',
    env: { ANTHROPIC_BASE_URL: BASE_URL },
  });
});

test("a shell passes any message to curl unchanged", async () => {
  const prompts = ["it's", '$HOME `id` \\ "', "''';rm -rf /tmp/nothing'", "line\nline\t%s"];
  for (const content of prompts) {
    const request = ask(content);
    for (const secret of [null, SECRET]) {
      // A function in place of curl prints its last argument.
      const print = 'curl() { for argument; do :; done; printf %s "$argument"; }\n';
      const stdout = await runShell(print + textOf("curl", secret, request));
      expect(JSON.parse(stdout)).toEqual(request);
    }
  }
});

test("a message is one literal with the same text in each program", () => {
  const content = 'a "quoted" \\ text\u2028 of {two} lines\n';
  for (const language of programs) {
    const code = textOf(language, null, ask(content));
    const literal = /"content": (".*")/.exec(code)?.[1] ?? "";
    expect(JSON.parse(literal)).toBe(content);
    expect(code).not.toContain("\u2028");
  }
});

test.each([
  [null, "claude-sonnet-5"],
  [["claude-sonnet-*", "claude-haiku-4-5"], "claude-sonnet-5"],
  [["claude-opus-*", "claude-haiku-4-5"], "claude-haiku-4-5"],
  [["claude-opus-*"], null],
])("with the allowed models %j, samples use %s", (allowed, model) => {
  expect(findUsableModel([allowed])).toBe(model);
});

test("with a prefix alone, samples use a known model of it", () => {
  const known = ["claude-opus-4-5", "claude-haiku-4-5", "claude-haiku-3-5"];
  expect(findUsableModel([["claude-haiku-*"]], known)).toBe("claude-haiku-4-5");
  expect(findUsableModel([["claude-fable-*"]], known)).toBeNull();
});

test("a sample model is in the lists of the key and of the owner's groups", () => {
  const known = ["claude-opus-5", "claude-haiku-4-5"];
  expect(findUsableModel([null, ["claude-haiku-*"]], known)).toBe("claude-haiku-4-5");
  expect(findUsableModel([["claude-*"], ["claude-opus-5"]])).toBe("claude-opus-5");
  expect(findUsableModel([["claude-opus-*"], ["claude-haiku-*"]], known)).toBeNull();
});

async function runShell(script: string): Promise<string> {
  return (await promisify(execFile)("sh", ["-c", script])).stdout;
}
