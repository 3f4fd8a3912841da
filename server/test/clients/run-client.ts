import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { readGuideSample, runGuideSample } from "#test/harness/guide-samples.ts";
import { temporaryFolder } from "#test/harness/server-process.ts";

const run = promisify(execFile);
/** Catches hangs. A test with a deadline measures the time itself. */
const CLIENT_MS = 90_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** Server and key of a client, passed in its environment. */
export interface Access {
  url: string;
  key: string;
  /** Variables of a client in the mode of a cloud platform, instead of the address and the key of the Claude API. */
  platform?: Record<string, string>;
}

/** Access of Claude Code in Bedrock mode, as in the guide "Amazon Bedrock". */
export function inBedrockMode({ url, key }: Access): Access {
  const platform = {
    CLAUDE_CODE_USE_BEDROCK: "1",
    CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1",
    ANTHROPIC_BEDROCK_BASE_URL: `${url}/bedrock`,
    AWS_REGION: "us-east-1",
    AWS_BEARER_TOKEN_BEDROCK: key,
  };
  return { url, key, platform };
}

/** Access of Claude Code in Vertex mode, as in the guide "Google Vertex AI". */
export function inVertexMode({ url, key }: Access): Access {
  const platform = {
    CLAUDE_CODE_USE_VERTEX: "1",
    CLAUDE_CODE_SKIP_VERTEX_AUTH: "1",
    ANTHROPIC_VERTEX_BASE_URL: `${url}/vertex/v1`,
    ANTHROPIC_VERTEX_PROJECT_ID: "any",
    CLOUD_ML_REGION: "global",
    ANTHROPIC_AUTH_TOKEN: key,
  };
  return { url, key, platform };
}

/** Access of Claude Code in Foundry mode, as in the guide "Microsoft Foundry". */
export function inFoundryMode({ url, key }: Access): Access {
  const platform = {
    CLAUDE_CODE_USE_FOUNDRY: "1",
    ANTHROPIC_FOUNDRY_BASE_URL: url,
    ANTHROPIC_FOUNDRY_API_KEY: key,
  };
  return { url, key, platform };
}

export interface ClientEnd {
  /** The folder that the client ran in. */
  folder: string;
  stdout: string;
  stderr: string;
  /** Exit code. Null after a signal. */
  code: number | null;
}

/** Runs a program of `programs/` in a new Node process. Returns the JSON that it prints last. */
export async function runProgram<Result>(
  access: Access,
  name: string,
  args: readonly string[] = [],
): Promise<Result> {
  const program = join(clientsFolder(), "programs", name);
  const { stdout, stderr, code } = await runClient(access, process.execPath, [program, ...args]);
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${stderr}${stdout}`);
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Result;
}

/** Runs Claude Code once, without a terminal. */
export function runClaudeCode(access: Access, args: readonly string[]): Promise<ClientEnd> {
  const claude = join(clientsFolder(), "node_modules", ".bin", "claude");
  return runClient(access, claude, ["-p", ...args]);
}

/** Runs the client in a new folder with a new home. No settings or credentials of the user apply. */
export async function runClient(
  { url, key, platform }: Access,
  program: string,
  args: readonly string[],
): Promise<ClientEnd> {
  const folder = await temporaryFolder();
  const env = {
    PATH: `${join(clientsFolder(), "node_modules", ".bin")}:${process.env["PATH"]}`,
    HOME: await temporaryFolder(),
    ...(platform ?? { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key }),
    // Prevents requests to other addresses than the base URL.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  };
  const options = { cwd: folder, env, timeout: CLIENT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  const running = run(program, [...args], options);
  running.child.stdin?.end();
  try {
    return { folder, code: 0, ...(await running) };
  } catch (error) {
    const { stdout = "", stderr = "", code } = error as Partial<ClientEnd>;
    if (typeof code === "string") throw error; // the program did not start
    return { folder, stdout, stderr, code: code ?? null };
  }
}

/** Runs the code of the page Connect for one client. Returns its output. `prelude` replaces commands. */
export async function runConnectSample(
  access: Access,
  client: string,
  prelude = "",
): Promise<string> {
  const folder = clientsFolder();
  return runGuideSample(readGuideSample(client, access), {
    // Programs find the packages in the folder above.
    folder: await mkdtemp(join(folder, "sample-")),
    env: {
      PATH: `${join(folder, "node_modules", ".bin")}:${process.env["PATH"]}`,
      HOME: await temporaryFolder(),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
    prelude,
  });
}

/** The folder that `install.mjs` filled. */
export function clientsFolder(): string {
  const folder = process.env["BURSAR_TEST_CLIENTS"];
  if (folder !== undefined && existsSync(folder)) return folder;
  throw new Error(
    "BURSAR_TEST_CLIENTS is the folder of the clients: run server/test/clients/install.mjs <folder> first",
  );
}
