import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished } from "vitest";
import { eventually } from "../../server/test/harness/eventually.ts";
import { test } from "../../server/test/harness/product-test.ts";
import { textField } from "../../server/test/harness/server-process.ts";
import { findChromium, launchChromium } from "./browser.ts";

// A page of another origin in Chromium, which calls the whole program by the rules of the browser.

const executable = findChromium();
const TIMEOUT_MS = 120_000;
const CHANGE_MS = 20_000;

/** An empty page on an origin of its own. */
async function servePage(): Promise<{ origin: string; close: () => void }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<!doctype html><title>App</title>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface PageAnswer {
  status: number;
  requestId: string | null;
  text: string;
}

const body = JSON.stringify({
  model: "claude-sonnet-5",
  max_tokens: 100,
  stream: true,
  messages: [{ role: "user", content: "Hello, Claude" }],
});

test.skipIf(executable === null)(
  "a page calls Claude with a key that allows its origin, until the origin is removed",
  {
    timeout: TIMEOUT_MS,
  },
  async ({ server }) => {
    const app = await servePage();
    onTestFinished(app.close);
    const browser = await launchChromium(executable ?? "");
    onTestFinished(() => browser.close());
    const { workspaceId } = await server.workspaceWithKey({ name: "Pages" });
    const made = await server.mustOperator("POST", "/v1/admin/api_keys", {
      ...{ name: "Page", workspace_id: workspaceId, allowed_origins: [app.origin] },
    });
    const key = textField(made, "key");
    const page = await browser.newPage();
    await page.goto(app.origin);
    /** Null: the browser did not let the page send the request or read the answer. */
    const send = (headers: Record<string, string>): Promise<PageAnswer | null> =>
      page.evaluate(
        async (sent) => {
          try {
            const response = await fetch(sent.url, {
              method: "POST",
              headers: { "content-type": "application/json", ...sent.headers },
              body: sent.body,
            });
            const requestId = response.headers.get("request-id");
            return { status: response.status, requestId, text: await response.text() };
          } catch {
            return null;
          }
        },
        { url: `${server.url}/v1/messages`, headers, body },
      );
    const headers = {
      "x-api-key": key,
      "anthropic-version": "2023-06-01",
      "anthropic-dangerous-direct-browser-access": "true",
      "x-stainless-lang": "js",
    };
    // The node reads the origins within some milliseconds of the change.
    const answer = await eventually(CHANGE_MS, "the page can read an answer", () => send(headers));
    expect(answer.status).toBe(200);
    expect(answer.requestId).toMatch(/^req_/);
    expect(answer.text).toContain("event: message_stop");

    const wrong = await send({ ...headers, "x-api-key": "sk-ant-api03-wrong" });
    expect(wrong?.status).toBe(401);

    const id = textField(made, "id");
    await server.mustOperator("POST", `/v1/admin/api_keys/${id}`, { allowed_origins: null });
    await eventually(CHANGE_MS, "the browser keeps the page from the API", async () =>
      (await send(headers)) === null ? true : null,
    );
  },
);
