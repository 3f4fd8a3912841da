import { expect, test } from "vitest";
import {
  countShifts,
  expectNoFindings,
  loadDocument,
  MAX_SHIFT,
  type OpenAddress,
  parts,
  readShift,
} from "./inspect-pages.ts";
import { type Console, openByRouter, SLOW_MS, settle } from "./open-console.ts";

/** Declares the tests of pages that open inside the console. */
export function testOpenedPages(console: Console): void {
  const { company, openSession } = console;

  test.each(parts)(
    "on narrow screens in dark pages have no axe findings, do not shift while loading, fit the width, and violate no policy (part %i)",
    (part) =>
      expectNoFindings(console, {
        ...{ part, openAddress: loadByRouter },
        ...{ width: 390, colorScheme: "dark" },
      }),
    SLOW_MS,
  );

  test(
    "pages do not shift when opened by a link of the rail",
    async () => {
      const opened = await openSession();
      const { page } = opened;
      await page.addInitScript(countShifts);
      // Not a page of the rail, so that each link opens another page.
      await page.goto(`${company().server.url}/account`);
      await settle(page);
      await page.evaluate(openRailGroups);
      const moved: unknown[] = [];
      for (const link of await page.locator("aside nav a").all()) {
        await page.evaluate("globalThis.countsInput = true; globalThis.shifts.length = 0");
        await link.click();
        // The click has taken the focus from the previous page.
        await page.locator("h1:focus").waitFor();
        await settle(page);
        const shift = await readShift(page);
        if (shift.total > MAX_SHIFT) moved.push([await link.textContent(), shift]);
      }
      expect(moved).toEqual([]);
      expect(opened.faults).toEqual([]);
    },
    SLOW_MS,
  );
}

/** Runs in the page. */
const openRailGroups = `
  for (const button of document.querySelectorAll('aside nav button[aria-expanded="false"]')) button.click();
`;

/** Loads the first page as a document. Each further one takes 0.3 s of CPU time less than a new document. */
const loadByRouter: OpenAddress = async (page, address) => {
  if (page.url() === "about:blank") return loadDocument(page, address);
  await page.evaluate("globalThis.shifts.length = 0");
  const { pathname, search, hash } = new URL(address);
  await openByRouter(page, pathname + search + hash);
  expect(page.url()).toBe(address);
};
