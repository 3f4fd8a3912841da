import { expect, test } from "vitest";
import { readMarkdown } from "./read-markdown.ts";

const read = (text: string) => readMarkdown(text, (target) => target);

test("reads lists with their number, nested blocks and code", () => {
  expect(read("3. one\n4. two\n\n   ```sh\n   ls <a>\n   ```\n")).toEqual([
    {
      kind: "list",
      start: 3,
      items: [
        [{ kind: "paragraph", content: ["one"] }],
        [
          { kind: "paragraph", content: ["two"] },
          { kind: "code", language: "sh", text: "ls <a>" },
        ],
      ],
    },
  ]);
});

test("reads tables with escaped bars and empty cells", () => {
  expect(read("| a | b |\n|---|---|\n| `x \\| y` | **c** |\n| d |  |\n")).toEqual([
    {
      kind: "table",
      head: [["a"], ["b"]],
      rows: [
        [[{ kind: "code", text: "x | y" }], [{ kind: "strong", content: ["c"] }]],
        [["d"], []],
      ],
    },
  ]);
});

test("joins the lines of a paragraph, and leaves out comments", () => {
  expect(read("one\ntwo \\*three\\* & <https://a.example>\n\n<!-- end -->\n")).toEqual([
    {
      kind: "paragraph",
      content: [
        "one two *three* & ",
        { kind: "link", to: "https://a.example", content: ["https://a.example"] },
      ],
    },
  ]);
});
