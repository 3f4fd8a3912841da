import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { expect, test } from "vitest";
import { sendMessage } from "../../server/test/harness/server-process.ts";
import { owner } from "./company.ts";
import { testManyKeys } from "./many-keys.ts";
import {
  describeConsole,
  type Opened,
  pressCreate,
  readPageState,
  readSecret,
  settle,
  storeSecret,
  USE_WRITTEN_WITHIN_MS,
  waitForStatus,
} from "./open-console.ts";
import { testWaitingChanges } from "./waiting-changes.ts";

const PUBLIC_URL = "https://bursar.example.com";

describeConsole("keys", ({ company, openOverview, openSession, goTo }) => {
  /** Opens the list in a new page. */
  async function openKeys(): Promise<Opened> {
    const opened = await openSession();
    await opened.page.goto(`${company().server.url}/api-keys`);
    return opened;
  }

  /** Creates a key in Research, on the page of the list. The dialog stays open. */
  async function createKey(page: Page, name: string): Promise<string> {
    await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
    await pressCreate(page);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByRole("button", { name: "Review key" }).click();
    await page.getByText("In Research, this key can send messages to Claude").waitFor();
    await page.getByText("The key cannot create keys or change limits.").waitFor();
    await page.getByRole("button", { name: "Create key" }).click();
    const secret = await readSecret(page);
    expect(secret).toMatch(/^sk-ant-api03-/);
    return secret;
  }

  async function openKey(page: Page, name: string): Promise<void> {
    await page.getByRole("link", { name }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
  }

  /** Waits until the last use of both secrets is written. Asks the API, because each reload of a page takes long. */
  async function waitForUseOfSecrets(apiKeyId: string): Promise<void> {
    const readUses = async () => {
      const path = `/v1/admin/api_keys/${apiKeyId}`;
      const { secrets } = await company().server.mustAdmin("GET", path);
      return (secrets as { last_used: object | null }[]).map(({ last_used }) => last_used !== null);
    };
    await expect
      .poll(readUses, { timeout: USE_WRITTEN_WITHIN_MS, interval: 250 })
      .toEqual([true, true]);
  }

  test("a new key is shown once, in a dialog that does not close by accident, and remains in no part of the page", async () => {
    const { page, faults } = await openOverview();
    await page.getByRole("link", { name: "API keys" }).first().click();
    const secret = await createKey(page, "Nightly report");
    const dialog = page.getByRole("dialog", { name: "Store the key" });
    await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    await page.goBack();
    // The address changes before the page asks, and is then restored.
    await page.waitForURL(`${company().server.url}/api-keys`);
    expect(await dialog.isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: "Done" }).isDisabled()).toBe(true);
    await storeSecret(page);
    await page.getByRole("link", { name: "Nightly report" }).waitFor();
    expect(await readPageState(page)).not.toContain(secret.slice(20, 40));
    expect((await sendMessage(company().server.url, secret)).status).toBe(200);
    expect(faults).toEqual([]);
  });

  test("a new key is copied with its address, and its sample for curl succeeds", async () => {
    const { page, context } = await openKeys();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const secret = await createKey(page, "With its address");
    const { url } = company().server;
    await page.getByRole("button", { name: "Copy as variables" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(
      `export ANTHROPIC_BASE_URL=${url}\nexport ANTHROPIC_API_KEY=${secret}`,
    );
    const dialog = page.getByRole("dialog", { name: "Store the key" });
    const shown = async (client: string) => {
      await dialog.getByRole("button", { name: client, exact: true }).click();
      return (await dialog.locator("pre").allTextContents()).join("\n");
    };
    expect(await shown("Claude Code")).toContain(
      `export ANTHROPIC_BASE_URL=${url}\nexport ANTHROPIC_AUTH_TOKEN=${secret}\nclaude`,
    );
    expect(await shown("Python")).toContain(`base_url="${url}"`);
    expect(await shown("TypeScript")).toContain(`baseURL: "${url}"`);
    const { stdout } = await promisify(execFile)("sh", ["-c", await shown("curl")]);
    expect(JSON.parse(stdout)).toMatchObject({ type: "message", role: "assistant" });
    await storeSecret(page);
    expect(await readPageState(page)).not.toContain(secret.slice(20, 40));
  });

  test("an admin creates the key of a gateway with the directory of its users", async () => {
    const { page } = await openKeys();
    await pressCreate(page);
    await page.getByLabel("Name").fill("Gateway of the company");
    await page.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByLabel("Users").selectOption({ label: "Users of Northwind ID" });
    await page.getByLabel("Refuse requests without a known user").uncheck();
    await page.getByRole("button", { name: "Review key" }).click();
    await page
      .getByText("Requests without a known user count for the key alone.", { exact: false })
      .waitFor();
    await page.getByRole("button", { name: "Create key" }).click();
    await readSecret(page);
    await storeSecret(page);
    const search = "/v1/admin/api_keys?search=Gateway%20of%20the%20company";
    const { data } = await company().server.mustAdmin("GET", search);
    expect(data).toMatchObject([
      { user_directory_id: company().directoryId, requires_user: false },
    ]);

    // A key of a person has no users.
    await pressCreate(page);
    await page.getByLabel("Owner", { exact: true }).selectOption("me");
    expect(await page.getByLabel("Users").count()).toBe(0);
  });

  test("copies keys with the public URL of the server", async () => {
    const { page, context } = await openSession();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.route("**/v1/admin/session", async (route) => {
      const response = await route.fetch();
      const session = (await response.json()) as object;
      await route.fulfill({ response, json: { ...session, public_url: PUBLIC_URL } });
    });
    await page.goto(`${company().server.url}/api-keys`);
    const secret = await createKey(page, "By the public address");
    await page.getByRole("button", { name: "Copy as variables" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(
      `export ANTHROPIC_BASE_URL=${PUBLIC_URL}\nexport ANTHROPIC_API_KEY=${secret}`,
    );
    await storeSecret(page);
  });

  test("a tab with a key that was not stored asks before it closes", async () => {
    const { page } = await openKeys();
    await createKey(page, "Closed too early");
    const asked = page.waitForEvent("dialog");
    await page.close({ runBeforeUnload: true });
    const question = await asked;
    expect(question.type()).toBe("beforeunload");
    await question.dismiss();
    expect(await page.getByRole("dialog", { name: "Store the key" }).isVisible()).toBe(true);
  });

  test("a form with input asks before any action closes it, and keeps the input", async () => {
    const { page } = await openSession();
    await page.goto(`${company().server.url}/usage`);
    await settle(page);
    await page.getByRole("link", { name: "API keys" }).first().click();
    await page.getByRole("button", { name: "Create key…" }).click();
    const warning = page.getByText("Your changes are not saved.");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Create key…" }).click();
    await page.getByLabel("Name").fill("Half done");
    const leave = [
      () => page.keyboard.press("Escape"),
      () => page.getByRole("button", { name: "Cancel" }).click(),
      () => page.getByRole("button", { name: "Close" }).click(),
      () => page.goBack(),
    ];
    for (const way of leave) {
      await way();
      await warning.waitFor();
      await page.getByRole("button", { name: "Keep editing" }).click();
      await warning.waitFor({ state: "detached" });
      expect(await page.getByLabel("Name").inputValue()).toBe("Half done");
    }
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Discard changes" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // A value that is back to the original is no change.
    await page.getByRole("button", { name: "Create key…" }).click();
    await page.getByLabel("Name").fill("Typed");
    await page.getByLabel("Name").fill("");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("sends another expiry after the server refused the first one", async () => {
    const { page } = await openKeys();
    const { server } = company();
    const setMaxLifetime = (days: number | null) =>
      server.mustAdmin("POST", "/v1/admin/security_settings", { max_key_lifetime_days: days });
    const submit = async () => {
      await page.getByRole("button", { name: "Review key" }).click();
      await page.getByRole("button", { name: "Create key" }).click();
    };
    await pressCreate(page);
    await page.getByLabel("Name").fill("Refused at first");
    await page.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await setMaxLifetime(30);
    await submit();
    await page.getByText(/^Keys of this organization expire within 30 days/).waitFor();
    await page.getByLabel("Expiry").selectOption("30");
    await submit();
    await readSecret(page);
    await storeSecret(page);
    await setMaxLifetime(null);
  });

  test("edits, rotates, disables, enables and revokes a key, and shows the last use of both secrets", async () => {
    const { page, faults } = await openKeys();
    const { url } = company().server;
    const first = await createKey(page, "Long life");
    await storeSecret(page);
    await openKey(page, "Long life");

    await page.getByRole("button", { name: "Edit key…" }).click();
    await page.getByLabel("Name").fill("Longer life");
    await page.getByText("Models, addresses and browser pages").click();
    await page.getByLabel("Models").fill("claude-haiku-*");
    await page.getByLabel("Browser pages").fill("https://app.example.com");
    await page.getByRole("button", { name: "Save key" }).click();
    await page.getByRole("heading", { level: 1, name: "Longer life" }).waitFor();
    await page.getByText("claude-haiku-*", { exact: true }).waitFor();
    await page.getByText("https://app.example.com", { exact: true }).waitFor();
    await page.getByText("models claude-haiku-* · expires").waitFor();
    expect((await sendMessage(url, first)).status).toBe(200);

    await page.getByRole("button", { name: "Rotate key…" }).click();
    await page.getByLabel("In 1 hour").check();
    await page.getByRole("button", { name: "Rotate key", exact: true }).click();
    await page.getByRole("heading", { name: "Store the key" }).waitFor();
    const second = await readSecret(page);
    await storeSecret(page);
    for (const secret of [first, second]) {
      expect((await sendMessage(url, secret)).status).toBe(200);
      expect(await readPageState(page)).not.toContain(secret.slice(20, 40));
    }
    await page.getByRole("heading", { name: "Secrets during rotation" }).waitFor();
    const secrets = page.locator("li", { has: page.locator("code") });
    const old = secrets.filter({ hasText: "expires" });
    const current = secrets.filter({ hasText: "Current" });
    const keyId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await waitForUseOfSecrets(keyId);
    await page.reload();
    await old.getByText("Last used").waitFor();
    expect([await old.textContent(), await current.textContent()].join("\n")).toMatch(
      /expires.*Last used (?!never).*\nsk-.*Current.*Last used (?!never)/,
    );
    await page.getByRole("button", { name: "Revoke old secret" }).click();
    await old.waitFor({ state: "detached" });
    await waitForStatus(url, first, 401);

    await page.getByRole("button", { name: "Edit key…" }).click();
    await page.getByLabel("Models").fill("claude-opus-*");
    await page
      .getByText(/requests of the last 7 days used models that this list refuses: claude-haiku/)
      .waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Discard changes" }).click();

    await page.getByRole("button", { name: "Disable key…" }).click();
    await page.getByText("This key was last used").waitFor();
    await page.getByRole("button", { name: "Disable key", exact: true }).click();
    await page.getByRole("button", { name: "Enable key" }).waitFor();
    await waitForStatus(url, second, 401);
    await page.getByRole("button", { name: "Enable key" }).click();
    await page.getByRole("button", { name: "Disable key…" }).waitFor();
    await waitForStatus(url, second, 200);

    await page.getByRole("button", { name: "Revoke key…" }).click();
    const revoke = page.getByRole("button", { name: "Revoke key", exact: true });
    expect(await revoke.isDisabled()).toBe(true);
    await page.getByLabel("Type Longer life to confirm").fill("Longer life");
    await revoke.click();
    await page.getByText("revoked", { exact: true }).waitFor();
    await waitForStatus(url, second, 401);
    expect(faults).toEqual([]);
  });

  testWaitingChanges({ company, openSession });

  test("shows the restrictions of each rank with their setter, and removes none of a higher rank", async () => {
    const { page, faults } = await openKeys();
    const { server } = company();
    await createKey(page, "Stopped");
    await storeSecret(page);
    await openKey(page, "Stopped");
    const keyId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const path = `/v1/admin/api_keys/${keyId}`;
    await server.mustAdmin("POST", path, { allowed_models: ["claude-haiku-*"] });
    await server.mustOperator("POST", path, { status: "inactive" });
    await page.reload();
    await page.getByText("Disabled by the operator.").waitFor();
    expect(await page.getByRole("button", { name: "Enable key" }).isDisabled()).toBe(true);
    const restrictions = page
      .locator("section", { has: page.getByRole("heading", { name: "Restrictions" }) })
      .getByRole("listitem");
    await restrictions.getByText("Only the operator can remove them.").waitFor();
    await restrictions.getByText("Set by an Admin (an admin key)").waitFor();
    await page
      .getByRole("definition")
      .filter({ hasText: "claude-haiku-*Set by an Admin" })
      .waitFor();
    await restrictions
      .filter({ hasText: "an Admin" })
      .getByRole("button", { name: "Remove restrictions" })
      .click();
    await restrictions.filter({ hasText: "an Admin" }).waitFor({ state: "detached" });
    const { allowed_models } = await server.mustAdmin("GET", path);
    expect(allowed_models).toBeNull();
    expect(faults).toEqual([]);
  });

  testManyKeys({ company, openKeys });

  test("a dangerous change asks for a step-up, and then continues by itself", async () => {
    const { page } = await openSession();
    const { url, sql } = company().server;
    await sql("UPDATE auth_session SET stepped_up_at = now() - interval '1 hour'");
    // A change that waits asks before the wait.
    await page.goto(`${url}/spend-limits`);
    await page.getByRole("button", { name: "Actions for the limit of Engineering" }).click();
    await page.getByRole("menuitem", { name: "Remove limit…" }).click();
    const removal = page.getByRole("dialog", { name: "Remove limit" });
    await removal.getByRole("button", { name: "Remove limit" }).click();
    await page.getByRole("heading", { name: "Confirm your identity" }).waitFor();
    await page.keyboard.press("Escape");
    await removal.getByRole("button", { name: "Cancel" }).click();
    expect(await page.getByText("will be removed").count()).toBe(0);

    await goTo(page, "/admin-keys");
    await page.getByRole("button", { name: "Create admin key…" }).click();
    await page.getByLabel("Name").fill("Terraform");
    await page.getByRole("button", { name: "Create admin key", exact: true }).click();
    await page.getByRole("heading", { name: "Confirm your identity" }).waitFor();
    await page.getByLabel("Password").fill(owner.password);
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("heading", { name: "Store the admin key" }).waitFor();
    const secret = await readSecret(page);
    expect(secret).toMatch(/^sk-ant-admin01-/);
    await storeSecret(page);
    const left = await readPageState(page);
    expect(left).not.toContain(secret.slice(20, 40));
    expect(left).not.toContain(owner.password);

    await page.getByRole("button", { name: "Revoke Terraform…" }).click();
    const revocation = page.getByRole("dialog", { name: "Revoke admin key" });
    await revocation.getByText("Effects at once").waitFor();
    await revocation
      .getByText("Programs with the key lose all rights of an Admin within a second.")
      .waitFor();
    await revocation.getByRole("button", { name: "Revoke now" }).click();
    await page.getByRole("row", { name: "Terraform" }).getByText("revoked").waitFor();
    const answer = await fetch(`${url}/v1/admin/workspaces`, { headers: { "x-api-key": secret } });
    expect(answer.status).toBe(401);
  });

  test("a form with only changed choices asks before it closes too", async () => {
    const { page } = await openSession();
    const open = async (path: string, button: string) => {
      await goTo(page, path);
      await page.getByRole("button", { name: button }).click();
    };
    const isAsked = async () => {
      await page.keyboard.press("Escape");
      await page.getByText("Your changes are not saved.").waitFor();
      await page.getByRole("button", { name: "Discard changes" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
    };
    await open("/api-keys", "Create key…");
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByRole("listbox").waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    expect(await page.getByLabel("Workspace", { exact: true }).inputValue()).toBe("Research");
    await page.getByRole("button", { name: "Keep editing" }).click();
    await isAsked();

    await open("/members", "Invite members…");
    // The first list has the workspaces, the second one the groups.
    await page.getByRole("button", { name: "Show all" }).first().click();
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByRole("button", { name: "Remove Research" }).waitFor();
    await isAsked();

    await open("/access-reviews", "Start access review…");
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("button", { name: "Remove Ada Lovelace" }).click();
    await isAsked();

    // Some browsers do not focus a checkbox on a click.
    await open("/access-reviews", "Start access review…");
    const box = page.getByRole("dialog").getByRole("checkbox").first();
    await box.evaluate((element) => (element as unknown as { click(): void }).click());
    await isAsked();
  });

  test("the global search does not open over a dialog, because a page change would lose its input or secret", async () => {
    const { page } = await openKeys();
    await page.locator("h1:focus").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByPlaceholder(/^Search pages/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Create key…" }).click();
    await page.getByLabel("Name").fill("Half done");
    await page.keyboard.press("Control+k");
    await page.keyboard.type(" and more");
    expect(await page.getByLabel("Name").inputValue()).toBe("Half done and more");
    expect(await page.getByRole("dialog").count()).toBe(1);
  });

  test("a long list keeps its columns while it scrolls and sorts, and shows cut text in the title", async () => {
    const { page, faults } = await openSession();
    const { url, sql } = company().server;
    const longest = "key of the nightly evaluation of all summaries, shard 17";
    await sql(
      `INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id)
       SELECT 'apikey_many' || lpad(i::text, 20, '0'), organization_id, id, CASE WHEN i = 150 THEN $1 ELSE 'key ' || i END,
         'write', 'system', 'many'
       FROM workspace, generate_series(1, 300) AS i WHERE name = 'Research'`,
      [longest],
    );
    await sql(
      `INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
       SELECT id, sha256(id::bytea), 'sk-ant-api03-' || right(id, 4), now() FROM api_key WHERE created_by_id = 'many'`,
    );
    await page.goto(`${url}/api-keys?show=all`);
    await settle(page);
    const columns = () =>
      page
        .getByRole("columnheader")
        .evaluateAll((all) =>
          all.map((each) => (each as unknown as { offsetWidth: number }).offsetWidth),
        );
    const first = await columns();
    await page.getByRole("button", { name: "Name" }).click();
    expect(await columns()).toEqual(first);
    const link = page.getByRole("link", { name: longest });
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await link.waitFor();
    expect(await columns()).toEqual(first);
    await link.hover();
    expect(await link.getAttribute("title")).toBe(longest);
    await page.setViewportSize({ width: 390, height: 900 });
    await expect.poll(() => page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await sql("DELETE FROM api_key_secret WHERE api_key_id LIKE 'apikey_many%'");
    await sql("DELETE FROM api_key WHERE created_by_id = 'many'");
    expect(faults).toEqual([]);
  });
});
