import { expect, test } from "vitest";
import { sendMessage } from "../../server/test/harness/server-process.ts";
import { emailOf, owner } from "./company.ts";
import { focusByTab, pressAll, pressShortcut, waitForFocus } from "./keyboard.ts";
import {
  type Console,
  pressCreate,
  SLOW_MS,
  settle,
  USE_WRITTEN_WITHIN_MS,
  waitForStatus,
} from "./open-console.ts";

/** Declares the tests by keyboard alone. */
export function testKeyboard({ company, open, openOverview }: Console): void {
  test(
    "signs in, creates a workspace and a key in it, copies the key, sets a limit, revokes the key and signs out",
    async () => {
      const { page, context, faults } = await open();
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      const { url } = company().server;
      const press = (...keys: string[]) => pressAll(page, keys);
      const type = (text: string) => page.keyboard.type(text);
      await page.goto(url);
      await page.locator("input[type=email]:focus").waitFor();
      await type(emailOf("Grace"));
      await press("Tab");
      await type(owner.password);
      await press("Enter");
      await page.locator("h1:focus").waitFor();

      await pressShortcut(page, "w");
      await page.locator("h1:focus", { hasText: "Workspaces" }).waitFor();
      await pressCreate(page);
      await page.getByLabel("Name").and(page.locator(":focus")).waitFor();
      await type("By keyboard");
      await press("Enter");
      await page.locator("h1:focus", { hasText: "By keyboard" }).waitFor();

      await page.getByRole("button", { name: "Create key…" }).first().waitFor();
      await pressCreate(page);
      await page.getByLabel("Name").and(page.locator(":focus")).waitFor();
      await type("Pressed");
      await press("Enter");
      await page.getByText("In By keyboard, this key can send messages").waitFor();
      await focusByTab(page, "Create key");
      await press("Enter");
      await page.getByRole("button", { name: "Copy key" }).and(page.locator(":focus")).waitFor();
      await press("Enter");
      await page.getByRole("button", { name: "Copied" }).waitFor();
      const key = String(await page.evaluate("navigator.clipboard.readText()"));
      expect((await sendMessage(url, key)).status).toBe(200);
      await focusByTab(page, "I stored it");
      await press("Space");
      await focusByTab(page, "Done");
      await press("Enter");
      await page.getByRole("link", { name: "Pressed" }).waitFor();

      await focusByTab(page, "Limits", { selector: "main nav a" });
      await press("Enter");
      await page.getByText("No limit yet").waitFor();
      await press("c");
      await waitForFocus(page, "Set limit");
      await focusByTab(page, "Limit");
      await type("25");
      await press("Enter");
      await page.getByText("$25.00 per calendar month").waitFor();

      // Revoking a used key requires its name.
      await expect
        .poll(lastUse, { timeout: USE_WRITTEN_WITHIN_MS })
        .toMatchObject({ address: "127.0.0.1" });
      await press("Control+k");
      await waitForFocus(page, "Search");
      await type("Pressed");
      await page.getByRole("option", { name: "Pressed", selected: true }).waitFor();
      await press("Enter");
      await page.locator("h1:focus", { hasText: "Pressed" }).waitFor();
      await focusByTab(page, "Revoke key…");
      await press("Enter");
      await waitForFocus(page, "Revoke key");
      await focusByTab(page, "Type Pressed to confirm");
      await type("Pressed");
      await press("Enter");
      await page.getByText("revoked", { exact: true }).waitFor();
      await waitForStatus(url, key, 401);

      await focusByTab(page, "Grace Hopper");
      await press("Enter");
      await page.locator("[role=menu]:focus-within").waitFor();
      await press("End");
      await page.locator("[role=menuitem]:focus", { hasText: "Sign out" }).waitFor();
      await press("Enter");
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  async function lastUse(): Promise<unknown> {
    const path = "/v1/admin/api_keys?search=Pressed";
    const { data } = await company().server.mustAdmin("GET", path);
    return (data as { last_used: unknown }[])[0]?.last_used;
  }

  test("every listed shortcut works, and none is listed twice", async () => {
    const { page } = await openOverview();
    await settle(page);
    await page.keyboard.press("?");
    const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await dialog.waitFor();
    const rows = await dialog.locator("dl > div").all();
    const listed: [string, string][] = [];
    for (const row of rows) {
      const keys = await row.locator("kbd").allTextContents();
      listed.push([keys.join(" "), (await row.locator("dt").textContent()) ?? ""]);
    }
    expect(new Set(listed.map(([keys]) => keys)).size).toBe(listed.length);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    // Places of folded groups are in the document too.
    const going = listed.filter(([keys]) => keys.startsWith("g "));
    const rail = await page.locator("aside nav a").allTextContents();
    expect(going.map(([, what]) => what)).toEqual(rail);
    // Someone who does not know the letter waits, and sees all of them.
    await page.keyboard.press("g");
    await page.getByText("g Statements", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("g Statements", { exact: true }).waitFor({ state: "detached" });
    for (const [keys, what] of going) {
      await pressShortcut(page, keys.split(" ")[1] ?? "");
      await page.locator('aside nav a[aria-current="page"]', { hasText: what }).waitFor();
      await page.locator("h1:focus").waitFor();
    }
  });
}

/** Declares the tests of the rail's groups. */
export function testRail({ openSession, goTo }: Console): void {
  test("a group of the rail folds by keyboard and stays so, and the group of the open page is always open", async () => {
    const { page } = await openSession();
    await goTo(page, "/account");
    const groupOf = (name: string) => page.locator("aside").getByRole("button", { name });
    const stateOf = (name: string) => groupOf(name).getAttribute("aria-expanded");
    expect(await Promise.all(["Spend", "Build", "Security"].map(stateOf))).toEqual([
      ...["true", "true", "false"],
    ]);
    await groupOf("Build").focus();
    await page.keyboard.press("Enter");
    await groupOf("Security").focus();
    await page.keyboard.press("Space");
    await page.locator("aside").getByRole("link", { name: "Audit log" }).waitFor();
    await page.reload();
    await settle(page);
    expect(await Promise.all(["Spend", "Build", "Security"].map(stateOf))).toEqual([
      ...["true", "false", "true"],
    ]);
    await pressShortcut(page, "k");
    await page.locator("aside nav a[aria-current=page]", { hasText: "API keys" }).waitFor();
    await groupOf("Build").press("Enter");
    expect(await stateOf("Build")).toBe("true");
  });
}
