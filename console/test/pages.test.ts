import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import {
  describeConsole,
  findViolations,
  type Opened,
  type OpenOptions,
  openByRouter,
  SLOW_MS,
  settle,
} from "./open-console.ts";
import { listPages, publicPages } from "./pages.ts";

/** Limit of a good layout shift score. */
const MAX_SHIFT = 0.1;
/** Pages that are inspected at the same time. Most of the time of each is a wait for quiet. */
const LANES = 2;

describeConsole("every page", ({ company, open, openSession }) => {
  // Each theme and each width once. axe findings by colour do not depend on the width.
  test(
    "on wide screens in light freshly loaded pages have no axe findings, do not shift, fit the width, and violate no policy",
    () => inspectAll({ width: 1440, colorScheme: "light" }, loadPage),
    SLOW_MS,
  );

  test(
    "on narrow screens in dark pages opened inside the console have no axe findings, do not shift, fit the width, and violate no policy",
    () => inspectAll({ width: 390, colorScheme: "dark" }, loadByRouter),
    SLOW_MS,
  );

  async function inspectAll(options: OpenOptions, openPath: OpenPath): Promise<void> {
    const { url } = company().server;
    const pages = listPages(company());
    const stranger = await open(options);
    const opened = [stranger];
    for (let lane = 0; lane < LANES; lane++) opened.push(await openSession(undefined, options));
    const found = await Promise.all(
      opened.map(({ page }, lane) => {
        const own = pages.filter((_, index) => index % LANES === lane - 1);
        return lane === 0
          ? inspect(page, url, publicPages, loadPage)
          : inspect(page, url, own, openPath);
      }),
    );
    expect(found.flat()).toEqual([]);
    expect(opened.flatMap(({ faults }) => faults)).toEqual([]);
  }

  test(
    "pages do not shift when opened by a link of the rail",
    async () => {
      const opened = await openSession();
      const { page } = opened;
      await page.addInitScript(countShifts);
      // Not a page of the rail, so that each link opens another page.
      await page.goto(`${company().server.url}/account`);
      await settle(page);
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
      expectNoFaults(opened);
    },
    SLOW_MS,
  );
});

type NamedPages = readonly (readonly [name: string, path: string])[];

type OpenPath = (page: Page, address: string) => Promise<void>;

const loadPage: OpenPath = async (page, address) => {
  await page.goto(address);
  await settle(page);
};

/** Loads the first page as a document. Each further one takes 0.3 s of CPU time less than a new document. */
const loadByRouter: OpenPath = async (page, address) => {
  if (page.url() === "about:blank") return loadPage(page, address);
  await page.evaluate("globalThis.shifts.length = 0");
  const { pathname, search } = new URL(address);
  await openByRouter(page, pathname + search);
  expect(page.url()).toBe(address);
};

async function inspect(
  page: Page,
  url: string,
  pages: NamedPages,
  openPath: OpenPath,
): Promise<unknown[]> {
  const findings: unknown[] = [];
  await page.addInitScript(countShifts);
  for (const [name, path] of pages) {
    await openPath(page, url + path);
    const shift = await readShift(page);
    if (shift.total > MAX_SHIFT) findings.push([name, "moves", shift]);
    for (const { id, nodes } of await findViolations(page))
      findings.push([name, id, nodes[0]?.html]);
    const overflow = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    if (overflow !== 0) findings.push([name, `is ${overflow} px too wide`]);
  }
  return findings;
}

/** Runs in the page. A shift within half a second after input does not count, as in the standard measure. */
const countShifts = `
  globalThis.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput && !globalThis.countsInput) continue;
      const first = sources[0]?.node;
      globalThis.shifts.push([value, first?.outerHTML?.slice(0, 160) ?? String(first?.textContent ?? "?")]);
    }
  }).observe({ type: "layout-shift", buffered: true });
`;

async function readShift(page: Page): Promise<{ total: number; what: string[] }> {
  const shifts = (await page.evaluate("globalThis.shifts")) as [number, string][];
  const total = shifts.reduce((sum, [value]) => sum + value, 0);
  return { total: Math.round(total * 1000) / 1000, what: shifts.map(([, what]) => what) };
}

function expectNoFaults({ faults }: Opened): void {
  expect(faults).toEqual([]);
}
