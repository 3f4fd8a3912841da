import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

// Finds the test project of each test file, for vitest.config.ts. Modules that need one call `requireTestProject` in
// test-project.ts. A test file belongs to the highest project that it, or a test module that it loads, requires.

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Each project offers what the projects before it offer. */
const PROJECTS = ["pure", "database", "product"] as const;
export type TestProjectName = (typeof PROJECTS)[number];

const FOLDERS = ["contract", "server", "console", "bench", "scripts"];
/** Tests of unmodified clients have a configuration of their own. */
const IGNORED_FOLDERS = new Set(["node_modules", "dist", "clients"]);
/** The product's own modules load none of these files. */
const TEST_MODULE = /^(server|console)\/test\/.*\.ts$/;
const TEST_ALIAS = "#test/";
const REQUIRED_PROJECT = /^requireTestProject\("(database|product)"\);$/gm;
/** Imports of types are skipped, because Node does not load them. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?!type\s)[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)\s*import\s+"([^"]+)"/g;

interface TestModule {
  project: TestProjectName;
  /** Paths of the test modules that the file loads. */
  imports: string[];
}

/** Paths of the test files below the repository's root, by project. */
export function findTestFiles(): Record<TestProjectName, string[]> {
  const modules = new Map<string, TestModule>();
  const files: Record<TestProjectName, string[]> = { pure: [], database: [], product: [] };
  for (const file of FOLDERS.flatMap((folder) => listTestFiles(join(root, folder)))) {
    files[findProject(file, modules)].push(relative(root, file).replaceAll("\\", "/"));
  }
  return files;
}

function listTestFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return IGNORED_FOLDERS.has(entry.name) ? [] : listTestFiles(path);
    return /\.test\.(ts|mjs)$/.test(entry.name) ? [path] : [];
  });
}

function findProject(testFile: string, modules: Map<string, TestModule>): TestProjectName {
  const loaded = new Set([testFile]);
  const required: TestProjectName[] = [];
  for (const file of loaded) {
    const module = modules.get(file) ?? readTestModule(file);
    modules.set(file, module);
    required.push(module.project);
    for (const imported of module.imports) loaded.add(imported);
  }
  return highestProject(required);
}

function highestProject(required: readonly TestProjectName[]): TestProjectName {
  return PROJECTS.findLast((project) => required.includes(project)) ?? "pure";
}

function readTestModule(file: string): TestModule {
  const text = readFileSync(file, "utf8");
  const required = [...text.matchAll(REQUIRED_PROJECT)].map(([, name]) => name as TestProjectName);
  const specifiers = [...text.matchAll(IMPORT)].map(
    ([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? "",
  );
  return {
    project: highestProject(required),
    imports: specifiers.flatMap((specifier) => resolveTestModule(file, specifier)),
  };
}

/** Empty for packages and for the product's own modules. */
function resolveTestModule(file: string, specifier: string): string[] {
  const isAlias = specifier.startsWith(TEST_ALIAS);
  if (!isAlias && !specifier.startsWith(".")) return [];
  const path = isAlias
    ? join(root, "server/test", specifier.slice(TEST_ALIAS.length))
    : join(dirname(file), specifier);
  return TEST_MODULE.test(relative(root, path).replaceAll("\\", "/")) ? [path] : [];
}
