import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeLoginSettings } from "@bursar/contract/claude-code-file.ts";
import { temporaryFolder } from "#test/harness/server-process.ts";
import { type ClientTerminal, openTerminal } from "./client-terminal.ts";
import { clientsFolder } from "./run-client.ts";

// A developer's machine, whose file names the gateway of the company. Claude Code reads that file below /etc only. So each run of
// the client has its own view of /etc, with the file in a layer above the real one, which stays unchanged.

const run = promisify(execFile);
const CLIENT_MS = 60_000;
const MOUNT = 'mount -t overlay overlay -o lowerdir="$0":/etc /etc && exec "$@"';

/** Sign-in in the store of the client. Times in milliseconds since the epoch. */
export interface StoredSignIn {
  url: string;
  jwt: string;
  expiresAt: number;
  tokenEndpoint: string;
  revocationEndpoint: string;
  idpRefreshToken: string;
  email?: string;
}

export interface PrintedTurn {
  code: number | null;
  /** Output of the client, also after a failure. */
  text: string;
  /** Its result, with `--output-format json`. */
  json: {
    result: string;
    session_id: string;
    total_cost_usd: number;
    is_error: boolean;
  } | null;
}

export interface Machine {
  /** Starts an interactive session. */
  open(args?: readonly string[]): ClientTerminal;
  /** Runs the client to its end. */
  run(args: readonly string[]): Promise<PrintedTurn>;
  /** Runs one turn without a terminal: `claude -p`. */
  print(prompt: string, args?: readonly string[]): Promise<PrintedTurn>;
  readSignIn(): Promise<StoredSignIn | null>;
  writeSignIn(signIn: StoredSignIn): Promise<void>;
  /** Reads a JSON file below the client's folder in the home. Null: there is none. */
  readFile(name: string): Promise<Record<string, unknown> | null>;
}

/** Makes a machine whose user has started the client before. `gatewayUrl`: the address in the file of the machine. */
export async function makeMachine(gatewayUrl: string): Promise<Machine> {
  const [etc, home, cwd] = [
    await temporaryFolder(),
    await temporaryFolder(),
    await temporaryFolder(),
  ];
  await mkdir(join(etc, "claude-code"));
  await writeJson(join(etc, "claude-code/managed-settings.json"), {
    ...makeLoginSettings(gatewayUrl),
  });
  await mkdir(join(home, ".claude"));
  await writeJson(join(home, ".claude.json"), {
    hasCompletedOnboarding: true,
    theme: "dark",
    projects: { [cwd]: { hasTrustDialogAccepted: true } },
  });
  const claude = join(clientsFolder(), "node_modules/.bin/claude");
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const makeCommand = (args: readonly string[]): [string, ...string[]] => [
    "unshare",
    ...["--mount", ...asRoot, "sh", "-c", MOUNT, etc, claude, ...args],
  ];
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    // Prevents requests to other addresses than the gateway. CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC would also prevent the
    // request for a title, and the first one of a session, which asks for the limits.
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
  };
  const credentials = join(home, ".claude/.credentials.json");

  async function runToEnd(args: readonly string[]): Promise<PrintedTurn> {
    const [program, ...words] = makeCommand(args);
    const running = run(program, words, { cwd, env, timeout: CLIENT_MS });
    running.child.stdin?.end();
    const { stdout, stderr, code } = await running.then(
      (printed) => ({ ...printed, code: 0 }),
      (error: { stdout: string; stderr: string; code: number | null }) => error,
    );
    return { code, text: stdout + stderr, json: parseResult(stdout) };
  }

  return {
    open: (args = []) =>
      openTerminal({ packages: clientsFolder(), command: makeCommand(args), cwd, env }),
    run: runToEnd,
    print: (prompt, args = []) => runToEnd(["-p", prompt, "--output-format", "json", ...args]),
    readSignIn: async () =>
      ((await readJson(credentials))?.["enterpriseGateway"] as StoredSignIn | undefined) ?? null,
    writeSignIn: async (signIn) =>
      writeJson(credentials, {
        gatewayTrust: { [new URL(gatewayUrl).hostname]: "http-loopback" },
        enterpriseGateway: signIn,
      }),
    readFile: (name) => readJson(join(home, ".claude", name)),
  };
}

function parseResult(printed: string): PrintedTurn["json"] {
  try {
    return JSON.parse(printed) as PrintedTurn["json"];
  } catch {
    return null;
  }
}

async function readJson(path: string): Promise<Record<string, unknown> | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, JSON.stringify(value), { mode: 0o600 });
}
