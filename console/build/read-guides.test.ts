import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { guideGroups } from "../src/guide-names.ts";
import { type GuideSource, groupGuides, loadGuideSources, readGuides } from "./read-guides.ts";

const root = join(import.meta.dirname, "../..");

const makeSource = (name: string, text: string): GuideSource => ({
  name,
  path: `docs/guides/${name}.md`,
  text: `# ${name}\n\nAn opening sentence. Another one.\n\n${text}`,
});

describe("the guides of the repository", () => {
  const guides = readGuides(loadGuideSources(root));

  test("can all be shown, with working links and anchors", () => {
    expect(guides.length).toBeGreaterThan(35);
    expect(guides.map(({ title }) => title)).toContain("Spend limits");
  });

  test("each have a place in the list of the page Guides", () => {
    const listed = guideGroups.flatMap((group): readonly string[] => group.guides);
    expect(listed.toSorted()).toEqual(guides.map(({ name }) => name).toSorted());
    expect(groupGuides(guides, guideGroups)).toHaveLength(guideGroups.length);
  });

  test("have the anchors that GitHub gives their headings", () => {
    const text = readFileSync(join(root, "README.md"), "utf8");
    const linked = [...text.matchAll(/guides\/nodes\.md#([^)]+)\)/g)].map(([, anchor]) => anchor);
    const anchors = guides.find(({ name }) => name === "nodes")?.headings.map(({ id }) => id);
    expect(linked.length).toBeGreaterThan(0);
    expect(anchors).toEqual(expect.arrayContaining(linked));
  });
});

describe("a guide", () => {
  test("has a title, the first sentence as its lead, and its headings up to the third level", () => {
    const text = "## One `two`\n\n### Three\n\n#### Four\n\n## One two\n";
    const [guide] = readGuides([makeSource("alerts", text)]);
    expect(guide).toMatchObject({ title: "alerts", lead: "An opening sentence." });
    expect(guide?.headings).toEqual([
      { id: "one-two", level: 2, text: "One two" },
      { id: "three", level: 3, text: "Three" },
      { id: "one-two-1", level: 2, text: "One two" },
    ]);
  });

  test.each([
    ["[a](tags.md)", "/guides/tags"],
    ["[a](tags.md#names)", "/guides/tags#names"],
    ["[a](#here)", "#here"],
    ["[a](https://example.com/x)", "https://example.com/x"],
  ])("links %s to %s", (link, to) => {
    const own = makeSource("alerts", `${link}\n\n## Here\n`);
    const [guide] = readGuides([own, makeSource("tags", "## Names\n")]);
    expect(guide?.blocks[1]).toEqual({
      kind: "paragraph",
      content: [{ kind: "link", to, content: ["a"] }],
    });
  });

  test.each(["[a](../decisions/0001-x.md)", "a@example.com"])("shows %s without a link", (text) => {
    const [guide] = readGuides([makeSource("alerts", text)]);
    expect(JSON.stringify(guide?.blocks)).not.toContain('"link"');
  });

  test.each([
    ["a link to a missing guide", "[a](missing.md)", "missing.md"],
    ["a link to a missing heading", "[a](tags.md#missing)", "tags.md#missing"],
    ["a missing heading of its own", "[a](#missing)", "#missing"],
    ["a script as a link", "[a](javascript:alert)", "javascript:alert"],
    ["an image", "![a](a.png)", "![a](a.png)"],
    ["HTML", "a <b>c</b>", "<b>"],
  ])("with %s fails the build with its path", (_, text, told) => {
    const read = () => readGuides([makeSource("alerts", text), makeSource("tags", "")]);
    expect(read).toThrow(`docs/guides/alerts.md: `);
    expect(read).toThrow(told);
  });

  test("without a place in the list is at its end", () => {
    const guides = readGuides([makeSource("alerts", ""), makeSource("tags", "")]);
    const groups = groupGuides(guides, [{ title: "Limits", guides: ["tags"] }]);
    expect(groups.map(({ title, guides: own }) => [title, own.map(({ name }) => name)])).toEqual([
      ["Limits", ["tags"]],
      ["More", ["alerts"]],
    ]);
  });

  test("that the list names without a file fails the build", () => {
    const group = () => groupGuides([], [{ title: "Limits", guides: ["gone"] }]);
    expect(group).toThrow("there is no guide gone");
  });
});
