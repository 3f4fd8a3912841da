import { findMovedPath, movedConsolePages } from "@bursar/contract/console-pages.ts";
import { expect, test } from "vitest";
import { type Company, owner } from "./company.ts";
import { loadDocument } from "./inspect-pages.ts";
import { type Console, settle } from "./open-console.ts";

/** Addresses of earlier versions with their new addresses and titles. */
function listMovedAddresses(company: Company): [before: string, now: string, title: string][] {
  const { engineeringId, apiKeyId, reviewId, increaseRequestId } = company;
  return [
    ["/logs?range=30d", "/requests?range=30d", "Requests"],
    ["/keys?issue=never_expires", "/api-keys?issue=never_expires", "API keys"],
    ["/keys?unused=30", "/api-keys?unused=30", "API keys"],
    [`/keys/${apiKeyId}?range=7d`, `/api-keys/${apiKeyId}?range=7d`, "CI pipeline"],
    [`/limits?key=${apiKeyId}`, `/spend-limits?key=${apiKeyId}`, "Limits"],
    [`/limits/rates?key=${apiKeyId}`, `/rate-limits?key=${apiKeyId}`, "Limits"],
    ["/limits/requests?show=all", "/increase-requests?show=all", "Increase requests"],
    [
      `/limits/requests/${increaseRequestId}`,
      `/increase-requests/${increaseRequestId}`,
      "Increase request for Engineering",
    ],
    [
      `/limits/request?scope=workspace&id=${engineeringId}&period=monthly`,
      `/increase-requests/new?scope=workspace&id=${engineeringId}&period=monthly`,
      "Request increase",
    ],
    ["/team?find=grace", "/members?find=grace", "Team"],
    ["/team/invites", "/invites", "Team"],
    ["/team/roles", "/members/roles", "Team"],
    [`/team/access?workspace=${engineeringId}`, `/access?workspace=${engineeringId}`, "Team"],
    ["/reviews?show=ended", "/access-reviews?show=ended", "Access reviews"],
    [`/reviews/${reviewId}/decide`, `/access-reviews/${reviewId}/decide`, ""],
    ["/models", "/model-prices", "Model prices"],
    ["/upstream", "/upstreams", "Upstreams"],
    ["/audit?event=api_key.", "/audit-log?event=api_key.", "Audit log"],
    ["/security", "/security-settings", "Security settings"],
  ];
}

/** Declares the tests of addresses of earlier versions. */
export function testMovedAddresses({ company, open, openSession, goTo }: Console): void {
  // The same document redirects each address, so that one is loaded and all are opened inside it.
  test("gets the console's document from the server, and redirects to its new address with its parameters", async () => {
    const opened = await openSession();
    const { page } = opened;
    const { url } = company().server;
    const readScript = async (path: string) =>
      /<script[^>]* src="[^"]*\/index-[^"]*">/.exec(await (await fetch(url + path)).text())?.[0];
    const consoleScript = await readScript("/");
    expect(consoleScript).toBeDefined();
    const addresses = listMovedAddresses(company());
    const covered = new Set(addresses.map(([before]) => before.split(/[?]/)[0]));
    const missing = movedConsolePages.filter(([before]) => !covered.has(before));
    expect(missing.map(([before]) => before)).toEqual([]);
    await goTo(page, "/account");
    for (const [before, now, title] of addresses) {
      expect(await readScript(before)).toBe(consoleScript);
      await page.evaluate(`history.pushState(null, "", ${JSON.stringify(before)})`);
      await page.waitForURL(url + now);
      // The page need not load its data.
      await page.getByRole("heading", { level: 1, name: title }).first().waitFor();
    }
    expect(opened.faults).toEqual([]);
  });

  test("redirects to its new address inside the console, and the back button skips it", async () => {
    const opened = await openSession();
    const { page } = opened;
    await goTo(page, "/usage");
    await page.evaluate("history.pushState(null, '', '/logs?range=7d')");
    await page.getByRole("heading", { level: 1, name: "Requests" }).waitFor();
    expect(readPath(page.url())).toBe("/requests?range=7d");
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Usage" }).waitFor();
    expect(opened.faults).toEqual([]);
  });

  test("redirects to its new address after the sign-in", async () => {
    const { page, faults } = await open();
    await page.goto(`${company().server.url}/limits/requests?show=all`);
    await page.getByLabel("E-mail").fill(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Increase requests" }).waitFor();
    await settle(page);
    expect(readPath(page.url())).toBe("/increase-requests?show=all");
    expect(faults).toEqual([]);
  });

  test("marks the rail entry whose tabs contain its page", async () => {
    const { page } = await openSession();
    for (const [path, label] of [
      ["/limits/rates", "Limits"],
      ["/limits/requests", "Limits"],
      ["/team/access", "Team"],
    ] as const) {
      await loadDocument(page, company().server.url + path);
      const marked = page.locator("aside nav a[aria-current=page]");
      expect([findMovedPath(path), await marked.allTextContents()]).toEqual([
        readPath(page.url()),
        [label],
      ]);
    }
  });
}

/** Path and query in the address bar. */
function readPath(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
