import type { Page } from "@playwright/test";
import { expect } from "vitest";
import { findOverlaps } from "./cell-overlaps.ts";
import {
  type Console,
  findViolations,
  type OpenOptions,
  openPageIn,
  settle,
} from "./open-console.ts";
import { listPages, publicPages } from "./pages.ts";
import { findWideTables } from "./wide-tables.ts";

// Checks of every page: axe findings, movement while loading, width, overlaps in tables, answers of the API, and faults of the
// browser.

/** Half of what counts as a good layout shift score. */
export const MAX_SHIFT = 0.05;
/** Part of a page's 350 kB for answers of the API. first-load.test.ts bounds the files. */
const MAX_ANSWER_BYTES = 40_000;
/** Pages that are inspected at the same time. Most of the time of each is a wait for quiet. */
const LANES = 2;

/** Tests that share the pages, so that each ends in time on a busy machine. */
export const parts = [1, 2];

/**
 * Parts that axe leaves out. The page "docs-operation" has the same ones in the same colors. A check of them takes 2 s of
 * CPU time.
 */
const operations = "main section:has(li[id])";
const excludedParts: Readonly<Record<string, string>> = {
  docs: operations,
  "docs-visitor": operations,
};

/** Pages without tables that must fit. A long one takes 0.3 s for another width, and its anchors keep the document. */
const documents = new Set(["guides", "guide", "docs", "docs-operation"]);

type NamedPages = readonly (readonly [name: string, path: string])[];

/** Opens an address and waits until its page has loaded. */
export type OpenAddress = (page: Page, address: string) => Promise<void>;

export const loadDocument: OpenAddress = async (page, address) => {
  await page.goto(address);
  await settle(page);
};

interface InspectOptions extends OpenOptions {
  part: number;
  openAddress: OpenAddress;
  /** Width to which the window of each loaded page shrinks. Tables and the page must fit there too. */
  smallerWidth?: number | null;
}

/**
 * Expects no findings on the pages of one part, from 1. Pages without a session are always loaded as a document, and belong to
 * the first part.
 */
export async function expectNoFindings(
  { company, open, openSession }: Console,
  { part, openAddress, smallerWidth = null, ...options }: InspectOptions,
): Promise<void> {
  const { url } = company().server;
  const pages = listPages(company()).filter((_, index) => index % parts.length === part - 1);
  const stranger = await open(options);
  const opened = [stranger, await openSession(undefined, options)];
  // Pages of one context share a process with its compiled scripts.
  while (opened.length <= LANES) opened.push(await openPageIn((opened[1] ?? stranger).context));
  const found = await Promise.all(
    opened.map(({ page }, lane) => {
      const own = pages.filter((_, index) => index % LANES === lane - 1);
      return lane === 0
        ? inspect(page, url, { pages: part === 1 ? publicPages : [], openAddress: loadDocument })
        : inspect(page, url, { pages: own, openAddress, smallerWidth });
    }),
  );
  expect(found.flat()).toEqual([]);
  expect(opened.flatMap(({ faults }) => faults)).toEqual([]);
}

interface Inspection extends Pick<InspectOptions, "openAddress" | "smallerWidth"> {
  pages: NamedPages;
}

async function inspect(
  page: Page,
  url: string,
  { pages, openAddress, smallerWidth = null }: Inspection,
): Promise<unknown[]> {
  const findings: unknown[] = [];
  await page.addInitScript(countShifts);
  const takeAnswerBytes = countAnswers(page);
  for (const [name, path] of pages) {
    takeAnswerBytes();
    await openAddress(page, url + path);
    const answerBytes = takeAnswerBytes();
    if (answerBytes > MAX_ANSWER_BYTES) findings.push([name, `${answerBytes} bytes of answers`]);
    const unused = (await page.evaluate("[...(globalThis.bursarEarly?.keys() ?? [])]")) as string[];
    if (unused.length > 0) findings.push([name, "does not use answers that it asked for", unused]);
    const shift = await readShift(page);
    if (shift.total > MAX_SHIFT) findings.push([name, "moves", shift]);
    const excluded = excludedParts[name];
    if (excluded !== undefined && (await page.locator(excluded).count()) === 0)
      findings.push([name, `has no ${excluded}`]);
    for (const { id, nodes } of await findViolations(page, excluded))
      findings.push([name, id, nodes[0]?.html]);
    for (const fault of await findWidthFaults(page)) findings.push([name, fault]);
    if (smallerWidth === null || documents.has(name)) continue;
    for (const fault of await findFaultsAt(page, smallerWidth))
      findings.push([name, smallerWidth, fault]);
  }
  return findings;
}

/** Width faults of a smaller window, which then returns to its size. The page is not usable afterwards. */
async function findFaultsAt(page: Page, width: number): Promise<string[]> {
  const size = page.viewportSize();
  if (size === null) throw new Error("the page has no size of its own");
  await page.setViewportSize({ ...size, width });
  await page.evaluate(twoFrames);
  const faults = [...(await findWidthFaults(page)), ...(await findWideTables(page))];
  // Saves the drawing of a page that another one replaces.
  await page.evaluate("document.body.hidden = true");
  await page.setViewportSize(size);
  return faults;
}

/** Runs in the page. The first frame has the new width, the second one what React draws for it. */
const twoFrames =
  "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))";

/** Overlaps in tables, and the width of the page. */
async function findWidthFaults(page: Page): Promise<string[]> {
  const overflow = await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  return [
    ...(await findOverlaps(page)),
    ...(overflow === 0 ? [] : [`The page is ${overflow} px too wide.`]),
  ];
}

/** Returns a function that returns the bytes of all answers since its last call. */
function countAnswers(page: Page): () => number {
  let bytes = 0;
  page.on("requestfinished", (request) => {
    if (!new URL(request.url()).pathname.startsWith("/v1/")) return;
    request.sizes().then(
      ({ responseBodySize, responseHeadersSize }) => {
        bytes += responseBodySize + responseHeadersSize;
      },
      // The page has closed.
      () => undefined,
    );
  });
  return () => {
    const counted = bytes;
    bytes = 0;
    return counted;
  };
}

/** Runs in the page. A shift within half a second after input does not count, as in the standard measure. */
export const countShifts = `
  globalThis.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (hadRecentInput && !globalThis.countsInput) continue;
      const first = sources[0]?.node;
      globalThis.shifts.push([value, first?.outerHTML?.slice(0, 160) ?? String(first?.textContent ?? "?")]);
    }
  }).observe({ type: "layout-shift", buffered: true });
`;

export async function readShift(page: Page): Promise<{ total: number; what: string[] }> {
  const shifts = (await page.evaluate("globalThis.shifts")) as [number, string][];
  const total = shifts.reduce((sum, [value]) => sum + value, 0);
  return { total: Math.round(total * 1000) / 1000, what: shifts.map(([, what]) => what) };
}
