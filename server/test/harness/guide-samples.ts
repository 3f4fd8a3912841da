import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./server-process.ts";

// The code of docs/guides/connect.md, which is the code of the page Connect. A test of the console compares both.

const GUIDE = join(root, "docs/guides/connect.md");
const ADDRESS = "https://bursar.example.com";
const KEY = "sk-ant-api03-…";

interface GuideSample {
  /** Lines for a terminal: packages, variables, and the call of a client without a program. */
  terminal: string;
  /** Null: a client without a program. */
  program: { name: string; command: string; text: string } | null;
}

/** Returns the code of one heading, with the address and the key of a server. */
export function readGuideSample(
  heading: string,
  { url, key }: { url: string; key: string },
): GuideSample {
  const section = readFileSync(GUIDE, "utf8")
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${GUIDE} has no heading ${heading}`);
  const blocks = [...section.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, text = ""]) =>
    text.replaceAll(ADDRESS, url).replaceAll(KEY, key),
  );
  const [, name = "", command = ""] =
    /as \*\*([^*]+)\*\*, and run \*\*([^*]+)\*\*/.exec(section) ?? [];
  const [terminal = "", text] = blocks;
  return { terminal, program: text === undefined ? null : { name, command, text } };
}

const run = promisify(execFile);
/** Catches hangs only. */
const RUN_MS = 90_000;
/** The packages are installed already. */
const INSTALLED = "npm() { :; }\npip() { :; }\n";

/** Runs the sample in a folder, as a reader does. `prelude` replaces commands. Returns the output. */
export async function runGuideSample(
  { terminal, program }: GuideSample,
  options: { folder: string; env: NodeJS.ProcessEnv; prelude?: string },
): Promise<string> {
  const { folder, env, prelude = "" } = options;
  if (program) await writeFile(join(folder, program.name), program.text);
  const script = `set -e\n${INSTALLED}${prelude}${terminal}\n${program?.command ?? ""}`;
  const running = run("sh", ["-c", script], { cwd: folder, env, timeout: RUN_MS });
  running.child.stdin?.end();
  return (await running).stdout;
}
