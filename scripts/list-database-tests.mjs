// `node scripts/list-database-tests.mjs`: lists the test files that also run on the oldest PostgreSQL, one path a line. They
// execute what cannot be prepared or runs inside the database: migrations, functions, triggers, COPY, partitions. A file is
// listed when its first line names a topic: `// Oldest PostgreSQL: schema`. `server/test/statements/` checks all other statements.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { root } from "./runtime.mjs";

const FOLDERS = ["server/src", "server/test"];
const TOPICS = ["schema", "ledger", "journal", "sign-in", "background", "backup"];
const FIRST_LINE = /^\/\/ Oldest PostgreSQL: (.*)\n/;

const covered = new Set();
for (const path of FOLDERS.flatMap(listTests).sort()) {
  const [, topic] = FIRST_LINE.exec(readFileSync(join(root, path), "utf8")) ?? [];
  if (topic === undefined) continue;
  if (!TOPICS.includes(topic)) throw new Error(`${path}: unknown topic "${topic}"`);
  covered.add(topic);
  console.log(path);
}
for (const topic of TOPICS) {
  if (!covered.has(topic)) throw new Error(`No test file has the topic "${topic}".`);
}

function listTests(folder) {
  const paths = readdirSync(join(root, folder), { recursive: true });
  return paths
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => relative(root, join(root, folder, path)));
}
