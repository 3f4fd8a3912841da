import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import type { Console } from "./open-console.ts";

/** Rows of each table that are compared. Further rows have the same columns. */
const MAX_ROWS = 12;
/** Overlap that no reader sees, in pixels. */
const TOLERANCE_PX = 1;

/** Runs in the page. Compares the visible parts of texts and icons in each row. */
const listOverlaps = `(() => {
  const clips = new Map();
  const isClipping = (element) => {
    if (!clips.has(element)) clips.set(element, getComputedStyle(element).overflow !== "visible");
    return clips.get(element);
  };
  const clip = (rect, element, cell) => {
    let { left, right, top, bottom } = rect;
    for (let each = element; each !== cell.parentElement; each = each.parentElement) {
      if (!isClipping(each)) continue;
      const box = each.getBoundingClientRect();
      left = Math.max(left, box.left);
      right = Math.min(right, box.right);
      top = Math.max(top, box.top);
      bottom = Math.min(bottom, box.bottom);
    }
    return { left, right, top, bottom };
  };
  const listParts = (cell) => {
    const parts = [];
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node.data.trim() === "") continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        parts.push({ cell, text: node.data, ...clip(rect, node.parentElement, cell) });
      }
    }
    for (const icon of cell.querySelectorAll("svg, img, input")) {
      parts.push({ cell, text: icon.tagName, ...clip(icon.getBoundingClientRect(), icon.parentElement, cell) });
    }
    return parts;
  };
  const isOver = (a, b) =>
    a.cell !== b.cell &&
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > ${TOLERANCE_PX} &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > ${TOLERANCE_PX};
  const found = [];
  for (const table of document.querySelectorAll("table")) {
    for (const row of [...table.rows].slice(0, ${MAX_ROWS})) {
      const parts = [...row.cells].flatMap(listParts);
      parts.forEach((part, at) => {
        const other = parts.slice(at + 1).find((each) => isOver(part, each));
        if (other) found.push(part.text + " lies over " + other.text);
      });
    }
  }
  return found;
})()`;

/** Returns texts and icons of tables that lie over another cell. */
export function findOverlaps(page: Page): Promise<string[]> {
  return page.evaluate(listOverlaps);
}

const cells = (first: string, second = "Second") =>
  `<tr><td style="width: 60px">${first}</td><td style="width: 60px">${second}</td></tr>`;

const cases: readonly (readonly [html: string, found: string[]])[] = [
  [cells("First"), []],
  [cells("Much&nbsp;longer&nbsp;text"), ["Much\u00a0longer\u00a0text lies over Second"]],
  [cells('<div style="overflow: hidden">Much&nbsp;longer&nbsp;text</div>'), []],
  [cells('<svg width="90" height="20"></svg>'), ["svg lies over Second"]],
  // A second line below both cells.
  [cells('First<span style="position: absolute; top: 60px">Much&nbsp;longer&nbsp;text</span>'), []],
];

/** Declares the test of `findOverlaps`. */
export function testOverlaps({ open }: Console): void {
  test("finds exactly the visible parts of cells that lie over another cell", async () => {
    const { page } = await open();
    for (const [html, found] of cases) {
      const style = "table-layout: fixed; width: 120px; position: relative";
      await page.setContent(`<table style="${style}">${html}</table>`);
      expect(await findOverlaps(page)).toEqual(found);
    }
  });
}
