import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { consolePages, signInPages } from "@bursar/contract/console-pages.ts";
import { describe, expect, test } from "vitest";
import { root } from "../../server/test/harness/server-process.ts";

// Files that a browser loads for a page, compressed as the server sends them. A page has 350 kB in all, and inspect-pages.ts
// bounds the answers of the API by 40 kB. 20 kB are fonts of rare characters. The sign-in has 150 kB and 15 requests.

const built = join(root, "console", "dist");
const documents = join(built, "documents");
const assets = join(built, "assets");
const ofVisitors = new Set<string>(signInPages);
const pages = [
  "overview",
  ...consolePages
    .filter((page) => !ofVisitors.has(page))
    .flatMap((page) => [page, `${page}.below`]),
];

interface FirstLoad {
  /** Names of the files beside the document, as built. */
  paths: string[];
  /** The same without their hash. */
  files: string[];
  bytes: number;
}

function readFirstLoad(page: string): FirstLoad {
  const document = join(documents, `${page}.html`);
  const html = readFileSync(document, "utf8");
  // Links for later only name their files.
  const lines = html.split("\n").filter((line) => !line.includes('rel="later"'));
  const paths = lines.flatMap((line) => /(?:src|href)="\/assets\/([^"]+)"/.exec(line)?.[1] ?? []);
  return {
    paths,
    files: paths.map(withoutHash),
    bytes: sizeOnWire(document) + sumSizes(paths),
  };
}

const withoutHash = (path: string) => basename(path).replace(/-[\w-]{8}\./, ".");

function sizeOnWire(path: string): number {
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}

const sumSizes = (names: Iterable<string>) =>
  [...names].reduce((sum, name) => sum + sizeOnWire(join(assets, name)), 0);

/** Files of scripts that a script imports, at once or later. */
function listImports(name: string): string[] {
  const code = readFileSync(join(assets, name), "utf8");
  return [...code.matchAll(/(?:from|import)\s*\(?\s*["`]\.\/([\w-]+\.js)["`]/g)].flatMap(
    ([, imported]) => imported ?? [],
  );
}

/** All scripts that a page can load, with those of other pages. */
function listAllScripts({ paths }: FirstLoad): Set<string> {
  const found = new Set<string>();
  const waiting = paths.filter((name) => name.endsWith(".js"));
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...listImports(name));
  }
  return found;
}

test("each address has a document of its own", () => {
  const named = readdirSync(documents).filter((name) => name.endsWith(".html"));
  expect(named.sort()).toEqual([...pages, ...signInPages].map((page) => `${page}.html`).sort());
});

test.each(signInPages)(
  "/%s loads at most 135 kB in 8 files, none of the signed-in console",
  (page) => {
    const { files, bytes } = readFirstLoad(page);
    expect(files.sort()).toEqual([
      "base-2.js",
      "base-3.js",
      "base.css",
      "base.js",
      "inter-basic.woff2",
      "rolldown-runtime.js",
      "sign-in.js",
      "source-serif-4-basic.woff2",
    ]);
    expect(bytes).toBeLessThanOrEqual(135_000);
  },
);

/** Pages that are drawn within their time only with few files. */
const lightPages = [
  ["overview", 198],
  ["usage", 200],
  ["cost", 200],
  ["requests", 206],
  ["api-keys", 191],
  ["spend-limits", 214],
  ["members", 190],
  ["access-reviews.below", 191],
  ["docs", 189],
  ["guides.below", 187],
] as const;

test("no page of a member can load the file that starts the sign-in", () => {
  const scripts = [...listAllScripts(readFirstLoad("overview"))].map(withoutHash);
  expect(scripts).toContain("late.js");
  expect(scripts).not.toContain("sign-in.js");
});

describe("each page of a member", () => {
  test.each(pages)("%s loads at most 265 kB in 22 files", (page) => {
    const { files, bytes } = readFirstLoad(page);
    expect(files).toContain("base.js");
    expect(files.length).toBeLessThanOrEqual(22);
    expect(bytes).toBeLessThanOrEqual(265_000);
  });

  test.each(lightPages)("%s loads at most %i kB", (page, kilobytes) => {
    expect(readFirstLoad(page).bytes).toBeLessThanOrEqual(kilobytes * 1000);
  });

  test.each(pages)("%s asks for the session first, and names the file of its own page", (page) => {
    const { files } = readFirstLoad(page);
    expect(files[0]).toBe("early.js");
    const common = /^(early|base|index|rolldown-runtime)(-\d+)?\.|\.(css|woff2)$/;
    expect(files.filter((name) => !common.test(name))).not.toEqual([]);
  });
});
