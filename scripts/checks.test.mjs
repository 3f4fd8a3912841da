import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireTestProject } from "../server/test/harness/test-project.ts";
import { CACHE_FOLDER } from "./check-cache.mjs";
import { checks, runCheck } from "./checks.mjs";
import { root as repository } from "./runtime.mjs";

requireTestProject("product");

// The compiler and the search for dead code have their own caches. A small project uses the same commands and
// settings.

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "checks-"));
  mkdirSync(join(root, "node_modules"));
  for (const name of readdirSync(join(repository, "node_modules"))) {
    if (name.startsWith(".")) continue;
    symlinkSync(join(repository, "node_modules", name), join(root, "node_modules", name));
  }
  write("package.json", '{"name":"small","type":"module","main":"server/main.ts"}');
  writeJson("base.json", { extends: join(repository, "tsconfig.json") });
  writeJson("tsconfig.json", {
    extends: "./base.json",
    compilerOptions: {
      types: [],
      tsBuildInfoFile: `${CACHE_FOLDER}/types.tsbuildinfo`,
    },
    include: ["server"],
  });
  writeJson("knip.json", { ignoreExportsUsedInFile: true, project: ["server/**"] });
  write("server/rate.ts", RATE);
  write("server/cost.ts", 'import { rate } from "./rate.ts";\nexport const cost = () => rate();\n');
  write("server/main.ts", USES_COST);
});
afterEach(() => rmSync(root, { recursive: true }));

const USES_COST =
  'import { cost } from "./cost.ts";\nexport function main(): number {\n  return cost();\n}\n';
const RATE = "export const rate = (): number => 3;\n";
const RATE_AS_TEXT = 'export const rate = (): string => "3";\n';

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function writeJson(path, value) {
  write(path, JSON.stringify(value));
}

async function run(name) {
  const check = checks.find((check) => check.name === name);
  const { status, output } = await runCheck(root, check);
  return { isPassed: status === 0, output };
}

function breakCaches() {
  const entries = readdirSync(join(root, CACHE_FOLDER), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) writeFileSync(join(parentPath, name), '{"version":');
  return files.length;
}

describe("types, after a run that passed", () => {
  beforeEach(async () => {
    expect(await run("types")).toEqual({ isPassed: true, output: "" });
  });

  test("finds an error in a changed file, also in the next run", async () => {
    write("server/main.ts", `${USES_COST}export const wrong: string = main();\n`);
    for (const attempt of [1, 2]) {
      const { isPassed, output } = await run("types");
      expect([attempt, isPassed]).toEqual([attempt, false]);
      expect(output).toContain("server/main.ts");
    }
    write("server/main.ts", USES_COST);
    expect((await run("types")).isPassed).toBe(true);
  });

  test("finds an error in a file that imports the changed one indirectly", async () => {
    write("server/rate.ts", RATE_AS_TEXT);
    expect((await run("types")).output).toContain("server/main.ts");
  });

  test("finds the import of a removed file", async () => {
    rmSync(join(root, "server/rate.ts"));
    expect((await run("types")).output).toContain("server/cost.ts");
  });

  test("finds an error after a setting became stricter", async () => {
    const setUnusedLocals = (noUnusedLocals) =>
      writeJson("base.json", {
        extends: join(repository, "tsconfig.json"),
        compilerOptions: { noUnusedLocals },
      });
    setUnusedLocals(false);
    write("server/rate.ts", `const unused = 1;\n${RATE}`);
    expect((await run("types")).isPassed).toBe(true);
    setUnusedLocals(true);
    expect((await run("types")).output).toContain("server/rate.ts");
  });

  test("finds an error when its cache is broken", async () => {
    expect(breakCaches()).toBe(1);
    write("server/rate.ts", RATE_AS_TEXT);
    expect((await run("types")).output).toContain("server/main.ts");
  });
});

describe("dead code, after a run that passed", () => {
  beforeEach(async () => {
    expect(await run("dead code")).toEqual({ isPassed: true, output: "" });
  });

  test("finds an export whose last user was removed", async () => {
    write("server/cost.ts", 'import "./rate.ts";\nexport const cost = () => 3;\n');
    const { isPassed, output } = await run("dead code");
    expect(isPassed).toBe(false);
    expect(output).toMatch(/^rate +server\/rate.ts/m);
  });

  test("finds an unused new export and an unused new file", async () => {
    write("server/cost.ts", "export const cost = () => 3;\nexport const price = 1;\n");
    write("server/extra.ts", "export const extra = 1;\n");
    const { output } = await run("dead code");
    expect(output).toContain("price");
    expect(output).toContain("server/extra.ts");
  });

  test("finds dead code when its caches are broken", async () => {
    expect(breakCaches()).toBeGreaterThan(0);
    expect((await run("dead code")).isPassed).toBe(true);
    breakCaches();
    write("server/extra.ts", "export const extra = 1;\n");
    expect((await run("dead code")).output).toContain("server/extra.ts");
  });
});
