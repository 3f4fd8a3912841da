import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import type { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, Page, Request } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { sendMessage, stopAllServers } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium, ONE_PROCESS, WITHOUT_OPTIMIZED_CODE } from "./browser.ts";
import { type Company, owner } from "./company.ts";
import { type CheckedKinds, EQUAL_COLORS, markEqualColors } from "./equal-colors.ts";
import { startPreparedCompany } from "./prepared-company.ts";

// The console in a real browser: the built files, served by the real program. All tests of a file share one company
// and one browser.

/** Time limit of a test, and of the start of a browser. Other tests use the processor at the same time. */
export const SLOW_MS = 240_000;
/** Longest wait for an element. A busy machine draws slowly. */
export const MAX_WAIT_MS = 30_000;
/** Time without requests after which a page counts as loaded. */
const QUIET_MS = 500;
const POLL_MS = 50;
/**
 * Delays every response by up to this time. Manual runs with 1500 find tests that use a page before it has loaded,
 * which otherwise only fail on a busy machine.
 */
const SLOW_NETWORK_MS = Number(process.env["SLOW_NETWORK_MS"] ?? 0);
/** The server writes the last use of a key every 15 seconds. */
export const USE_WRITTEN_WITHIN_MS = 45_000;

export interface Opened {
  page: Page;
  context: BrowserContext;
  /** Complaints of the browser: errors, policy violations, and every request to another server. */
  faults: string[];
}

export interface OpenOptions {
  width?: number;
  colorScheme?: "light" | "dark";
  /** A touch screen. Default: a mouse. */
  hasTouch?: boolean;
  /** Another address of the same server. Some features need a host name instead of an IP address. */
  url?: string;
  /** Wait before delayed changes, milliseconds. Default: none. Null: as members see it. */
  changeDelayMs?: number | null;
  /** Whether the page gets a new context. Required where a test changes the clock, which belongs to the context. */
  hasOwnContext?: boolean;
}

export interface Console {
  company: () => Company;
  browser: () => Browser;
  open: (options?: OpenOptions) => Promise<Opened>;
  /**
   * Opens an empty page in a member's session. Default: the owner's. Without arguments, the page is in a context that
   * all tests of the file share.
   */
  openSession: (email?: string, options?: OpenOptions) => Promise<Opened>;
  /** Opens the overview in a member's session. */
  openOverview: (email?: string, options?: OpenOptions) => Promise<Opened>;
  /**
   * Opens an address of the console, and waits until the page has loaded. In a page of this console it does so by the router:
   * 0.15 s of CPU time instead of 0.36 s. `page.goto` loads a document.
   */
  goTo: (page: Page, path: string) => Promise<void>;
}

/** Describes tests of the console. Skips them with a message on a machine without Chromium. */
export function describeConsole(name: string, makeTests: (console: Console) => void): void {
  const executable = findChromium();
  if (executable === null) {
    process.stderr.write(
      "Tests of the console in a browser are skipped: no Chromium was found. Install one, or name it in CHROMIUM_PATH.\n",
    );
  }
  describe.skipIf(executable === null)(name, { timeout: SLOW_MS }, () => {
    let browser: Browser;
    let company: Company;
    let shared: SharedContext;
    const contexts = new Set<BrowserContext>();
    beforeAll(async () => {
      checkedKinds.clear();
      browser = await launchChromium(executable ?? "", [...WITHOUT_OPTIMIZED_CODE, ...ONE_PROCESS]);
      company = await startPreparedCompany();
      shared = makeSharedContext(browser, company);
    }, SLOW_MS);
    afterEach(async () => {
      for (const context of contexts) await context.close();
      contexts.clear();
      await shared?.reset();
    });
    afterAll(async () => {
      await browser?.close();
      await stopAllServers();
    });
    const open = async (options: OpenOptions = {}) => {
      const opened = await openPage(browser, options);
      contexts.add(opened.context);
      return opened;
    };
    const openSession = async (email = owner.email, options: OpenOptions = {}) => {
      if (email === owner.email && Object.keys(options).length === 0) return shared.open();
      const opened = await open(options);
      const url = options.url ?? company.server.url;
      await opened.context.addCookies([toCookie(url, company.sessions[email])]);
      return opened;
    };
    makeTests({
      company: () => company,
      browser: () => browser,
      open,
      openSession,
      goTo: async (page, path) => {
        const { url } = company.server;
        if (page.url().startsWith(`${url}/`) && (await hasRouter(page))) {
          return openByRouter(page, path);
        }
        await page.goto(url + path);
        await settle(page);
      },
      openOverview: async (email, options) => {
        const opened = await openSession(email, options);
        await opened.page.goto(options?.url ?? company.server.url);
        await opened.page.locator("h1:focus", { hasText: "Northwind Robotics" }).waitFor();
        return opened;
      },
    });
  });
}

interface SharedContext {
  /** Opens an empty page in the owner's session. */
  open: () => Promise<Opened>;
  /** Closes the pages. Restores cookies, storage and permissions. */
  reset: () => Promise<void>;
}

/**
 * Makes a context for pages of the owner. One page stays open and keeps the process alive. A further page loads in 0.6
 * s of CPU time instead of 0.85 s in a new context.
 */
function makeSharedContext(browser: Browser, { server, sessions }: Company): SharedContext {
  const pages = new Set<Page>();
  const cookies = [toCookie(server.url, sessions[owner.email])];
  let kept: Promise<Page> | null = null;
  const openKept = async () => {
    const context = await openContext(browser);
    await context.addCookies(cookies);
    const page = await context.newPage();
    // A document of the console's origin, without the console.
    await page.goto(`${server.url}/healthz`);
    return page;
  };
  return {
    open: async () => {
      kept ??= openKept();
      const opened = await openPageIn((await kept).context());
      pages.add(opened.page);
      return opened;
    },
    reset: async () => {
      if (kept === null) return;
      for (const page of pages) await page.close();
      pages.clear();
      const page = await kept;
      await page.evaluate("localStorage.clear()");
      await page.context().clearPermissions();
      await page.context().clearCookies();
      await page.context().addCookies(cookies);
    },
  };
}

export async function openPage(browser: Browser, options: OpenOptions = {}): Promise<Opened> {
  return openPageIn(await openContext(browser, options));
}

async function openContext(
  browser: Browser,
  { width = 1440, colorScheme = "light", hasTouch = false, changeDelayMs = 0 }: OpenOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    hasTouch,
    timezoneId: "UTC",
    reducedMotion: "reduce",
    acceptDownloads: true,
  });
  context.setDefaultTimeout(MAX_WAIT_MS);
  if (changeDelayMs !== null) {
    await context.addInitScript(`globalThis.bursarChangeDelayMs = ${changeDelayMs}`);
  }
  if (SLOW_NETWORK_MS > 0) {
    await context.route("**/*", async (route) => {
      await delay(Math.random() * SLOW_NETWORK_MS);
      // The page of the request may have closed.
      await route.continue().catch(() => undefined);
    });
  }
  return context;
}

/** Opens an empty page in a context. */
export async function openPageIn(context: BrowserContext): Promise<Opened> {
  const page = await context.newPage();
  watchTraffic(page);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // A refusal is a normal response, not a fault: no session, an invalid field, a conflict.
    const isAnswer = /status of 4(?:00|01|03|04|09|29)/.test(message.text());
    if (message.type() === "error" && !isAnswer) faults.push(message.text());
  });
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    const isOwn = hostname === "127.0.0.1" || hostname === "localhost";
    if (protocol.startsWith("http") && !isOwn) faults.push(request.url());
  });
  return { page, context, faults };
}

/** Cookie as the server sets it. */
export function toCookie(url: string, session = "") {
  const [name = "", ...value] = session.split("=");
  return { name, value: value.join("="), url, httpOnly: true, sameSite: "Lax" as const };
}

/** Fills in the sign-in and waits for the overview. */
export async function signIn(
  page: Page,
  email: string,
  { url, password = owner.password }: { url: string; password?: string },
): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Northwind Robotics" }).waitFor();
}

export async function signOut(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

interface Traffic {
  /** Requests without a response. */
  running: Set<Request>;
  /** Last start or end of a request, on the clock of `performance.now()`. */
  changedAtMs: number;
}

const trafficOf = new WeakMap<Page, Traffic>();

function watchTraffic(page: Page): void {
  const traffic: Traffic = { running: new Set(), changedAtMs: performance.now() };
  trafficOf.set(page, traffic);
  const recordTraffic = (change: () => void) => {
    change();
    traffic.changedAtMs = performance.now();
  };
  page.on("request", (request) =>
    recordTraffic(() => {
      // A new document does not wait for requests of the previous one.
      if (request.isNavigationRequest()) traffic.running.clear();
      traffic.running.add(request);
    }),
  );
  page.on("requestfinished", (request) => recordTraffic(() => traffic.running.delete(request)));
  page.on("requestfailed", (request) => recordTraffic(() => traffic.running.delete(request)));
}

/**
 * Waits until a page has its title and no open requests. The load state of Playwright is not enough. On a busy
 * machine it may come before the title, and a link to another page does not change it.
 */
export async function settle(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  const traffic = trafficOf.get(page);
  if (!traffic) throw new Error("the page was not opened by openPage");
  const deadlineMs = performance.now() + MAX_WAIT_MS;
  for (;;) {
    // The page must also be idle: everything is drawn, and no request is about to start.
    await page.evaluate("new Promise((resolve) => requestIdleCallback(() => resolve()))");
    const quietMs = performance.now() - traffic.changedAtMs;
    if (traffic.running.size === 0 && quietMs >= QUIET_MS) return;
    if (performance.now() > deadlineMs) {
      const asked = [...traffic.running].map((request) => request.url());
      throw new Error(
        `the page did not settle: ${asked.join(", ") || "it sends requests continuously"}`,
      );
    }
    await delay(Math.max(POLL_MS, QUIET_MS - quietMs));
  }
}

type Violations = Awaited<ReturnType<AxeBuilder["analyze"]>>["violations"];

/** axe-core, minified. */
const axeSource = readFileSync(
  createRequire(import.meta.resolve("@axe-core/playwright")).resolve("axe-core/axe.min.js"),
  "utf8",
);

/** Runs in the page. Lets axe check the contrast of one text of each kind, and not write down each element that passes. */
const configureAxe = `axe.configure({
  noHtml: true,
  rules: [{ id: "color-contrast", selector: "*:not([${EQUAL_COLORS}])" }],
}), undefined`;

/** Kinds of text whose contrast was checked in this test file. */
const checkedKinds: CheckedKinds = new Map();

/** Returns a script of the page. `exclude`: selector of parts that axe leaves out. */
const writeRun = (exclude: string | undefined) =>
  `axe.run(${exclude === undefined ? "document" : JSON.stringify({ exclude: [[exclude]] })},
    { resultTypes: ["violations"], selectors: false }).then(({ violations }) => violations)`;

/**
 * Returns axe findings of a page, of any severity. The package's own builder takes 0.46 s in the page instead of 0.27
 * s. The builder loads the source that is not minified, and creates a selector for each element.
 */
export async function findViolations(page: Page, exclude?: string): Promise<Violations> {
  // A page that was opened inside the console has the source already.
  if (!(await page.evaluate("'axe' in globalThis"))) {
    await page.evaluate(axeSource);
    await page.evaluate(configureAxe);
  }
  const kinds: string[] = await page.evaluate(markEqualColors(checkedKinds));
  const violations: Violations = await page.evaluate(writeRun(exclude));
  if (violations.length === 0) {
    for (const kind of kinds) checkedKinds.set(kind, (checkedKinds.get(kind) ?? 0) + 1);
    return [];
  }
  // A new axe checks everything, and names the elements.
  await page.evaluate(axeSource);
  return page.evaluate(writeRun(exclude));
}

/** Presses the key that creates an entry, once the page listens. */
export async function pressCreate(page: Page): Promise<void> {
  await page.locator("main [data-create]").first().waitFor();
  // The title gets the focus as the last step of opening a page. Shortcuts work by then.
  await page.locator("h1:focus").waitFor();
  await page.keyboard.press("c");
}

/**
 * Time within which a change of a key takes effect. The process that changed the key reads it again as every other
 * does.
 */
const EFFECTIVE_WITHIN_MS = 1_000;

/** Waits until messages with this key get the status. Throws when one sent after a second gets another. */
export async function waitForStatus(url: string, key: string, status: number): Promise<void> {
  const changedAtMs = performance.now();
  for (;;) {
    const sentAtMs = performance.now();
    const answer = await sendMessage(url, key);
    if (answer.status === status) return;
    if (sentAtMs - changedAtMs > EFFECTIVE_WITHIN_MS) {
      throw new Error(`a second later still ${answer.status}: ${answer.text}`);
    }
    await delay(POLL_MS);
  }
}

/** Secret in the open dialog. */
export async function readSecret(page: Page): Promise<string> {
  return ((await page.locator("output").textContent()) ?? "").trim();
}

/** Confirms that the secret is stored, and closes the dialog. */
export async function storeSecret(page: Page): Promise<void> {
  await page.getByLabel("I stored it").check();
  await page.getByRole("button", { name: "Done" }).click();
  await page.locator("output").waitFor({ state: "detached" });
}

/** Runs in the page. Defines a function that finds a property of a component in React's own tree. */
const defineFindProperty = `
  const findProperty = (name, isWanted) => {
    const root = document.getElementById("root");
    const key = Object.keys(root).find((key) => key.startsWith("__reactContainer"));
    const look = (fiber) => {
      for (let one = fiber; one; one = one.sibling) {
        const value = one.memoizedProps?.[name];
        const found = value && isWanted(value) ? value : look(one.child);
        if (found) return found;
      }
      return null;
    };
    return look(root[key]);
  };
  // The pages of visitors have no cache and no router.
  const client = findProperty("client", (client) => client.getQueryCache);
  const router = findProperty("router", (router) => router.navigate);
`;

/** Pages of visitors have none. */
function hasRouter(page: Page): Promise<boolean> {
  return page.evaluate(`(() => { ${defineFindProperty} return Boolean(router); })()`);
}

/**
 * Opens a path inside the loaded console, as a link does, and waits until it has loaded. Data of other pages is
 * removed first, so that the new page loads its own.
 */
export async function openByRouter(page: Page, path: string): Promise<void> {
  await page.evaluate(`(() => {
    ${defineFindProperty}
    client.removeQueries({ type: "inactive" });
    return router.navigate({ href: ${JSON.stringify(path)} });
  })()`);
  await settle(page);
}

/**
 * Returns every place in which a page may keep data: address, history, storage, the document, and the query cache,
 * found through React's own tree.
 */
export function readPageState(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    ${defineFindProperty}
    const queries = client?.getQueryCache().getAll().map((query) => [query.queryKey, query.state]);
    const changes = client?.getMutationCache().getAll().map((change) => change.state);
    const write = (_, value) => (typeof value === "bigint" ? String(value) : value);
    return JSON.stringify([
      location.href, history.state, { ...localStorage }, { ...sessionStorage }, document.cookie, name,
      document.documentElement.outerHTML,
      [...document.querySelectorAll("input, textarea")].map((field) => field.value),
      queries, changes,
    ], write);
  })()`);
}
