import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = globSync("{*.md,docs/**/*.md,bench/*.md,server/src/**/README.md}", { cwd: root });

/** Targets of `[text](target)` that are no address elsewhere, without what stands behind a #. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.split("#")[0] ?? "")
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

describe("every link of a page leads to a file", () => {
  test.each(pages)("%s", (page) => {
    const dead = linksOf(page).filter((target) => !existsSync(join(root, dirname(page), target)));
    expect(dead).toEqual([]);
  });
});

test("the guides are found from the README", () => {
  const linked = new Set(linksOf("README.md"));
  const guides = globSync("docs/guides/*.md", { cwd: root });
  expect(guides.length).toBeGreaterThan(2);
  for (const guide of guides) expect(linked).toContain(guide.replaceAll("\\", "/"));
});
