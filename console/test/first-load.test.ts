import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { consolePages, signInPages } from "@bursar/contract/console-pages.ts";
import { describe, expect, test } from "vitest";
import { root } from "../../server/test/harness/server-process.ts";

// Files that a browser loads before it draws a page, compressed as the server sends them. `npm run measure-pages` also
// counts answers of the API and parts that load later. A page has 350 kB for all, the sign-in 150 kB and 15 requests.

const built = join(root, "console", "dist");
const documents = join(built, "documents");
const ofVisitors = new Set<string>(signInPages);
const pages = ["overview", ...consolePages.filter((page) => !ofVisitors.has(page))];

interface FirstLoad {
  /** Names of the files beside the document. */
  files: string[];
  bytes: number;
}

function readFirstLoad(page: string): FirstLoad {
  const document = join(documents, `${page}.html`);
  const html = readFileSync(document, "utf8");
  // Links for later only name their files.
  const lines = html.split("\n").filter((line) => !line.includes('rel="later"'));
  const paths = lines.flatMap((line) => /(?:src|href)="\/(assets\/[^"]+)"/.exec(line)?.[1] ?? []);
  const sizes = [document, ...paths.map((path) => join(built, path))].map(sizeOnWire);
  return {
    files: paths.map((path) => basename(path).replace(/-[\w-]{8}\./, ".")),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

function sizeOnWire(path: string): number {
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}

test("each address has a document of its own", () => {
  const named = readdirSync(documents).filter((name) => name.endsWith(".html"));
  expect(named.sort()).toEqual([...pages, ...signInPages].map((page) => `${page}.html`).sort());
});

test.each(signInPages)(
  "/%s loads at most 135 kB in 6 files, none of the signed-in console",
  (page) => {
    const { files, bytes } = readFirstLoad(page);
    expect(files.sort()).toEqual([
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

describe("each page of a member", () => {
  test.each(pages)("%s loads at most 245 kB in 12 files", (page) => {
    const { files, bytes } = readFirstLoad(page);
    expect(files).toContain("base.js");
    expect(files.length).toBeLessThanOrEqual(12);
    expect(bytes).toBeLessThanOrEqual(245_000);
  });

  test.each(pages)("%s asks for the session first, and names the file of its own page", (page) => {
    const { files } = readFirstLoad(page);
    expect(files[0]).toBe("early.js");
    const common = /^(early|base|index|shared|rolldown-runtime)\.|\.(css|woff2)$/;
    expect(files.filter((name) => !common.test(name))).not.toEqual([]);
  });
});
