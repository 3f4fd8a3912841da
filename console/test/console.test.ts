import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  root,
  sendMessage,
  startServer,
  stopAllServers,
} from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import { type Company, owner, setUpLinkOf, startCompany } from "./company.ts";
import { pagesOf } from "./pages.ts";

// The console as people meet it: the built files, served by the real program, in a real browser.

const executable = findChromium();
if (executable === null) {
  process.stderr.write(
    "The tests of the console in a browser are left out: no Chromium was found. Install one, or name it in CHROMIUM_PATH.\n",
  );
}
const SLOW_MS = 240_000;
/** A busy machine draws slowly; what does not come in this time does not come. */
const PATIENCE_MS = 10_000;

let browser: Browser;
let company: Company;
const contexts = new Set<BrowserContext>();

describe.skipIf(executable === null)("the console in a browser", () => {
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(root, "scripts", "build-console.mjs")]);
    browser = await launchChromium(executable ?? "");
    company = await startCompany();
  }, SLOW_MS);
  afterEach(async () => {
    for (const context of contexts) await context.close();
    contexts.clear();
  });
  afterAll(async () => {
    await browser?.close();
    await stopAllServers();
  });

  test(
    "from the link of the first start to the first request, which turns the page green",
    async () => {
      const server = await startServer();
      const { page, faults } = await openPage();
      await page.goto(setUpLinkOf(server));
      await page.getByLabel("Company").fill("Acme");
      expect(page.url()).toBe(`${server.url}/setup`);
      await page.getByLabel("Your name").fill("Grace Hopper");
      await page.getByLabel("E-mail").fill("grace@acme.example");
      await page.getByLabel("Password", { exact: true }).fill("short");
      await page.getByRole("button", { name: "Create owner" }).click();
      await page
        .getByText(/at least 12/i)
        .last()
        .waitFor();
      await page.getByLabel("Password", { exact: true }).fill(owner.password);
      await page.getByRole("button", { name: "Create owner" }).click();
      await page.getByRole("button", { name: "Go on with the simulator" }).click();
      await page.getByLabel("Name").fill("Engineering");
      await page.getByRole("button", { name: "Create workspace" }).click();
      await page.getByRole("button", { name: "Create a key" }).click();
      const key = ((await page.locator("output").textContent()) ?? "").trim();
      await page.getByLabel("I stored it").check();
      await page.getByRole("button", { name: "Done" }).click();
      await page.getByText("Waiting for your first request…").waitFor();
      expect((await sendMessage(server.url, key)).status).toBe(200);
      await page.getByText("Your first request has arrived.").waitFor();
      await page.getByRole("button", { name: "Go to the overview" }).click();
      await page.getByRole("heading", { level: 1, name: "Acme" }).waitFor();
      expect(faults).toEqual([]);
      await server.stop();
    },
    SLOW_MS,
  );

  test("a link that was used up, or none at all, lets nobody in", async () => {
    const { page } = await openPage();
    await page.goto(company.setUpLink);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(page.url()).toBe(`${company.server.url}/login`);
  });

  test("a wrong password is refused in words, and the right one leads to where one wanted to go", async () => {
    const { page } = await openPage();
    await page.goto(`${company.server.url}/cost?range=month`);
    await page.getByLabel("E-mail").fill(owner.email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByLabel("E-mail").inputValue()).toBe(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Cost" }).waitFor();
    expect(page.url()).toBe(`${company.server.url}/cost?range=month`);
  });

  test("after signing out, nothing of the session is left to see", async () => {
    const { page } = await openSignedIn();
    await page.goto(`${company.server.url}/keys`);
    await settle(page);
    signedIn = null;
    await page.getByRole("button", { name: owner.name }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.getByText("CI pipeline").count()).toBe(0);
  });

  // Each theme and each width once: what axe finds by colour does not hang on the width.
  test.each([
    ["wide", "light", 1440],
    ["narrow", "dark", 390],
  ] as const)(
    "every page on %s screens in %s is free of axe findings, fits the width, and breaks no policy",
    async (_, colorScheme, width) => {
      const { page, faults } = await openSignedIn({ width, colorScheme });
      const findings: unknown[] = [];
      for (const [name, path] of pagesOf(company)) {
        await page.goto(company.server.url + path);
        await settle(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        for (const { id, nodes } of violations) findings.push([name, id, nodes[0]?.html]);
        const overflow = await page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        if (overflow !== 0) findings.push([name, `is ${overflow} px too wide`]);
      }
      expect(findings).toEqual([]);
      expect(faults.filter((fault) => !fault.includes("404"))).toEqual([]);
    },
    SLOW_MS,
  );

  test("a new key is shown once, in a dialog that does not close by accident, and stays nowhere", async () => {
    const { page } = await openSignedIn();
    await page.goto(`${company.server.url}/keys`);
    await settle(page);
    await page.keyboard.press("c");
    await page.getByLabel("Name").fill("Nightly report");
    await page.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByRole("button", { name: "Review key" }).click();
    await page.getByText("In Research, this key can send messages to Claude").waitFor();
    await page.getByRole("button", { name: "Create key" }).click();
    const secret = ((await page.locator("output").textContent()) ?? "").trim();
    expect(secret).toMatch(/^sk-ant-api03-/);
    await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    expect(await page.locator("output").isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: "Done" }).isDisabled()).toBe(true);
    await page.getByLabel("I stored it").check();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("link", { name: "Nightly report" }).waitFor();
    const left = await page.evaluate(
      "JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])",
    );
    expect(String(left)).not.toContain(secret.slice(20, 40));
    expect((await sendMessage(company.server.url, secret)).status).toBe(200);
  });

  test("a change that can do harm asks who is there, and then goes on by itself", async () => {
    const { page } = await openSignedIn();
    await company.server.sql("UPDATE auth_session SET stepped_up_at = now() - interval '1 hour'");
    await page.goto(`${company.server.url}/admin-keys`);
    await page.getByRole("button", { name: "Create admin key…" }).click();
    await page.getByLabel("Name").fill("Terraform");
    await page.getByRole("button", { name: "Create admin key", exact: true }).click();
    await page.getByRole("heading", { name: "Confirm it is you" }).waitFor();
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("heading", { name: "Store the admin key" }).waitFor();
    expect(((await page.locator("output").textContent()) ?? "").trim()).toMatch(/^sk-ant-admin01-/);
  });

  test("by keyboard alone: search finds a page, and focus lands on its title", async () => {
    const { page } = await openSignedIn();
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder("A page, a workspace, a key…").fill("limits");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Limits" }).waitFor();
    await page.locator("h1:focus").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("k");
    await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
    await page.locator("h1:focus").waitFor();
  });

  test("while the server is away the page says so and keeps what was entered; then it goes on", async () => {
    const { page, context } = await openSignedIn();
    await page.goto(`${company.server.url}/workspaces`);
    await page.getByRole("button", { name: "Create workspace…" }).click();
    await page.getByLabel("Name").fill("Written offline");
    await context.setOffline(true);
    await page.getByRole("button", { name: "Create workspace", exact: true }).click();
    await page.getByText("The server does not answer. What you see may be old").waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("Written offline");
    await context.setOffline(false);
    await page.getByText("The server does not answer. What you see may be old").waitFor({
      state: "detached",
    });
    await page.getByRole("button", { name: "Create workspace", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Written offline" }).waitFor();
  });
});

interface Opened {
  page: Page;
  context: BrowserContext;
  /** What the browser complained about: errors, broken policies, and every request to another server. */
  faults: string[];
}

async function openPage({
  width = 1440,
  colorScheme = "light" as "light" | "dark",
} = {}): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    reducedMotion: "reduce",
  });
  contexts.add(context);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // The first look whether somebody is signed in is a 401 where nobody is, and a refused form is a 400: no faults.
    const isAnswer = /status of 40[01]/.test(message.text());
    if (message.type() === "error" && !isAnswer) faults.push(message.text());
  });
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") faults.push(request.url());
  });
  return { page, context, faults };
}

let signedIn: Awaited<ReturnType<BrowserContext["storageState"]>> | null = null;

/** Somebody who has signed in: once for all tests, since sign-ins are counted. */
async function openSignedIn(options: Parameters<typeof openPage>[0] = {}): Promise<Opened> {
  const opened = await openPage(options);
  const { page, context } = opened;
  if (signedIn) await context.addCookies(signedIn.cookies);
  await page.goto(company.server.url);
  const title = page.getByRole("heading", { level: 1, name: "Northwind Robotics" });
  const form = page.getByLabel("E-mail");
  await title.or(form).waitFor();
  if (await form.isVisible()) {
    await form.fill(owner.email);
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await title.waitFor();
    signedIn = await context.storageState();
  }
  return opened;
}

async function settle(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("networkidle");
}
