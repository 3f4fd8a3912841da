// Measures the console with a very large company: `node console/test/large-lists.ts` (results in console/README.md).
// Prints the duration of each route, and for each action in the console the longest task that blocked the page.
import type { Page } from "@playwright/test";
import { stopAllServers } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import { owner, startCompany } from "./company.ts";
import { countGrants, insertLargeCompany, KEYS, MEMBERS, WORKSPACES } from "./large-company.ts";
import { measureRoutes } from "./large-routes.ts";
import { openPage, settle, signIn } from "./open-console.ts";

const executable = findChromium();
if (executable === null) throw new Error("no Chromium was found");

const { server } = await startCompany();
await insertLargeCompany(server);
process.stdout.write(
  `\n${KEYS} keys, ${MEMBERS} members, ${await countGrants(server)} grants, a year of usage\n\n`,
);
await measureRoutes(server);
const browser = await launchChromium(executable);
try {
  const { page } = await openPage(browser);
  page.setDefaultTimeout(60_000);
  await page.addInitScript(`
    globalThis.longTasks = [];
    new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ type: "longtask", buffered: true });
  `);
  await signIn(page, owner.email, { url: server.url });
  process.stdout.write(
    `\n| ${KEYS} keys, ${WORKSPACES} workspaces | took ms | longest task ms |\n|---|---|---|\n`,
  );
  for (const [what, act] of actions(server.url)) {
    await page.evaluate("globalThis.longTasks.length = 0");
    const startedAt = performance.now();
    await act(page);
    const took = Math.round(performance.now() - startedAt);
    const longest = await page.evaluate("Math.max(0, ...globalThis.longTasks)");
    process.stdout.write(`| ${what} | ${took} | ${Math.round(Number(longest))} |\n`);
  }
} finally {
  await browser.close();
  await stopAllServers();
}

function actions(url: string): [what: string, act: (page: Page) => Promise<void>][] {
  const rows = (page: Page) => page.locator("tbody tr[aria-rowindex]");
  const scroll = async (page: Page) => {
    for (let step = 0; step < 40; step += 1) {
      await page.mouse.wheel(0, 2_400);
      await page.waitForTimeout(25);
    }
  };
  return [
    ["open the overview", (page) => goTo(page, url, "/")],
    [
      "open the keys",
      async (page) => {
        await goTo(page, url, "/api-keys?show=all");
        await rows(page).first().waitFor();
      },
    ],
    ["scroll through the keys", scroll],
    [
      "search the keys",
      async (page) => {
        await page.evaluate("scrollTo(0, 0)");
        await page.getByLabel("Search keys").pressSequentially("key 99", { delay: 40 });
        await page.getByRole("link", { name: "Key 9999" }).first().waitFor();
      },
    ],
    [
      "sort the keys by name",
      async (page) => {
        await page.getByLabel("Search keys").fill("");
        await page.getByRole("button", { name: "Name" }).click();
        await page.waitForTimeout(400);
      },
    ],
    [
      "choose a workspace for a new key",
      async (page) => {
        await page.getByRole("button", { name: "Create key…" }).click();
        await page
          .getByLabel("Workspace", { exact: true })
          .pressSequentially("Team 77", { delay: 40 });
        await page.getByRole("option", { name: "Team 77", exact: true }).click();
        await page.getByRole("listbox").waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("button", { name: "Discard changes" }).click();
      },
    ],
    [
      "find a key by ⌘K",
      async (page) => {
        await page.keyboard.press("Control+k");
        await page.getByPlaceholder(/^Search pages/).pressSequentially("key 4321", { delay: 40 });
        await page.getByRole("option", { name: "Key 4321" }).click();
        await page.getByRole("heading", { level: 1, name: "Key 4321" }).waitFor();
      },
    ],
    [
      "open the workspaces",
      async (page) => {
        await goTo(page, url, "/workspaces");
        await rows(page).first().waitFor();
      },
    ],
    ["scroll through the workspaces", scroll],
    ["open the limits, one for each workspace", (page) => goTo(page, url, "/spend-limits")],
    ["scroll through the limits", scroll],
    ["open the usage", (page) => goTo(page, url, "/usage?range=30d")],
    ["open the members", (page) => goTo(page, url, "/members")],
    ["open the access list", (page) => goTo(page, url, "/access")],
    ["open the audit log", (page) => goTo(page, url, "/audit-log")],
  ];
}

async function goTo(page: Page, url: string, path: string): Promise<void> {
  await page.goto(url + path);
  await settle(page);
}
