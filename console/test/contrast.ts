import { expect, test } from "vitest";
import { type Console, findViolations } from "./open-console.ts";

const equal = "<p>Equal text</p>".repeat(30);

/** Pages with a long list of equal texts, and the text with too little contrast. */
const faulty: readonly (readonly [condition: string, html: string, found: string[]])[] = [
  ["all texts are legible", equal, []],
  ["one text has another color", `${equal}<p style="color: #ccc">Pale</p>`, ["Pale"]],
  [
    "one text is on another background",
    `${equal}<div style="background: #222"><p>Dark</p></div>`,
    ["Dark"],
  ],
  ["one text is transparent", `${equal}<div style="opacity: 0.4"><p>Faint</p></div>`, ["Faint"]],
  [
    "the first equal texts are disabled",
    `<div aria-disabled="true">${'<button style="color: #ccc" disabled>Off</button>'.repeat(5)}</div>
     <button style="color: #ccc">On</button>`,
    ["On"],
  ],
];

/** Declares the tests of `findViolations`, which checks the contrast of one text of each kind. */
export function testContrast({ open }: Console): void {
  test.each(faulty)("when %s, axe finds exactly the texts that are not legible", async (...of) => {
    const [, html, found] = of;
    const { page } = await open();
    await page.setContent(`<main style="background: #fff; color: #333">${html}</main>`);
    const violations = await findViolations(page);
    const contrast = violations.filter(({ id }) => id === "color-contrast");
    const texts = contrast.flatMap(({ nodes }) => nodes.map((node) => node.html));
    expect(texts.map((text) => text.replaceAll(/<[^>]*>/g, ""))).toEqual(found);
  });

  test("when all texts of a kind are not legible, axe finds some of them", async () => {
    const { page } = await open();
    await page.setContent(`<main style="color: #ccc">${equal}</main>`);
    const ids = (await findViolations(page)).map(({ id }) => id);
    expect(ids).toContain("color-contrast");
  });
}
