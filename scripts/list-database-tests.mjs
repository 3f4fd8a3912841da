// `node scripts/list-database-tests.mjs`: paths of the test files that a run over DATABASE_URL repeats, one a line.
// vitest's `inject` gives the address of the run's database. A test below `server/src` is listed when it, or a module that it
// loads, asks for that address: no other test opens a connection (measured: 94 of 132 files do).
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./runtime.mjs";

const server = join(root, "server");
/** Tests of whole processes and of the console run on the embedded database alone, except for these. */
const ALSO = [
  "server/test/every-route.test.ts",
  "server/test/schema.test.ts",
  "server/test/upgrade.test.ts",
];
const ASKS_FOR_DATABASE = /\binject\("(adminConnectionString|databasePrefix|templateDatabase)"\)/;
const ALIASES = { "#src/": join(server, "src/"), "#test/": join(server, "test/") };
/** Types alone are not loaded: `import type … from`. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s(?!type\s)[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)\s*import\s+"([^"]+)"/g;

const modules = new Map();

const listed = findTests(join(server, "src")).filter(usesDatabase);
if (listed.length === 0) throw new Error("No test that uses a database was found.");
for (const file of listed) console.log(relative(root, file));
for (const path of ALSO) console.log(path);

function findTests(folder) {
  const paths = readdirSync(folder, { recursive: true }).filter((path) =>
    path.endsWith(".test.ts"),
  );
  return paths.sort().map((path) => join(folder, path));
}

function usesDatabase(test) {
  const seen = new Set([test]);
  for (const file of seen) {
    const { text, imports } = readModule(file);
    if (ASKS_FOR_DATABASE.test(text)) return true;
    for (const imported of imports) seen.add(imported);
  }
  return false;
}

/** `imports` are the files of the server that it loads. */
function readModule(file) {
  const known = modules.get(file);
  if (known) return known;
  const text = readFileSync(file, "utf8");
  const specifiers = [...text.matchAll(IMPORT)].map(
    ([, from, dynamic, bare]) => from ?? dynamic ?? bare,
  );
  const imports = specifiers.map((specifier) => resolveImport(file, specifier)).filter(Boolean);
  const read = { text, imports };
  modules.set(file, read);
  return read;
}

function resolveImport(file, specifier) {
  if (!/\.tsx?$/.test(specifier)) return null;
  if (specifier.startsWith(".")) return join(dirname(file), specifier);
  const alias = Object.keys(ALIASES).find((prefix) => specifier.startsWith(prefix));
  return alias ? join(ALIASES[alias], specifier.slice(alias.length)) : null;
}
