// Makes the pictures of the console in docs/images: `npm run screenshots`, or `npm run screenshots -- <folder>` for all
// pages in both themes and widths.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { root, stopAllServers } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import { owner, startCompany } from "./company.ts";
import { pagesOf } from "./pages.ts";

/** Those that the README and the guides show. */
const shown = new Set(["overview", "cost", "keys", "limits"]);
const everythingInto = process.argv[2];
const folder = everythingInto ?? join(root, "docs", "images");
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
const browser = await launchChromium(executable);
try {
  for (const theme of ["light", "dark"] as const) {
    for (const [size, viewport] of sizes) {
      if (size === "narrow" && everythingInto === undefined) continue;
      const context = await browser.newContext({
        viewport,
        colorScheme: theme,
        deviceScaleFactor: 1,
      });
      const page = await context.newPage();
      await signIn(page, company.server.url);
      for (const [name, path] of pagesOf(company)) {
        if (everythingInto === undefined && !shown.has(name)) continue;
        await page.goto(company.server.url + path);
        await settle(page);
        const suffix =
          everythingInto === undefined ? `${name}-${theme}` : `${name}-${size}-${theme}`;
        await page.screenshot({ path: join(folder, `${suffix}.png`), fullPage: size === "narrow" });
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await stopAllServers();
}

async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Northwind Robotics" }).waitFor();
}

async function settle(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
  await page.evaluate("document.fonts.ready.then(() => undefined)");
}
