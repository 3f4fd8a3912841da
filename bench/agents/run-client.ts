import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CLIENT_MS = 120_000;

export interface ClientEnd {
  stdout: string;
  stderr: string;
  /** Null after a signal. */
  code: number | null;
}

/** Runs the real Claude Code once, in a new folder with a new home. `clients`: the folder of `server/test/clients/install.mjs`. */
export async function runClaude(
  clients: string,
  access: { url: string; key: string },
  args: readonly string[],
): Promise<ClientEnd> {
  const folder = mkdtempSync(join(tmpdir(), "bursar-claude-"));
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    ANTHROPIC_BASE_URL: access.url,
    ANTHROPIC_API_KEY: access.key,
    // Prevents requests to other addresses than the base URL.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  };
  const claude = join(clients, "node_modules", ".bin", "claude");
  const running = run(claude, [...args], { cwd: folder, env, timeout: CLIENT_MS });
  running.child.stdin?.end();
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    const { stdout = "", stderr = "", code } = error as Partial<ClientEnd>;
    if (typeof code === "string") throw error; // the program did not start
    return { stdout, stderr, code: code ?? null };
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
