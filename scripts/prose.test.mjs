import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findProseFaults } from "./prose.mjs";

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "prose-"));
  write(".gitignore", "node_modules/\n");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Faults by rule. Rules without a fault are omitted. */
function findFaults(path, text) {
  write(path, text);
  const { faults } = findProseFaults(root);
  return Object.fromEntries(Object.entries(faults).filter(([, found]) => found.length > 0));
}

const words = (count) => Array.from({ length: count }, () => "word").join(" ");

test.each([
  [
    "unfinished work",
    "server/a.ts",
    "const a = 1; // TODO: more",
    "server/a.ts:1: const a = 1; // TODO: more",
  ],
  [
    "nobody, somebody, whoever",
    "a.md",
    "# A\n\nA key that nobody uses.",
    "a.md:3: A key that nobody uses.",
  ],
  [
    "sentence that begins without a noun",
    "a.ts",
    "/** Keys.\n * What is kept. */",
    "a.ts:1: What is kept.",
  ],
  [
    "sentence that begins without a noun",
    "a.md",
    "Keys stay. Of those, one.",
    "a.md:1: Of those, one.",
  ],
  [
    "semicolon in a sentence",
    "a.mjs",
    "// One idea; another one.",
    "a.mjs:1: One idea; another one.",
  ],
])("finds %s in %s", (rule, path, text, fault) => {
  expect(findFaults(path, text)).toEqual({ [rule]: [fault] });
});

test("counts the words of a sentence over the lines of a comment or paragraph, without code", () => {
  const over = `Key ${words(12)}\n// ${words(13)}.`;
  expect(findFaults("a.ts", `// ${over}\n`)).toEqual({
    "comment sentence over 25 words": [`a.ts:1: Key ${words(25)}.`],
  });
  expect(findFaults("a.ts", `// Key ${words(24)}. Key \`a\` ${words(24)}.\n`)).toEqual({});
  expect(findFaults("a.md", `${words(10)}\n${words(11)}.\n`)).toEqual({
    "document sentence over 20 words": [`a.md:1: ${words(21)}.`],
  });
});

test("leaves code, tables, headings and other list items out of a sentence", () => {
  const text = [
    ...["# What is it", "", `- ${words(15)}`, `- ${words(15)}`, "", `| ${words(30)} |`],
    ...["", "```", `It is ${words(30)}; code`, "```", ""],
  ].join("\n");
  expect(findFaults("a.md", text)).toEqual({});
  expect(findFaults("a.ts", `const text = "It is a; ${words(30)}";\n`)).toEqual({});
});

test("finds the README of a room that is too long, and no other long document", () => {
  const lines = "A line.\n\n".repeat(21);
  expect(findFaults("console/README.md", lines)).toEqual({});
  expect(findFaults("server/src/keys/README.md", lines)).toEqual({
    "README of a room over 40 lines": ["server/src/keys/README.md: 42 lines"],
  });
});

test("reads no file that git ignores, no past release and no changelog", () => {
  for (const path of ["node_modules/a.ts", "server/test/releases/a.ts", "CHANGELOG.md"]) {
    expect([path, findFaults(path, "// TODO: nobody; it.\n")]).toEqual([path, {}]);
  }
  expect(findProseFaults(root).fileCount).toBe(0);
});

test("finds a text that begins without a noun, in strings, templates and elements, but no question", () => {
  const rule = "sentence that begins without a noun";
  const text = [
    'const a = "Keys stay. It is gone.";',
    `const b = \`Of \${a} and more\`;`,
    "const c = <p>Those of the\n  others</p>;",
    'const d = "What is it?", e = "Who", f = "it is lower case";',
  ].join("\n");
  expect(findFaults("console/test/a.tsx", text)).toEqual({});
  expect(findFaults("server/src/a.test.ts", text)).toEqual({});
  expect(findFaults("console/src/a.tsx", text)).toEqual({
    [rule]: [
      "console/src/a.tsx:1: It is gone.",
      "console/src/a.tsx:2: Of value and more",
      "console/src/a.tsx:3: Those of the others",
    ],
  });
});
