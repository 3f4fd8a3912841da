import { execFile } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { vi } from "vitest";
import { run } from "#src/cli/program.ts";
import type { Terminal } from "#src/cli/terminal.ts";
import { root } from "./server-process.ts";

interface RunOptions {
  env: Record<string, string>;
  /** Standard input. */
  input?: string;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `./bursar` as a process without a terminal. */
export function spawnBursar(
  args: readonly string[],
  { env, input = "" }: RunOptions,
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd: root, env };
    const finish = (error: Error | null, stdout: string, stderr: string) =>
      resolve({
        code: error === null ? 0 : Number((error as { code?: number }).code),
        stdout,
        stderr,
      });
    const child = execFile(process.execPath, ["bursar", ...args], options, finish);
    child.stdin?.end(input);
  });
}

/**
 * Runs a command of `./bursar` in this process, without a terminal. A process costs 0.3 s of CPU time. Commands run one
 * after the other. A report on standard output needs `spawnBursar`, because this function captures only text.
 */
export async function runBursar(
  args: readonly string[],
  { env, input = "" }: RunOptions,
): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const terminal: Terminal = {
    isOutput: false,
    isInput: false,
    columns: 80,
    print: (text) => {
      stdout += `${text}\n`;
    },
    note: (text) => {
      stderr += `${text}\n`;
    },
    ask: () => Promise.reject(new Error("no person answers")),
    askSecret: () => Promise.reject(new Error("no person answers")),
    readInput: async () => input,
  };
  const { exitCode } = process;
  process.exitCode = undefined;
  const spies = [
    vi.spyOn(console, "log").mockImplementation(terminal.print),
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      stdout += text;
      return true;
    }),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      stderr += text;
      return true;
    }),
  ];
  try {
    const code = await run({ env, terminal, nowMs: () => Date.now() }, args);
    // Colors depend on the variables of the test run.
    return {
      code,
      stdout: stripVTControlCharacters(stdout),
      stderr: stripVTControlCharacters(stderr),
    };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = exitCode;
  }
}
