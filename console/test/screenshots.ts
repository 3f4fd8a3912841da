// Makes screenshots of every page, wide and narrow, light and dark. `npm run screenshots` writes them into
// console/screenshots, which git ignores, and those of the README into docs/images. With page names (`npm run
// screenshots -- api-keys mail`) it makes only those.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "@playwright/test";
import { eventually } from "../../server/test/harness/eventually.ts";
import { root, stopAllServers } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import { owner, startCompany } from "./company.ts";
import { addCuts } from "./company-cuts.ts";
import { addUpstreams } from "./company-objects.ts";
import { addPeopleAndTags } from "./company-people.ts";
import { fillCompany } from "./full-company.ts";
import { listPages, publicPages } from "./pages.ts";

const inReadme = new Set(["overview", "api-keys", "usage"]);
const folder = join(root, "console", "screenshots");
const images = join(root, "docs", "images");
const only = new Set(process.argv.slice(2));
const sizes = [
  ["wide", { width: 1440, height: 900 }],
  ["narrow", { width: 390, height: 844 }],
] as const;

const executable = findChromium();
if (executable === null) {
  process.stderr.write("No Chromium was found: install one, or name it in CHROMIUM_PATH.\n");
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
const company = await startCompany();
await addPeopleAndTags(company);
const cutPages = await addCuts(company);
await fillCompany(company.server);
// Otherwise keys with a cost would have no last use.
await eventually(60_000, "the last use of the keys to be written", async () => {
  const unused = await company.server.sql(
    `SELECT key.id FROM api_key AS key JOIN api_key_secret AS secret ON secret.api_key_id = key.id
     WHERE key.owner_member_id IS NOT NULL AND key.purpose <> 'claude_code' AND secret.last_used_at IS NULL`,
  );
  return unused.length === 0 ? true : null;
});
await addUpstreams(company.server);
const browser = await launchChromium(executable);
const { url } = company.server;
try {
  const session = await signIn();
  for (const theme of ["light", "dark"] as const) {
    for (const [size, viewport] of sizes) {
      const look = { viewport, colorScheme: theme, deviceScaleFactor: 1 };
      await takeScreenshots([...listPages(company), ...cutPages], `${size}-${theme}`, {
        ...look,
        storageState: session,
      });
      await takeScreenshots(publicPages, `${size}-${theme}`, look);
    }
  }
} finally {
  await browser.close();
  await stopAllServers();
}

type NamedPages = readonly (readonly [name: string, path: string])[];

async function takeScreenshots(pages: NamedPages, form: string, options: BrowserContextOptions) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  for (const [name, path] of pages) {
    if (only.size > 0 && !only.has(name)) continue;
    await page.goto(url + path);
    await settle(page);
    if (form === "wide-light" && inReadme.has(name)) {
      await page.screenshot({ path: join(images, `${name}.png`) });
    }
    await page.screenshot({ path: join(folder, `${name}-${form}.png`), fullPage: true });
  }
  await context.close();
}

async function signIn() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/login`);
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Northwind Robotics" }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

async function settle(page: Page): Promise<void> {
  // A dialog hides the page from assistive technology.
  await page.getByRole("heading", { level: 1, includeHidden: true }).first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.evaluate("document.fonts.ready.then(() => undefined)");
  // Charts animate for this time.
  await page.waitForTimeout(600);
}
