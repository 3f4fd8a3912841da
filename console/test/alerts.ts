import { expect, test } from "vitest";
import { owner } from "./company.ts";
import { type Console, SLOW_MS } from "./open-console.ts";

/** Declares the tests of alerts and increase requests. */
export function testAlerts({ company, openSession, goTo }: Console): void {
  test(
    "a webhook's secret is shown once, its channel delivers a rule's alert, and the alert is acknowledged",
    async () => {
      const { page, faults } = await openSession();
      await goTo(page, "/alerts/channels");
      await page.getByRole("button", { name: "Create channel…" }).click();
      await page.getByRole("radio", { name: "Webhook Sends a signed POST" }).check();
      await page.getByLabel("Name").fill("Incident desk");
      await page.getByRole("textbox", { name: "Address" }).fill("https://desk.example/alerts");
      await page.getByRole("button", { name: "Create channel", exact: true }).click();
      const secret = (await page.getByText(/^whsec_/).textContent()) ?? "";
      expect(secret.length).toBeGreaterThan(30);
      await page.keyboard.press("Escape");
      await page.getByText(/^whsec_/).waitFor();
      await page.getByLabel("I stored it").check();
      await page.getByRole("button", { name: "Done" }).click();
      await page.getByRole("cell", { name: "Incident desk Webhook" }).waitFor();
      const left = await page.evaluate(
        "JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])",
      );
      expect(String(left)).not.toContain(secret);

      await goTo(page, "/alerts/rules");
      await page.getByRole("button", { name: "Create alert…" }).click();
      await page.getByLabel("Name").fill("Any spend at all");
      const preview = page.getByRole("region", { name: "Preview" });
      await preview.getByRole("link", { name: "Spend limits" }).waitFor();
      await page.getByLabel("Include child scopes").uncheck();
      await page.getByLabel("Percent of each limit").fill("");
      await page.getByLabel("Amounts in dollars").fill("0.5");
      await page.getByRole("checkbox", { name: "Incident desk" }).check();
      await preview.getByText("No other rule covers this scope and cause.").waitFor();
      await page.getByRole("button", { name: "Create alert", exact: true }).click();
      const row = page.getByRole("row", { name: /Any spend at all/ });
      await row.getByText("At $0.50 a month").waitFor();
      await row.getByText("Incident desk", { exact: true }).waitFor();

      await goTo(page, "/alerts");
      await page
        .getByRole("row", { name: /Any spend at all/ })
        .getByRole("button", { name: /^Acknowledge/ })
        .click();
      await page.getByLabel("Note").fill("Known: it is a busy month.");
      await page.getByRole("button", { name: "Acknowledge alert" }).click();
      await page.getByText("Alert acknowledged").waitFor();
      await page.getByRole("button", { name: "Acknowledged" }).click();
      await page
        .getByRole("row", { name: /Any spend at all/ })
        .getByRole("link")
        .click();
      await page.getByText("Known: it is a busy month.").waitFor();
      await page.getByText(`by ${owner.name}`).waitFor();
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test("creates a rule about a group, and mutes, changes, turns off and deletes one", async () => {
    const { page } = await openSession();
    await goTo(page, "/alerts/rules");
    await page.getByRole("button", { name: "Create alert…" }).click();
    await page.getByLabel("Name").fill("Platform spends");
    await page.getByLabel("Scope", { exact: true }).selectOption("A group");
    await page.getByRole("button", { name: "Create alert", exact: true }).click();
    await page.getByText("Choose the scope of the alert.").waitFor();
    await page.getByRole("combobox", { name: "Group" }).fill("Platform");
    await page.getByRole("option", { name: "Platform team" }).click();
    // A kind that cannot watch people returns to the company.
    await page.getByLabel("Kind").selectOption("Unused key");
    await page.getByLabel("Days without a request").waitFor();
    expect(await page.getByLabel("Scope", { exact: true }).inputValue()).toBe("organization");
    await page.getByLabel("Kind").selectOption("Forecast");
    await page.getByLabel("Scope", { exact: true }).selectOption("A group");
    await page.getByRole("combobox", { name: "Group" }).fill("Platform");
    await page.getByRole("option", { name: "Platform team" }).click();
    await page.getByRole("button", { name: "Create alert", exact: true }).click();
    await page
      .locator("tr", { hasText: "Platform spends" })
      .getByText("Group Platform team", { exact: true })
      .waitFor();
    const act = async (item: string) => {
      // The keyboard, because a message can cover the row, and stays while the pointer is on it.
      await page.getByRole("button", { name: "Actions for Keys about to expire" }).press("Enter");
      await page.getByRole("menuitem", { name: item }).press("Enter");
    };
    // Not by role: an open dialog or menu removes the roles behind it.
    const row = page.locator("tr", { hasText: "Keys about to expire" });
    await act("Mute alert…");
    await page.getByRole("button", { name: "Mute alert", exact: true }).click();
    await row.getByText("muted").waitFor();
    await act("Unmute alert");
    await row.getByText("muted").waitFor({ state: "detached" });
    await act("Change alert…");
    await page.getByLabel("Days before").fill("30, 7");
    await page.getByRole("button", { name: "Change alert", exact: true }).click();
    await row.getByText("30 and 7 days before a key expires").waitFor();
    await act("Turn off alert…");
    await page.getByText(/The rule (fired|did not fire) .*in the last 30 days/).waitFor();
    await page
      .getByText(/No other rule watches|other rules? still fires?|still fires for/)
      .waitFor();
    await page.getByRole("button", { name: "Turn off now" }).click();
    await row.getByText("off").waitFor();
    await act("Delete alert…");
    await page.getByRole("button", { name: "Delete alert", exact: true }).click();
    await row.waitFor({ state: "detached" });
  });

  test("the rule of a group is muted, and all open alerts are acknowledged together", async () => {
    const { server, engineeringId } = company();
    await server.mustAdmin("POST", "/v1/admin/alerts", {
      name: "Busy workspace",
      scope: { type: "workspace", workspace_id: engineeringId },
      condition: { kind: "spend_limit", thresholds: [{ amount_usd: 0.5, period: "monthly" }] },
      channel_ids: [],
    });
    const { page } = await openSession();
    await goTo(page, "/alerts");
    const row = page.getByRole("row", { name: /The workspace Engineering has spent/ });
    await row.getByRole("button", { name: /^Actions for/ }).press("Enter");
    await page.getByRole("menuitem", { name: "Mute rule…" }).click();
    await page.getByLabel("Duration").selectOption("Until the period ends");
    await page.getByRole("button", { name: "Mute alert", exact: true }).click();
    await page.getByText(/^Alert “Busy workspace” muted until /).waitFor();
    await row.getByText(/muted$/).waitFor();
    await page.getByRole("button", { name: "Severity", exact: true }).click();
    await page.waitForURL(/order=severity/);
    await page.locator("th[aria-sort=descending]", { hasText: "Severity" }).waitFor();
    const shown = await page.locator("td:nth-child(3)").allTextContents();
    const ranks = ["critical", "warning", "info"];
    expect(shown).toContain("warning");
    expect(shown).toEqual(shown.toSorted((a, b) => ranks.indexOf(a) - ranks.indexOf(b)));
    await page.getByRole("checkbox", { name: "Select all rows" }).press("Space");
    await page
      .getByRole("region", { name: "Selection" })
      .getByRole("button", { name: "Acknowledge…" })
      .press("Enter");
    await page.getByLabel("Note").fill("Seen in the review.");
    await page.getByRole("button", { name: /^Acknowledge alerts?$/ }).click();
    await page.getByRole("heading", { name: "No open alert" }).waitFor();
  });

  test("an owner approves an increase request, which sets the limit and shows the decision", async () => {
    const { engineeringId, increaseRequestId } = company();
    const { page } = await openSession();
    await goTo(page, "/spend-limits");
    await page.getByRole("link", { name: "Increase requests" }).click();
    await page
      .getByRole("row", { name: /Engineering/ })
      .getByRole("link")
      .click();
    await page
      .getByRole("heading", { level: 1, name: "Increase request for Engineering" })
      .waitFor();
    expect(new URL(page.url()).pathname).toBe(`/increase-requests/${increaseRequestId}`);
    await page.getByRole("button", { name: "Approve request…" }).click();
    await page.getByLabel("New limit").fill("11000");
    await page.getByText(/more can be spent this month/).waitFor();
    await page.getByLabel("Answer").fill("Until Friday.");
    await page.getByRole("button", { name: "Approve request", exact: true }).click();
    await page.getByText("approved", { exact: true }).waitFor();
    await page.getByText("Until Friday.", { exact: true }).waitFor();
    const query = `scope_type=workspace&workspace_id=${engineeringId}`;
    const { json } = await company().server.admin("GET", `/v1/admin/spend_limits?${query}`);
    expect(json?.["data"]).toMatchObject([{ limit_usd: 11_000 }]);

    await goTo(page, `/increase-requests/new?scope=workspace&id=${engineeringId}&period=monthly`);
    await page.getByLabel("New limit").fill("15000");
    await page.getByRole("button", { name: "Send request" }).click();
    await page.getByText("Enter a reason.").waitFor();
    await page.getByLabel("Reason").fill("Another week.");
    await page.getByRole("button", { name: "Send request" }).click();
    await page
      .getByRole("heading", { level: 1, name: "Increase request for Engineering" })
      .waitFor();
    await page.getByRole("button", { name: "Withdraw request…" }).click();
    await page.getByRole("button", { name: "Withdraw request", exact: true }).click();
    await page.getByText("withdrawn", { exact: true }).waitFor();
  });
}
