import { expect, test } from "vitest";
import { EQUAL_COLORS } from "./equal-colors.ts";
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

  test("when two pages without findings had a kind of text, only other texts of further pages are checked", async () => {
    const { page } = await open();
    const check = async (html: string) => {
      await page.setContent(`<!doctype html><html lang="en"><title>Texts</title>
        <main style="background: #fff; color: #333"><h1>Texts</h1>${html}</main></html>`);
      return (await findViolations(page)).map(({ id }) => id);
    };
    expect(await check(equal)).toEqual([]);
    expect(await check(equal)).toEqual([]);
    const pale = `${equal}<p style="color: #ccc">Pale</p>`;
    expect(await check(pale)).toEqual(["color-contrast"]);
    const checked = page.locator(`main > :not([${EQUAL_COLORS}])`);
    expect(await checked.allTextContents()).toEqual(["Pale"]);
    // A kind with findings is checked on each page.
    expect(await check(pale)).toEqual(["color-contrast"]);
    expect(await checked.allTextContents()).toEqual(["Pale"]);
  });

  test("when all texts of a kind are not legible, axe finds some of them", async () => {
    const { page } = await open();
    await page.setContent(`<main style="color: #ccc">${equal}</main>`);
    const ids = (await findViolations(page)).map(({ id }) => id);
    expect(ids).toContain("color-contrast");
  });
}
