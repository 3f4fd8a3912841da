import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import { type Company, emailOf, owner } from "./company.ts";
import {
  type Console,
  findViolations,
  openByRouter,
  pressCreate,
  readPageState,
  readSecret,
  settle,
  signIn,
  storeSecret,
} from "./open-console.ts";

/** Most actions of a person from the sign-in page to the first request. */
const MAX_STEPS = 8;
/** Longest time from the sign-in page to the first request. The test acts without a pause. */
const MAX_MS = 120_000;

/** Declares the tests of personal keys. */
export function testPersonalKeys({ company, open, openSession, openOverview }: Console): void {
  const mustAdmin: Company["server"]["mustAdmin"] = (...call) =>
    company().server.mustAdmin(...call);

  /** Sets the rules of Marketing, the workspace of the Member Tim. */
  async function setRules(rules: object): Promise<string> {
    const { data } = await mustAdmin("GET", "/v1/admin/workspaces");
    const found = (data as { id: string; name: string }[]).find(({ name }) => name === "Marketing");
    await mustAdmin("POST", `/v1/admin/workspaces/${found?.id}`, rules);
    return found?.id ?? "";
  }

  // A group makes Tim a Developer of another workspace. These tests are about people without such a role.
  beforeAll(async () => {
    const id = await findMemberId(emailOf("Tim"));
    await mustAdmin("DELETE", `/v1/admin/groups/${company().groupId}/members/${id}`);
  });
  afterAll(() =>
    mustAdmin("POST", `/v1/admin/groups/${company().groupId}/members`, { email: emailOf("Tim") }),
  );

  test("a Member without a workspace for a key sees whom to ask, and usage in a workspace", async () => {
    const workspaceId = await setRules({ personal_keys: "off" });
    const { page, faults } = await openSession(emailOf("Tim"), { width: 390 });
    await page.goto(company().server.url);
    await page.getByRole("heading", { name: "No workspace lets you create a key yet" }).waitFor();
    await page.getByRole("link", { name: owner.email }).waitFor();
    await settle(page);
    expect(await findViolations(page)).toEqual([]);
    expect(await page.getByRole("button", { name: "Create your key" }).count()).toBe(0);
    await openByRouter(page, "/connect/python");
    await page.getByRole("heading", { name: "No workspace lets you create a key yet" }).waitFor();
    await page.getByText(`My account is ${emailOf("Tim")}`).waitFor();
    expect(await page.getByRole("heading", { name: "Link for your team" }).count()).toBe(0);
    await openByRouter(page, `/workspaces/${workspaceId}`);
    await page.waitForURL("**/usage");
    await settle(page);
    expect(faults).toEqual([]);
  });

  test.for([1440, 390])(
    "a Member gets from the sign-in to a first request alone, in few steps at %d px",
    async (width) => {
      // The workspace has a list of models, or a group of the person.
      const models = ["claude-haiku-*"];
      await setRules({
        personal_keys: "members",
        personal_key_lifetime_days: 30,
        personal_key_models: width === 390 ? null : models,
      });
      const groupId = width === 390 ? await createGroupOfTim(models) : null;
      const { page, faults } = await open({ width });
      const startedAtMs = performance.now();
      await signIn(page, emailOf("Tim"), company().server);
      // The address, the password and the button.
      let steps = 3;
      const click = async (name: string) => {
        await page.getByRole("button", { name, exact: true }).first().click();
        steps += 1;
      };
      await click("Create your key…");
      await page.getByText("In 30 days (longest)").waitFor({ state: "attached" });
      await click("Create key");
      const dialog = page.getByRole("dialog", { name: "Store the key" });
      await dialog.getByText("Waiting for your first request").waitFor();
      if (width === 1440) {
        // A request that the workspace's rules refuse is reported too.
        const key = (await page.locator("output").textContent()) ?? "";
        const model = "claude-sonnet-5";
        expect((await sendMessage(company().server.url, key, { model })).status).toBe(403);
        await dialog.getByText("model_not_allowed").waitFor();
      }
      await click("curl");
      const secret = (await page.locator("output").textContent()) ?? "";
      const command = (await dialog.locator("pre").allTextContents()).join("\n");
      const { stdout } = await promisify(execFile)("sh", ["-c", command]);
      // Copying and running it.
      steps += 2;
      expect(JSON.parse(stdout)).toMatchObject({ type: "message", role: "assistant" });
      expect(command).toContain('"model": "claude-haiku-');
      await dialog.getByText("Your first request arrived").waitFor();
      expect(performance.now() - startedAtMs).toBeLessThan(MAX_MS);
      expect(steps).toBeLessThanOrEqual(MAX_STEPS);
      await storeSecret(page);
      await page.getByText("Tim’s key").first().waitFor();
      expect(await readPageState(page)).not.toContain(secret.slice(20, 40));
      await settle(page);
      expect(await findViolations(page)).toEqual([]);
      if (groupId !== null) {
        await connectByPage(page);
        await mustAdmin("DELETE", `/v1/admin/groups/${groupId}`);
      }
      expect(faults).toEqual([]);
    },
  );

  /** Finds a client by the palette, creates another key there, and sends a refused and an answered request. */
  async function connectByPage(page: Page): Promise<void> {
    const { url } = company().server;
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder(/^Search pages/).fill("vercel");
    await page.getByRole("option", { name: "Vercel AI", selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/connect/vercel-ai");
    await pressCreate(page);
    await page.getByRole("button", { name: "Create key", exact: true }).click();
    const secret = await readSecret(page);
    await storeSecret(page);
    await page.getByText("The code contains your new key").waitFor();
    expect((await page.locator("pre").allTextContents()).join("\n")).toContain(secret);
    expect((await sendMessage(url, secret, { model: "claude-sonnet-5" })).status).toBe(403);
    await page.getByText("A request arrived, and was refused").waitFor();
    await page.getByText("Use one of these models: claude-haiku-*.").waitFor();
    await page.getByRole("link", { name: owner.name }).waitFor();
    expect(await findViolations(page)).toEqual([]);
    expect((await sendMessage(url, secret, { model: "claude-haiku-4-5" })).status).toBe(200);
    await page.getByText("Your first request arrived").waitFor();
    await page.getByRole("link", { name: "Show request" }).click();
    await page.getByRole("dialog", { name: "Request" }).waitFor();
    expect(await readPageState(page)).not.toContain(secret.slice(20, 40));
  }

  async function createGroupOfTim(allowed_models: string[]): Promise<string> {
    const group = await mustAdmin("POST", "/v1/admin/groups", { name: "Writers", allowed_models });
    const id = textField(group, "id");
    await mustAdmin("POST", `/v1/admin/groups/${id}/members`, { email: emailOf("Tim") });
    return id;
  }

  test("a key is rotated, disabled, enabled and revoked by its owner", async () => {
    const { page, faults } = await openSession(emailOf("Katherine"));
    await mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Of Katherine",
      workspace_id: company().engineeringId,
      owner_member_id: await findMemberId(emailOf("Katherine")),
    });
    await page.goto(`${company().server.url}/personal-keys`);
    const choose = async (action: string) => {
      await page.getByRole("button", { name: "Actions of Of Katherine" }).click();
      await page.getByRole("menuitem", { name: action }).click();
    };
    const row = page.getByRole("listitem").filter({ hasText: "Of Katherine" }).last();
    await choose("Rotate key…");
    await page.getByRole("button", { name: "Rotate key", exact: true }).click();
    await storeSecret(page);
    await row.getByText("rotating").waitFor();
    await choose("Disable key…");
    await page.getByRole("button", { name: "Disable key", exact: true }).click();
    await row.getByText("disabled", { exact: true }).waitFor();
    await choose("Enable key");
    await row.getByText("active", { exact: true }).waitFor();
    await choose("Revoke key…");
    await page.getByRole("button", { name: "Revoke key", exact: true }).click();
    await row.getByText("revoked", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  async function findMemberId(email: string): Promise<string> {
    const [row] = await company().server.sql<{ id: string }>(
      "SELECT id FROM member WHERE email = $1",
      [email],
    );
    return row?.id ?? "";
  }

  test("a key for another person reaches them by a link, which shows the secret to them once", async () => {
    const admin = await openSession();
    const { page } = admin;
    await page.goto(`${company().server.url}/api-keys`);
    await pressCreate(page);
    await page.getByLabel("Name").fill("Made for Tim");
    await page.getByLabel("Workspace", { exact: true }).fill("Marketing");
    await page.getByRole("option", { name: "Marketing" }).click();
    await page.getByLabel("Owner", { exact: true }).selectOption("Another person");
    await page.getByLabel("Person").fill("Tim");
    await page.getByRole("option", { name: "Tim Berners-Lee" }).click();
    await page.getByRole("button", { name: "Review key" }).click();
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByRole("dialog", { name: "Key for Tim Berners-Lee" }).waitFor();
    const link = (await page.locator("output").textContent()) ?? "";
    await page.getByRole("button", { name: "Done" }).click();
    await openByRouter(page, new URL(link).pathname);
    await page.getByRole("heading", { name: "This link shows no key" }).waitFor();

    const { page: own, faults } = await open({ width: 390 });
    await own.goto(link);
    await own.getByLabel("E-mail").fill(emailOf("Tim"));
    await own.getByLabel("Password").fill(owner.password);
    await own.getByRole("button", { name: "Sign in", exact: true }).click();
    await own.getByRole("heading", { name: "Your new key" }).waitFor();
    await settle(own);
    expect(await findViolations(own)).toEqual([]);
    await own.getByRole("button", { name: "Show your key" }).click();
    const secret = await readSecret(own);
    expect((await sendMessage(company().server.url, secret)).status).toBe(200);
    await own.getByText("Your first request arrived").waitFor();
    await storeSecret(own);
    expect(await readPageState(own)).not.toContain(secret.slice(20, 40));
    await own.goto(link);
    await own.getByRole("heading", { name: "This link shows no key" }).waitFor();
    expect([...admin.faults, ...faults]).toEqual([]);
  });

  test("a Member sees their own usage and limits, and asks for more", async () => {
    const workspace_id = await setRules({ personal_keys: "members" });
    const owner_member_id = await findMemberId(emailOf("Tim"));
    const key = await mustAdmin("POST", "/v1/admin/api_keys", {
      ...{ name: "Limited", workspace_id, owner_member_id },
    });
    await mustAdmin("POST", "/v1/admin/spend_limits", {
      scope: { type: "api_key", api_key_id: key["id"] },
      period: "weekly",
      limit_usd: 40,
    });
    const { page, faults } = await openSession(emailOf("Tim"), { width: 390 });
    await page.goto(`${company().server.url}/my-usage`);
    await page.getByText("$40.00 per week").waitFor();
    await settle(page);
    expect(await findViolations(page)).toEqual([]);
    await page.getByRole("link", { name: "Request increase for Key Limited" }).click();
    await page.getByRole("heading", { name: "Request increase" }).waitFor();
    await page.getByLabel("New limit").fill("60");
    await page.getByLabel("Reason").fill("The catalogue is due on Friday.");
    await page.getByRole("button", { name: "Send request" }).click();
    await page.getByText("requests $60.00 per week").waitFor();
    await openByRouter(page, "/my-usage?period=weekly");
    await page.getByRole("link", { name: "$60.00 for Key Limited" }).waitFor();
    await page.getByText("pending").waitFor();
    expect(faults).toEqual([]);
  });

  test("an administrator allows personal keys on the page of the workspace", async () => {
    const id = await setRules({
      personal_keys: "off",
      personal_key_lifetime_days: null,
      personal_key_models: null,
    });
    const { page, faults } = await openOverview();
    await openByRouter(page, `/workspaces/${id}/settings`);
    await page.getByText("Everyone in the company").click();
    await page.getByLabel("Keys per person").fill("2");
    await page.getByText(/^\d+ members of the company can create keys here\.$/).waitFor();
    await page.getByRole("button", { name: "Save rules" }).click();
    await page.getByText("Rules for personal keys saved").waitFor();
    const workspace = await mustAdmin("GET", `/v1/admin/workspaces/${id}`);
    expect(workspace).toMatchObject({ personal_keys: "everyone", personal_keys_per_member: 2 });
    expect(faults).toEqual([]);
  });
}
