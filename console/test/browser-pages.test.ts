import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "@playwright/test";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { eventually } from "../../server/test/harness/eventually.ts";
import { test } from "../../server/test/harness/product-test.ts";
import { root, textField } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";
import type { PageAccess, PageAnswer, PageCall, PageError } from "./browser-clients.ts";

// Pages of another origin in Chromium, which call the whole program with the official SDKs by the rules of the browser.

const executable = findChromium();
const TIMEOUT_MS = 120_000;
const CHANGE_MS = 20_000;
const WRONG_KEY = "sk-ant-api03-wrong";

/** The SDKs for browsers, as a module of the page. */
async function bundleClients(): Promise<string> {
  const input = join(root, "console/test/browser-clients.ts");
  const bundle = await rolldown({ input, platform: "browser", logLevel: "silent" });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  return output[0].code;
}

/** A page with the SDKs, on an origin of its own. */
async function servePage(script: string): Promise<string> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/clients.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    const html =
      '<!doctype html><title>App</title><script type="module" src="/clients.js"></script>';
    response.end(isScript ? script : html);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

let script: string;
let browser: Browser;
beforeAll(async () => {
  if (executable === null) return;
  script = await bundleClients();
  browser = await launchChromium(executable);
});
afterAll(() => browser?.close());

interface App {
  page: Page;
  origin: string;
  /** Number of questions that the browser asked before requests of the page. */
  preflights: () => number;
}

/** Opens a page with the SDKs, on an origin of its own. */
async function openApp(): Promise<App> {
  const origin = await servePage(script);
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  let preflights = 0;
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.requestWillBeSent", ({ type }) => {
    if (type === "Preflight") preflights += 1;
  });
  await page.goto(origin);
  await page.waitForFunction("globalThis.callFromPage !== undefined");
  return { page, origin, preflights: () => preflights };
}

/** Sends a request from the page. */
async function callFrom(
  page: Page,
  name: PageCall,
  access: PageAccess,
): Promise<PageAnswer | PageError> {
  const text = await page.evaluate(
    `callFromPage(${JSON.stringify(name)}, ${JSON.stringify(access)}).then(JSON.stringify)`,
  );
  return JSON.parse(String(text)) as PageAnswer | PageError;
}

const calls: PageCall[] = ["apiKey", "authToken", "stream", "completion", "completionStream"];

test.skipIf(executable === null).for(calls)(
  "%s: a page of an allowed origin reads answers, errors and headers",
  { timeout: TIMEOUT_MS },
  async (name, { server }) => {
    const { page, origin, preflights } = await openApp();
    const { url } = server;
    const { workspaceId, key: other } = await server.workspaceWithKey({ name: `Pages ${name}` });
    await server.mustOperator("POST", "/v1/admin/rate_limits", {
      ...{ scope: { type: "workspace", workspace_id: workspaceId }, requests_per_minute: 100 },
    });
    const made = await server.mustOperator("POST", "/v1/admin/api_keys", {
      ...{ name: "Page", workspace_id: workspaceId, allowed_origins: [origin] },
    });
    const key = textField(made, "key");
    const send = (secret: string) => callFrom(page, name, { url, key: secret });
    // The node reads the origins within some milliseconds of the change.
    const answer = await eventually(CHANGE_MS, "the page can read an answer", async () => {
      const found = await send(key);
      return "text" in found ? found : null;
    });
    expect(answer).toEqual({
      text: expect.stringMatching(/You wrote: Hello, Claude$/),
      requestId: expect.stringMatching(/^req_/),
      remaining: expect.stringMatching(/^\d+$/),
    });

    const asked = preflights();
    expect(await send(key)).toMatchObject({ text: answer.text });
    expect(preflights(), "the browser keeps the answer to its question").toBe(asked);

    expect(await send(WRONG_KEY)).toMatchObject({
      ...{ name: "AuthenticationError", status: 401 },
      requestId: expect.stringMatching(/^req_/),
    });
    expect(await send(other)).toMatchObject({
      ...{ name: "PermissionDeniedError", status: 403, code: "origin_not_allowed" },
      requestId: expect.stringMatching(/^req_/),
    });
  },
);

test.skipIf(executable === null)(
  "the browser keeps a page from the API while no key allows its origin",
  { timeout: TIMEOUT_MS },
  async ({ server }) => {
    const { page, origin } = await openApp();
    const { url } = server;
    const { workspaceId } = await server.workspaceWithKey({ name: "Closed" });
    const made = await server.mustOperator("POST", "/v1/admin/api_keys", {
      ...{ name: "Page", workspace_id: workspaceId, allowed_origins: ["https://b.example.com"] },
    });
    const access = { url, key: textField(made, "key") };
    const blocked = { name: "APIConnectionError", status: null, code: null, requestId: null };
    for (const name of ["apiKey", "stream", "completion"] as const) {
      expect(await callFrom(page, name, access)).toEqual(blocked);
    }
    const path = `/v1/admin/api_keys/${textField(made, "id")}`;
    await server.mustOperator("POST", path, { allowed_origins: [origin] });
    await eventually(CHANGE_MS, "the page can read an answer", async () =>
      "text" in (await callFrom(page, "apiKey", access)) ? true : null,
    );
    await server.mustOperator("POST", path, { allowed_origins: null });
    // A cached answer lets the browser send the request, but its answer cannot be read.
    await eventually(CHANGE_MS, "the page is kept from the API", async () => {
      const found = await callFrom(page, "apiKey", access);
      return "name" in found && found.name === blocked.name ? true : null;
    });
  },
);
