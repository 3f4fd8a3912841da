import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import type { Console } from "./open-console.ts";

/** Runs in the page. Tables of documents have no name, and may scroll. */
const listWideTables = `[...document.querySelectorAll("table[aria-label]")]
  .map(({ ariaLabel, parentElement: box }) => [ariaLabel, box.scrollWidth - box.clientWidth])
  .filter(([, px]) => px > 0)
  .map(([name, px]) => name + " is " + px + " px too wide")`;

/** Returns named tables that scroll sideways in their box. */
export function findWideTables(page: Page): Promise<string[]> {
  return page.evaluate(listWideTables);
}

const box = (name: string, widthPx: number) =>
  `<div style="overflow-x: auto; width: 100px"><table ${name}><td><div style="width: ${widthPx}px">`;

const cases: readonly (readonly [html: string, found: string[]])[] = [
  [box('aria-label="Keys"', 50), []],
  [box('aria-label="Keys"', 150), ["Keys is 56 px too wide"]],
  [box("", 150), []],
];

/** Declares the test of `findWideTables`. */
export function testWideTables({ open }: Console): void {
  test("finds exactly the named tables that are wider than their box", async () => {
    const { page } = await open();
    for (const [html, found] of cases) {
      await page.setContent(html);
      expect(await findWideTables(page)).toEqual(found);
    }
  });
}
