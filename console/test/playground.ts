import type { Page } from "@playwright/test";
import { beforeAll, expect, test } from "vitest";
import { eventually } from "../../server/test/harness/eventually.ts";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import { type Company, owner } from "./company.ts";
import { type Console, MAX_WAIT_MS, SLOW_MS } from "./open-console.ts";

const RECORDED_MS = MAX_WAIT_MS;

let company: Company;
let openSession: Console["openSession"];
let goTo: Console["goTo"];

/** Declares the tests of the playground, the system page, limits of a key, and names. */
export function testPlayground(console: Console): void {
  beforeAll(() => {
    ({ openSession, goTo } = console);
    company = console.company();
  });

  test(
    "a conversation in the playground is answered, counted exactly, and leaves no secret",
    async () => {
      const page = await openSignedIn("/playground");
      const secrets: string[] = [];
      page.on("request", (request) => {
        const secret = request.headers()["x-api-key"];
        if (secret) secrets.push(secret);
      });
      await sendPrompt(page, "What is a spend limit?");
      await page.getByText("You wrote: What is a spend limit?").waitFor();
      await sendPrompt(page, "And a lease?");
      await page.getByText("Your prompt has 3 message(s)").waitFor();
      await page.getByText(/^req_/).nth(1).waitFor();
      const [shown = ""] = await page.getByText(/^req_/).allTextContents();
      const record = await eventually(RECORDED_MS, "the record", async () => {
        const { status, json } = await company.server.admin("GET", `/v1/admin/requests/${shown}`);
        return status === 200 && json ? json : null;
      });
      expect(record).toMatchObject({
        member_email: owner.email,
        api_key_name: `Playground of ${owner.name}`,
        status: "answered",
        is_stream: true,
      });
      await page.getByText(`$${textField(record, "cost_usd")}`, { exact: true }).waitFor();
      expect(secrets.length).toBe(2);
      const left = await page.evaluate(
        "JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])",
      );
      expect(secrets.some((secret) => String(left).includes(secret.slice(13)))).toBe(false);
      // Leaving the page ends its session.
      await page.getByRole("link", { name: "Limits" }).click();
      await page.getByRole("heading", { level: 1, name: "Limits" }).waitFor();
      await eventually(RECORDED_MS, "the end of the key", async () => {
        const { status } = await sendMessage(company.server.url, secrets[0] ?? "");
        return status === 401 ? status : null;
      });
    },
    SLOW_MS,
  );

  test("the log shows playground requests, and links only to existing pages", async () => {
    const page = await openSignedIn("/playground");
    await sendPrompt(page, "Does the log know?");
    await page.getByText("You wrote: Does the log know?").waitFor();
    const id = (await page.getByText(/^req_/).first().textContent()) ?? "";
    await eventually(RECORDED_MS, "the record", async () => {
      const { status } = await company.server.admin("GET", `/v1/admin/requests/${id}`);
      return status === 200 ? status : null;
    });
    const who = `Playground of ${owner.name}`;
    await page.goto(`${company.server.url}/requests?request=${id}&open=${id}`);
    const drawer = page.getByRole("dialog", { name: "Request" });
    await drawer.getByText(who).waitFor();
    expect(await drawer.locator("a[href^='/api-keys/']").count()).toBe(0);
    expect(await drawer.getByRole("button", { name: "All requests of this key" }).count()).toBe(0);
    await page.keyboard.press("Escape");
    await page.getByRole("cell", { name: who }).waitFor();
  });

  test("a stopped response keeps its text so far", async () => {
    const page = await openSignedIn("/playground");
    // The response takes forty seconds.
    await page.getByLabel("Model").fill("simulate-words-400-pace-100");
    await sendPrompt(page, "Tell me a long story");
    await page.getByRole("button", { name: "Stop response" }).waitFor();
    // Some of the text has arrived, but not all.
    await eventually(RECORDED_MS, "the first words", async () => {
      const log = (await page.getByRole("log").textContent()) ?? "";
      return log.split(/\s+/).length > 15 ? log : null;
    });
    await page.getByRole("button", { name: "Stop response" }).click();
    await page.getByText("You stopped the response").waitFor();
    await page.getByText("(estimated)").waitFor();
    await page.getByRole("button", { name: "Send message" }).waitFor();
  });

  test("a limit refuses with the server's message, and the input stays for a retry", async () => {
    const workspace = await company.server.mustAdmin("POST", "/v1/admin/workspaces", {
      name: "Without money",
    });
    await company.server.mustAdmin("POST", "/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: textField(workspace, "id") },
      period: "monthly",
      limit_usd: 0,
    });
    const page = await openSignedIn("/playground");
    await page.getByLabel("Workspace", { exact: true }).fill("Without");
    await page.getByRole("option", { name: "Without money" }).click();
    await sendPrompt(page, "May I?");
    await page.getByText("You have reached your specified workspace API usage limits.").waitFor();
    expect(await page.getByLabel("Message").inputValue()).toBe("May I?");
    expect(await page.getByRole("log").count()).toBe(0);
  });

  test("the system page shows the components and failed jobs, and refreshes automatically", async () => {
    const page = await openSignedIn("/system");
    await page.getByText("current", { exact: true }).waitFor();
    await page.getByText("Embedded PostgreSQL").waitFor();
    await page.getByText("Built-in simulator").waitFor();
    const given = page.locator("dt", { hasText: "Failed" }).locator("+ dd");
    expect(await given.textContent()).toBe("None");
    await company.server.sql("SELECT graphile_worker.add_job('unknown_task', max_attempts => 1)");
    await company.server.sql(
      "UPDATE graphile_worker._private_jobs SET attempts = max_attempts, last_error = 'it broke' WHERE max_attempts = 1 AND key IS NULL",
    );
    await page.getByText("it broke").waitFor();
    expect(await given.textContent()).toBe("1");
  });

  test("renames of the company and the member appear everywhere", async () => {
    const page = await openSignedIn("/settings");
    await page.getByLabel("Company").fill("Northwind Robotics, Inc.");
    await page.getByRole("button", { name: "Rename company" }).click();
    await page.getByRole("button", { name: "Northwind Robotics, Inc." }).waitFor();
    await goTo(page, "/account");
    await page.getByLabel("Your name").fill("Ada King");
    await page.getByRole("button", { name: "Change name" }).click();
    await page.getByRole("button", { name: "Ada King" }).waitFor();
    await goTo(page, "/members");
    await page.getByText("Ada King").first().waitFor();
  });

  test("a key is found by typing, and its limits are explained", async () => {
    const page = await openSignedIn("/spend-limits");
    await page.getByLabel("Key", { exact: true }).fill("Help centre");
    await page.getByRole("option", { name: /Help centre, production/ }).click();
    await page.getByText(/^Maximum first hold of the next stream: \$/).waitFor();
    await page
      .getByText("The limit of the workspace per calendar month applies first", { exact: false })
      .waitFor();
    expect(new URL(page.url()).searchParams.get("key")).toMatch(/^apikey_/);
    // The same on the key's page.
    await goTo(page, `/api-keys/${company.apiKeyId}`);
    await page.getByText(/^Maximum first hold of the next stream: \$/).waitFor();
  });

  test("unresolved spend is listed and charged with a reason, and then counts", async () => {
    const { server, engineeringId } = company;
    const key = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Cut off",
      workspace_id: engineeringId,
    });
    await sendMessage(server.url, textField(key, "key"), { model: "simulate-cut" });
    const page = await openSignedIn("/spend-limits");
    await page.getByRole("button", { name: /^Resolve req_/ }).click();
    await page.getByLabel("Charge").check();
    await page.getByRole("button", { name: "Charge spend" }).click();
    await page.getByText("Enter a reason.").waitFor();
    await page.getByLabel("Cost", { exact: true }).fill("0.25");
    await page.getByLabel("Reason").fill("The provider billed it");
    await page.getByRole("button", { name: "Charge spend" }).click();
    await page.getByText("No unresolved spend.").waitFor();
    const { data } = await server.mustAdmin("GET", "/v1/admin/spend_adjustments");
    expect(data).toMatchObject([
      { api_key_id: textField(key, "id"), cost_usd: "0.25", reason: "The provider billed it" },
    ]);
  });
}

/** Sends a message once the previous response is complete. */
async function sendPrompt(page: Page, text: string): Promise<void> {
  await page.getByRole("button", { name: "Send message" }).waitFor();
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send message" }).click();
}

async function openSignedIn(path: string): Promise<Page> {
  const { page } = await openSession();
  await page.goto(company.server.url + path);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}
