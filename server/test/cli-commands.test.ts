import { writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { renderCommandExamples, renderCommandReference } from "#src/cli/command-reference.ts";
import { complete } from "#src/cli/completion.ts";
import { makeProgram } from "#src/cli/program.ts";
import { listRouteCommands, nameOf } from "#src/cli/route-commands.ts";
import type { Terminal } from "#src/cli/terminal.ts";
import { NOW_MS, recordCommands } from "./harness/recorded-commands.ts";

// All commands derived from the contract: their help, the requests of their examples, and the guides that list them. For what
// single commands do see command-runs.test.ts.

const guides = join(import.meta.dirname, "../../docs/guides");
const cli = recordCommands();

/** Splits an example into words, as a shell does. Files are those of this test. */
function wordsOf(example: string): string[] {
  const words = [...example.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, word]) => quoted ?? word ?? "",
  );
  return words.map((word, i) => {
    if (words[i - 1] === "--output") return join(cli.folder, `report-${cli.asked.length}-${word}`);
    if (word.startsWith("@./")) return `@${writeJson(word)}`;
    return word.startsWith("./") ? join(cli.folder, "secret") : word;
  });
}

/** Writes an empty file of headers, or an empty list. */
function writeJson(word: string): string {
  const path = join(cli.folder, word.slice("@./".length));
  writeFileSync(path, word.includes("headers") ? "{}" : "[]");
  return path;
}

const everything = await makeProgram(
  { env: {}, nowMs: () => NOW_MS, terminal: {} as Terminal },
  "all",
);

/** Lists every command with an action, by its words. */
function leavesOf(command: Command, path: readonly string[] = []): [string, Command][] {
  const visible = command.commands.filter((each) => each.name() !== "complete");
  if (visible.length === 0) return [[path.join(" "), command]];
  return visible.flatMap((each) => leavesOf(each, [...path, each.name()]));
}

const leaves = leavesOf(everything);

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

test("the program has every command of the contract", () => {
  expect(leaves.map(([name]) => name)).toEqual(
    expect.arrayContaining(listRouteCommands().map(nameOf)),
  );
  expect(leaves.length).toBeGreaterThan(40);
});

describe("the help of every command states its effect and has an example", () => {
  test.each(leaves)("%s", (name, command) => {
    const help = helpOf(command);
    expect(help).toContain(`Usage: bursar ${name.split(" ")[0]}`);
    expect(command.description().length).toBeGreaterThan(5);
    expect(help).toMatch(
      new RegExp(`Examples:\n( {2}\\S.*\n)* {2}.*bursar .*${name.split(" ")[0]}`),
    );
    expect(help).not.toMatch(/undefined|\[object/);
  });
});

const commands = new Map(listRouteCommands().map((command) => [nameOf(command), command]));
const examples = [...commands].flatMap(([name]) => {
  const help = helpOf(leaves.find(([leaf]) => leaf === name)?.[1] as Command);
  const [, block = ""] = /Examples:\n((?: {2}\S.*\n)+)/.exec(help) ?? [];
  return block
    .trimEnd()
    .split("\n")
    .map((line) => [line.trim().replace(/^bursar /, ""), name] as const);
});

describe("every example sends a request that the contract accepts", () => {
  test.each(examples)("%s", async (example, name) => {
    const command = commands.get(name);
    const ran = await cli.bursar(wordsOf(example));
    expect(ran.notes.replace("No entries.", "")).toBe("");
    expect(ran.code).toBe(0);
    const call = cli.asked.at(-1);
    expect(call?.method).toBe(command?.route.method);
    expect(call?.path).toMatch(
      new RegExp(`^${command?.route.path.replaceAll(/\{\w+\}/g, "[a-zA-Z0-9_-]+")}$`),
    );
    const { query, body } = command?.route ?? {};
    if (query) expect(query.safeParse(call?.query)).toMatchObject({ success: true });
    if (body) expect(body.safeParse(JSON.parse(call?.body ?? ""))).toMatchObject({ success: true });
    else expect(call?.body).toBe("");
  });
});

/** Lists the commands in the blocks of a guide for a terminal, as words after `bursar`. */
function listGuideCommands(text: string): string[][] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  const lines = blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n"));
  return lines.flatMap((line) => {
    const withDate = line.replaceAll("$(date +%F)", "2026-11-30");
    const [, command] = /(?:^|[\s(])\.\/bursar ([^#|)]*)/.exec(withDate) ?? [];
    const words = command?.matchAll(/(["'])(.*?)\1|(\S+)/g) ?? [];
    return command === undefined
      ? []
      : [[...words].map(([, , quoted, word]) => quoted ?? word ?? "")];
  });
}

/** True if the words name a command, with its options and no wrong number of arguments. */
function isCommand(words: readonly string[]): boolean {
  const { operands, unknown } = everything.parseOptions([...words]);
  let command: Command = everything;
  let rest = [...operands, ...unknown];
  for (;;) {
    const next = command.commands.find((each) => each.name() === rest[0]);
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  // A group can have a default command, such as `usage`.
  const isDefault = command.commands.length > 0 && rest[0]?.startsWith("-") === true;
  const candidates = isDefault ? [command, ...command.commands] : [command];
  return command !== everything && candidates.some((each) => accepts(each, rest));
}

function accepts(command: Command, words: readonly string[]): boolean {
  const { operands, unknown } = command.parseOptions([...words]);
  const known = command.registeredArguments;
  const isEnough = operands.length >= known.filter((each) => each.required).length;
  const isFew = operands.length <= known.length || known.some((each) => each.variadic);
  return unknown.length === 0 && isEnough && isFew;
}

test("each command in a guide exists, with its options", async () => {
  const files = (await readdir(guides)).filter((file) => file !== "commands.md");
  const texts = await Promise.all(files.map((file) => readFile(join(guides, file), "utf8")));
  const all = texts.flatMap(listGuideCommands);
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((words) => !isCommand(words)).map((words) => words.join(" "))).toEqual([]);
  expect(isCommand(["upstreams", "test"])).toBe(false);
  expect(isCommand(["upstreams", "test", "Main", "--unknown"])).toBe(false);
});

describe("completion", () => {
  test.each([
    [["spend-limits"], ["spend-limits"]],
    [["keys", "ro"], ["rotate"]],
    [["api-keys", "list", "--stat"], ["--status"]],
    [
      ["api-keys", "list", "--format", "j"],
      ["json", "jsonl"],
    ],
    [["workspaces", "list", "--prof"], ["--profile"]],
    [["nonsense", "xyz"], []],
  ])("%j", (words, expected) => {
    expect(complete(everything, words)).toEqual(expected);
  });

  test("offers no secret command", () => {
    expect(complete(everything, [""])).not.toContain("complete");
  });
});

describe("the guides", () => {
  test("list every command of a route (refresh: npx vitest run server/test/cli-commands --update)", async () => {
    await expect(renderCommandReference()).toMatchFileSnapshot(join(guides, "commands.md"));
  });

  test("have the same examples as the reference page (refresh as above)", async () => {
    const file = join(guides, "../../console/build/commands.json");
    await expect(renderCommandExamples()).toMatchFileSnapshot(file);
  });

  test("name every other command", async () => {
    const guide = await readFile(join(guides, "command-line.md"), "utf8");
    const made = new Set(commands.keys());
    const own = leaves.map(([name]) => name).filter((name) => !made.has(name));
    expect(own.filter((name) => !guide.includes(`\`${name}`))).toEqual([]);
  });

  test("name only existing commands", async () => {
    const names = new Set(everything.commands.flatMap((each) => [each.name(), ...each.aliases()]));
    const wrong: string[] = [];
    for (const file of (await readdir(guides)).filter((name) => name.endsWith(".md"))) {
      const text = await readFile(join(guides, file), "utf8");
      for (const [line, word = ""] of text.matchAll(/\.\/bursar (?:--\S+ (?:\S+ )?)?([a-z-]+)/g)) {
        if (!names.has(word)) wrong.push(`${file}: ${line}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
