import { readFile } from "node:fs/promises";
import { roleNames } from "@bursar/contract/permissions.ts";
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "vitest";
import { createInviteLink, emailOf, owner } from "./company.ts";
import { testManagedSettings } from "./managed-settings.ts";
import {
  describeConsole,
  findViolations,
  MAX_WAIT_MS,
  pressCreate,
  SLOW_MS,
} from "./open-console.ts";
import { testStoredObjects } from "./stored-objects.ts";
import { testTables } from "./tables.ts";
import { testTelemetryReceivers } from "./telemetry-receivers.ts";
import { testUpstreams } from "./upstreams.ts";

describeConsole("changes", (console) => {
  const { company, openOverview, openSession, goTo } = console;
  testManagedSettings(console);
  testTelemetryReceivers(console);
  testStoredObjects(console);
  testUpstreams(console);
  testTables(console);

  test("after a concurrent change of a limit, the second member sees both versions and chooses one", async () => {
    const mine = await openSession();
    const { page } = mine;
    const other = (await openSession(emailOf("Grace"))).page;
    const open = async (who: Page) => {
      await goTo(who, "/spend-limits");
      await who.getByRole("button", { name: "Actions for the limit of Engineering" }).click();
      await who.getByRole("menuitem", { name: "Change limit…" }).click();
    };
    const limitOf = (who: Page) => who.getByLabel("Limit", { exact: true });
    const change = (who: Page, usd: string) => limitOf(who).fill(usd);
    const save = (who: Page) =>
      who.getByRole("button", { name: "Change limit", exact: true }).click();
    await open(page);
    await open(other);
    await change(other, "9100");
    await other.getByLabel("Soft").check();
    await save(other);
    await other.getByText("$9,100.00 per calendar month").waitFor();

    await change(page, "7000");
    await save(page);
    await page.getByText("Grace Hopper changed this limit").waitFor();
    const notice = page.getByRole("alert");
    expect(await notice.getByRole("row", { name: "Limit" }).allTextContents()).toEqual([
      "Limit$9,100.00$7,000.00",
    ]);
    await notice.getByRole("row", { name: "Enforcement Soft Strict" }).waitFor();
    expect(await page.getByLabel("Limit", { exact: true }).inputValue()).toBe("7000");
    await page.getByRole("button", { name: "Load current limit" }).click();
    await expect.poll(() => limitOf(page).inputValue(), { timeout: MAX_WAIT_MS }).toBe("9100");
    expect(await page.getByLabel("Soft").isChecked()).toBe(true);

    await open(other);
    await change(other, "9200");
    await save(other);
    await other.getByText("$9,200.00 per calendar month").waitFor();
    await change(page, "7000");
    await save(page);
    await page.getByText("Grace Hopper changed this limit").waitFor();
    await page.getByRole("button", { name: "Replace anyway" }).click();
    await page.getByText("$7,000.00 per calendar month").waitFor();
    expect(mine.faults).toEqual([]);
  });

  test("a new limit never silently replaces an existing one", async () => {
    const { page } = await openSession();
    await goTo(page, "/spend-limits");
    await page.getByRole("button", { name: "Set limit…" }).click();
    await page.getByLabel("Limit", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Set limit", exact: true }).click();
    await page.getByText(/set this limit/).waitFor();
    await page.getByRole("alert").getByText("$15,000.00").waitFor();
    await page.getByRole("button", { name: "Load current limit" }).click();
    await expect
      .poll(() => page.getByLabel("Limit", { exact: true }).inputValue(), { timeout: MAX_WAIT_MS })
      .toBe("15000");
  });

  test("a limit below the spend shows the number of keys it blocks: new, set concurrently, and changed", async () => {
    const { page, faults } = await openSession();
    const { server } = company();
    const { data } = await server.mustAdmin("GET", "/v1/admin/workspaces");
    const research = (data as { id: string; name: string }[]).find(
      ({ name }) => name === "Research",
    );
    const scope = { type: "workspace", workspace_id: research?.id };
    for (const permission of ["write", "read"]) {
      await server.mustAdmin("POST", "/v1/admin/api_keys", {
        name: `Research, ${permission}`,
        workspace_id: research?.id,
        permissions: [permission],
      });
    }
    // Besides these, Research has one key that can send messages.
    const warning = page.getByRole("status").getByText("Blocks 2 keys now.");
    const dialog = page.getByRole("dialog");
    const amount = dialog.getByLabel("Limit", { exact: true });

    await goTo(page, "/spend-limits");
    await page.getByRole("button", { name: "Set limit…" }).click();
    await dialog.getByLabel("Scope", { exact: true }).selectOption("workspace");
    await dialog.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await amount.fill("1");
    await warning.waitFor();
    const bottomOf = async (part: Locator) => {
      const box = await part.boundingBox();
      return box === null ? Number.NaN : box.y + box.height;
    };
    const inView = await bottomOf(dialog);
    expect(inView).toBeLessThanOrEqual(900);
    for (const part of [warning, dialog.getByRole("button", { name: "Set limit", exact: true })]) {
      expect(await bottomOf(part)).toBeLessThanOrEqual(inView);
    }
    await dialog.getByLabel("Alert only").check();
    await warning.waitFor({ state: "detached" });
    await dialog.getByLabel("Strict").check();
    await amount.fill("1,000,000");
    await warning.waitFor({ state: "detached" });

    await amount.fill("1");
    const limit = { scope, period: "monthly", limit_usd: 50_000 };
    const made = await server.mustAdmin("POST", "/v1/admin/spend_limits", limit);
    await dialog.getByRole("button", { name: "Set limit", exact: true }).click();
    await dialog.getByText(/set this limit/).waitFor();
    await warning.waitFor();
    await dialog.getByRole("button", { name: "Replace anyway" }).click();
    await page.getByText("$1.00 per calendar month").waitFor();

    await page.getByRole("button", { name: "Actions for the limit of Research" }).click();
    await page.getByRole("menuitem", { name: "Change limit…" }).click();
    await amount.fill("2");
    await warning.waitFor();
    await server.mustAdmin("DELETE", `/v1/admin/spend_limits/${String(made["id"])}`);
    expect(faults).toEqual([]);
  });

  test("a member chooses the rank of a limit, sees the values of other ranks, and removes the value of one rank", async () => {
    const { page, faults } = await openSession();
    const { server } = company();
    const { data } = await server.mustAdmin("GET", "/v1/admin/workspaces");
    const found = (data as { id: string; name: string }[]).find(({ name }) => /support/.test(name));
    const made = await server.mustOperator("POST", "/v1/admin/spend_limits", {
      scope: { type: "workspace", workspace_id: found?.id },
      period: "monthly",
      limit_usd: 2_000,
    });
    await goTo(page, "/spend-limits");
    const row = page.getByRole("listitem").filter({ hasText: "Customer support" });
    const dialog = page.getByRole("dialog");
    const openMenu = () =>
      page.getByRole("button", { name: "Actions for the limit of Customer support" }).click();
    await row
      .getByText("Set by the operator: $2,000.00, strict, in steps; an Admin: $2,400.00")
      .waitFor();
    await openMenu();
    await page.getByRole("menuitem", { name: "Change limit…" }).click();
    const rank = dialog.getByLabel("Rank");
    expect(await rank.locator("option").allTextContents()).toEqual([
      ...["Owner (yours)", "Admin", "Workspace Admin"],
    ]);
    await dialog
      .getByRole("listitem")
      .filter({ hasText: "Operator: $2,000.00, strict, in stepsApplies" })
      .waitFor();
    // A field without input follows the rank.
    expect(await dialog.getByLabel("Limit", { exact: true }).inputValue()).toBe("2000");
    await rank.selectOption("Admin");
    const amount = dialog.getByLabel("Limit", { exact: true });
    await expect.poll(() => amount.inputValue(), { timeout: MAX_WAIT_MS }).toBe("2400");
    await amount.fill("2500");
    await dialog.getByText("Only the operator can raise it.").waitFor();
    await rank.selectOption("Owner (yours)");
    await dialog.getByText("To change it, choose the rank Admin.").waitFor();
    await rank.selectOption("Admin");
    await dialog.getByRole("button", { name: "Change limit", exact: true }).click();
    await row
      .getByText("Set by the operator: $2,000.00, strict, in steps; an Admin: $2,500.00")
      .waitFor();

    await openMenu();
    await page.getByRole("menuitem", { name: "Remove limit…" }).click();
    await dialog
      .getByText("The value of the operator stays: $2,000.00, strict, in steps.")
      .waitFor();
    await dialog.getByRole("button", { name: "Remove limit", exact: true }).click();
    await row.getByText("Set by the operator", { exact: true }).waitFor();
    await openMenu();
    const remove = page.getByRole("menuitem", { name: "Remove limit…" });
    expect(await remove.getAttribute("aria-disabled")).toBe("true");
    await server.mustOperator("DELETE", `/v1/admin/spend_limits/${String(made["id"])}`);
    expect(faults).toEqual([]);
  });

  test("the page does not request the company's spend for a person without access to it", async () => {
    const { server, engineeringId } = company();
    const { data } = await server.mustAdmin("GET", "/v1/admin/members");
    const someone = (data as { id: string; email: string }[]).find(
      ({ email }) => email === emailOf("Margaret"),
    );
    await server.mustAdmin("POST", `/v1/admin/workspaces/${engineeringId}/members`, {
      member_id: someone?.id,
      workspace_role: "workspace_admin",
    });
    const { page } = await openSession(emailOf("Margaret"));
    const refused: string[] = [];
    page.on("response", (answer) => {
      if (answer.status() === 403) refused.push(answer.url());
    });
    await goTo(page, "/spend-limits");
    await page.getByRole("button", { name: "Set limit…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Limit", { exact: true }).fill("1");
    await dialog.getByLabel("Scope", { exact: true }).selectOption("workspace");
    await dialog.getByLabel("Workspace", { exact: true }).fill("Engineering");
    await page.getByRole("option", { name: "Engineering" }).click();
    await page.getByText(/^Blocks \d+ keys now\.$/).waitFor();
    expect(refused).toEqual([]);
  });

  test("creates a workspace, changes it on its page, and archives it by its name", async () => {
    const { page, faults } = await openSession();
    await goTo(page, "/workspaces");
    await page.getByRole("button", { name: "Create workspace…" }).click();
    await page.getByLabel("Name").fill("Short lived");
    await page.getByRole("button", { name: "Create workspace", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Short lived" }).waitFor();
    const id = page.url().split("/").at(-1) ?? "";
    await company().server.mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Will stop",
      workspace_id: id,
      permissions: ["write"],
    });
    const tabs = page.getByRole("navigation", { name: "Workspace" });
    await tabs.getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Description").fill("A trial");
    await page.getByRole("link", { name: "Limits" }).first().click();
    await page.getByRole("heading", { name: "Discard changes" }).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(await page.getByLabel("Description").inputValue()).toBe("A trial");
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByText("Workspace saved").waitFor();
    await page.getByRole("button", { name: "Archive workspace…" }).click();
    await page.getByText("1 active key will stop working within a second: Will stop.").waitFor();
    await page.getByLabel("Type Short lived to confirm").fill("Short lived");
    await page.getByRole("button", { name: "Archive workspace", exact: true }).click();
    await page.getByText("archived", { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });

  test("invites many addresses at once and shows the result for each", async () => {
    const { page, faults } = await openSession();
    await goTo(page, "/members");
    await pressCreate(page);
    await page
      .getByLabel("E-mail addresses")
      .fill(
        "joan@northwind.example, hedy@northwind.example\ngrace@northwind.example not-an-address",
      );
    await page.getByText("4 addresses").waitFor();
    await page.getByLabel("Workspaces").fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByRole("button", { name: "Send invites" }).click();
    const rows = page.getByRole("dialog", { name: "Invites" }).getByRole("listitem");
    await rows.first().waitFor();
    const results = Object.fromEntries(
      (await rows.allTextContents()).map((text) => [text.split(/[@\s]|not-an/)[0], text]),
    );
    expect(results["joan"]).toContain("invited");
    expect(results["hedy"]).toContain("already invited");
    expect(results["grace"]).toContain("already a member");
    expect((await rows.allTextContents()).join()).toContain("invalid address");
    await page.getByRole("button", { name: "Done" }).click();
    expect(faults).toEqual([]);
  });

  test("revokes an invite, and names the role that its link no longer gives", async () => {
    const { page, faults } = await openSession();
    const email = "hopper@northwind.example";
    const link = await createInviteLink(company().server, { emails: [email], role: "developer" });
    await goTo(page, "/invites");
    await page.getByRole("button", { name: `Actions for the invite of ${email}` }).click();
    await page.getByRole("menuitem", { name: "Revoke invite…" }).click();
    const dialog = page.getByRole("dialog", { name: "Revoke invite" });
    await dialog.getByText("Effects at once").waitFor();
    await dialog.getByText(`The link no longer gives the role ${roleNames.developer}.`).waitFor();
    await dialog.getByRole("button", { name: "Revoke now" }).click();
    await page.getByText(`Invite of ${email} revoked`).waitFor();
    await page.getByRole("row", { name: email }).waitFor({ state: "detached" });
    await page.goto(link);
    await page.getByRole("heading", { name: "Invalid invite" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("reactivates a member, and counts the keys that work again", async () => {
    const { page, faults } = await openSession();
    const { server } = company();
    const { data } = await server.mustAdmin("GET", "/v1/admin/members");
    const members = data as { id: string; name: string }[];
    const id = members.find(({ name }) => /Katherine/.test(name))?.id ?? "";
    const readStatus = async () =>
      (await server.mustAdmin("GET", `/v1/admin/members/${id}`))["status"];
    await server.mustAdmin("POST", `/v1/admin/members/${id}/deactivate`, {});
    await goTo(page, `/members/${id}`);
    await page.getByRole("button", { name: "Reactivate member…" }).click();
    const dialog = page.getByRole("dialog", { name: "Reactivate member" });
    await dialog.getByText("Effects at once").waitFor();
    await dialog.getByText(/personal keys? works? again/).waitFor();
    expect(await readStatus()).toBe("deactivated");
    await dialog.getByRole("button", { name: "Reactivate member" }).click();
    await page.getByRole("button", { name: "Deactivate member…" }).waitFor();
    expect(await readStatus()).toBe("active");
    expect(faults).toEqual([]);
  });

  test("creates and fills a group, whose role the page of a member names", async () => {
    const { page, faults } = await openSession();
    await goTo(page, "/groups");
    await page.getByRole("button", { name: "Create group…" }).click();
    await page.getByLabel("Name").fill("Night shift");
    await page.getByRole("button", { name: "Create group", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Night shift" }).waitFor();
    await page.getByRole("button", { name: "Add role…" }).click();
    await page.getByLabel("Workspace", { exact: true }).fill("Research");
    await page.getByRole("option", { name: "Research" }).click();
    await page.getByRole("button", { name: "Add role", exact: true }).click();
    await page.getByRole("row", { name: "Research Workspace Developer" }).waitFor();
    await company().server.mustAdmin("POST", "/v1/admin/spend_limits", {
      scope: { type: "group_member", group_id: new URL(page.url()).pathname.split("/").at(-1) },
      ...{ period: "monthly", limit_usd: 900 },
    });
    await page.reload();
    await page.getByText("Default cap of 0 members").waitFor();
    await page.getByRole("button", { name: "Add member…" }).click();
    await page.getByLabel("Member", { exact: true }).fill("margaret");
    await page.getByRole("option", { name: /Margaret Hamilton/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The member gets a role in 1 workspace.").waitFor();
    await dialog.getByText("1 limit of the group applies to the member.").waitFor();
    await page.getByRole("button", { name: "Add member", exact: true }).click();
    await page.getByText("Default cap of 1 member").waitFor();
    await page.getByRole("link", { name: "Margaret Hamilton" }).click();
    await page.getByRole("heading", { level: 1, name: "Margaret Hamilton" }).waitFor();
    await page.getByText("Default of Night shift").first().waitFor();
    await page.getByRole("row", { name: "Research Workspace Developer Night shift" }).waitFor();
    await page.getByRole("button", { name: "Change role…" }).click();
    await dialog.getByLabel(/^Admin/).check();
    await dialog.getByText(/^Gains \d+ rights, such as “create workspaces”/).waitFor();
    await dialog.getByText("Becomes Workspace Admin in every workspace.").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Discard changes" }).click();
    await page.getByRole("button", { name: "Sign out…" }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByText("Margaret Hamilton signed out").waitFor();
    expect(faults).toEqual([]);
  });

  test("lists the effects before a person is removed", async () => {
    const { page } = await openSession();
    const { server, engineeringId } = company();
    const { data } = await server.mustAdmin("GET", "/v1/admin/members");
    const radia = (data as { id: string; name: string }[]).find(({ name }) => /Radia/.test(name));
    await server.mustAdmin("POST", `/v1/admin/workspaces/${engineeringId}/members`, {
      member_id: radia?.id,
      workspace_role: "workspace_developer",
    });
    await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name: "Radia’s laptop",
      workspace_id: engineeringId,
      owner_member_id: radia?.id,
      permissions: ["write"],
    });
    await goTo(page, `/members?find=radia`);
    await page.getByRole("button", { name: "Actions for Radia Perlman" }).click();
    await page.getByRole("menuitem", { name: "Remove member…" }).click();
    await page.getByText("1 personal key stops working: Radia’s laptop.").waitFor();
    await page.getByText(/Roles in 2 workspaces end/).waitFor();
    await page.getByLabel(`Type ${emailOf("Radia")} to confirm`).fill(emailOf("Radia"));
    await page.getByRole("button", { name: "Remove member", exact: true }).click();
    await page.getByText("No member matches “radia”.").waitFor();
  });

  test("lists the effects before a price is set", async () => {
    const { page } = await openSession();
    await goTo(page, "/model-prices");
    await page.getByRole("button", { name: "Set price of claude-opus-5…" }).click();
    const dialog = page.getByRole("dialog", { name: "Set price" });
    await dialog.getByLabel("Input").fill("1");
    await dialog.getByLabel("Output").fill("2");
    await dialog.getByText("Requests from now on have the new price.").waitFor();
    await dialog.getByText(/of the last 30 days would have cost/).waitFor();
    expect(await findViolations(page)).toEqual([]);
  });

  test("the search finds people, keys and workspaces, and links to them", async () => {
    const { page } = await openOverview();
    const find = async (text: string) => {
      await page.keyboard.press("Control+k");
      await page.getByPlaceholder(/^Search pages, guides/).fill(text);
    };
    await find("kath");
    await page.getByRole("option", { name: "Katherine Johnson" }).click();
    await page.getByRole("heading", { level: 1, name: "Team" }).waitFor();
    expect(await page.getByLabel("Search members").inputValue()).toBe(emailOf("Katherine"));
    await find("CI pipe");
    await page.getByRole("option", { name: "CI pipeline" }).click();
    await page.getByRole("heading", { level: 1, name: "CI pipeline" }).waitFor();
    await find("customer");
    await page.getByRole("option", { name: "Customer support", selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Customer support" }).waitFor();
  });

  test("a download has the rows that the page shows", async () => {
    const { page } = await openSession();
    const save = async (name: string) => {
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name }).first().click();
      const file = await coming;
      return { name: file.suggestedFilename(), text: await readFile(await file.path(), "utf8") };
    };
    await goTo(page, "/audit-log?event=spend_limit.");
    const csv = await save("Save as CSV");
    expect(csv.name).toMatch(/\.csv$/);
    expect(csv.text).toContain("spend_limit.set");
    expect(csv.text).not.toContain("api_key.created");
    const lines = await save("Save as JSONL");
    for (const line of lines.text.trim().split("\n")) {
      expect(JSON.parse(line)).toMatchObject({ type: "audit_event", event: /^spend_limit\./ });
    }
  });

  // The last test, because other processes then serve the company.
  test(
    "when the server dies under an open dialog, the page reports it, keeps the input, and continues by itself",
    async () => {
      const { server } = company();
      const { page } = await openSession(owner.email, { hasOwnContext: true });
      await goTo(page, "/workspaces");
      await page.getByRole("button", { name: "Create workspace…" }).click();
      await page.getByLabel("Name").fill("Typed before the end");
      await server.kill();
      await page.getByRole("button", { name: "Create workspace", exact: true }).click();
      const banner = page.getByText("The server does not answer. This page may be out of date");
      await banner.waitFor();
      await page.getByText("Your input is not lost: try again in a moment.").waitFor();
      const again = await server.restart();
      await banner.waitFor({ state: "detached" });
      expect(await page.getByLabel("Name").inputValue()).toBe("Typed before the end");
      await page.getByRole("button", { name: "Create workspace", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Typed before the end" }).waitFor();

      // A page that was never opened loads once the server is back, without any input.
      await again.kill();
      await page.getByRole("button", { name: "Security" }).click();
      await page.getByRole("link", { name: "Admin keys" }).click();
      await banner.waitFor();
      await again.restart();
      await page.getByRole("heading", { level: 1, name: "Admin keys" }).waitFor();
      await banner.waitFor({ state: "detached" });
    },
    SLOW_MS,
  );
});
