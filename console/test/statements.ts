import type { Locator, Page } from "@playwright/test";
import { expect, test } from "vitest";
import { countColumns, labelColumns } from "../../contract/src/usage-shape.ts";
import { toNanoUsd } from "../src/ui/format.ts";
import { type Company, emailOf } from "./company.ts";
import { type Console, findViolations, SLOW_MS, settle } from "./open-console.ts";
import { readCsv } from "./report-pages.ts";

// The pages of finance: months, terms, one statement with its splits, its files and its paper.

const MONTH = new Date().toISOString().slice(0, 7);
const CAUSES = ["Volume", "Mix", "Cache", "Price", "Adjustments", "Discount"];

/** Declares the tests of the statements. */
export function testStatements(console: Console): void {
  const { company, openSession, goTo } = console;

  test(
    "a term changes statements and no cost, and a statement is read by cost centre, group and workspace",
    async () => {
      await allocateEngineering(company());
      const { page, faults } = await openSession();
      const cost = await readCost(page, goTo);
      await goTo(page, "/statements");
      const months = page.getByRole("table", { name: "Statements" });
      const before = await readAmounts(months.getByRole("row").nth(1));
      expect(before).toMatchObject({ discount: 0n, net: before.list });
      await createTerm(page, "12.5");
      await page.getByLabel("Tag", { exact: true }).selectOption("cost_center");
      await page.getByRole("button", { name: "Save cost centres" }).click();
      await page.getByText("Tag of cost centres saved").waitFor();
      await settle(page);
      const after = await readAmounts(months.getByRole("row").nth(1));
      expect(after.list).toBe(before.list);
      expect(after.discount).toBeGreaterThan(0n);
      expect(after.net).toBe(after.list - after.discount);
      expect(await findViolations(page)).toEqual([]);
      await deleteLaterTerm(page);
      expect(await readAmounts(months.getByRole("row").nth(1))).toEqual(after);
      expect(await readCost(page, goTo)).toEqual(cost);

      await goTo(page, `/statements/${MONTH}`);
      expect(await readFigures(page)).toEqual(after);
      await expectExplained(page, after.net);
      const total = page.getByRole("row", { name: /^Total/ });
      expect(await readAmounts(total)).toEqual(after);
      for (const [by, row, heading] of [
        ["cost_center", "4711", "Tag cost_center:4711."],
        ["group", "Platform team", "Group Platform team."],
        ["workspace", "Engineering", "Workspace Engineering."],
      ] as const) {
        await page.getByRole("combobox", { name: "Split by" }).selectOption(by);
        await page.getByRole("row", { name: row }).waitFor();
        const listed = await readAmounts(page.getByRole("row", { name: row }));
        await page.getByRole("link", { name: row, exact: true }).click();
        await page.getByText(heading).waitFor();
        await settle(page);
        expect([by, await readFigures(page)]).toEqual([by, listed]);
        await page.getByRole("button", { name: "Show the whole company" }).click();
        await page.getByText("Whole company.").waitFor();
        await settle(page);
      }
      expect(await findViolations(page)).toEqual([]);
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test(
    "the files of a statement add up to it, and its paper has the totals and nothing to press",
    async () => {
      const { page, faults } = await openSession();
      await goTo(page, `/statements/${MONTH}`);
      const figures = await readFigures(page);
      const lines = await save(page, "Export CSV");
      const billed = lines.filter(({ kind }) => kind !== "simulated");
      expect(sum(billed.map((line) => line["list_cost_usd"]))).toBe(figures.list);
      expect(sum(billed.map((line) => line["net_cost_usd"]))).toBe(figures.net);
      expect(lines.length).toBeGreaterThan(billed.length);
      const focus = await save(page, "Export FOCUS 1.2");
      expect(sum(focus.map((row) => row["ListCost"]))).toBe(figures.list);
      expect(sum(focus.map((row) => row["BilledCost"]))).toBe(figures.net);
      expect(new Set(focus.map((row) => row["BillingPeriodStart"]))).toEqual(
        new Set([`${MONTH}-01T00:00:00Z`]),
      );

      // The width of A4 between margins of 12 mm, in the dark theme.
      await page.setViewportSize({ width: 703, height: 1000 });
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      await page.getByText("Northwind Robotics.").waitFor();
      for (const gone of ["Export CSV", "Print", "Show the whole company"]) {
        expect([gone, await page.getByRole("button", { name: gone }).count()]).toEqual([gone, 0]);
      }
      expect(await page.getByRole("complementary", { name: "Menu" }).count()).toBe(0);
      const rows = page.getByRole("table", { name: "Statement by Workspace" });
      for (const heading of [
        "List cost",
        "Adjustments",
        "Earlier months",
        "Discount",
        "Net cost",
      ]) {
        expect(await rows.getByRole("columnheader", { name: heading }).isVisible()).toBe(true);
      }
      expect(await readAmounts(rows.getByRole("row", { name: /^Total/ }))).toEqual(figures);
      expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(32, 29, 23)");
      const overflow =
        "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect(await page.evaluate(overflow)).toBe(0);
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test(
    "a Workspace Admin sees the statements of the own workspace, and no terms",
    async () => {
      const { server } = company();
      await giveRole(company(), "Radia Perlman", "workspace_admin");
      const { page, faults } = await openSession(emailOf("Radia Perlman"));
      await page.goto(`${server.url}/statements`);
      const scope = page.getByRole("combobox", { name: "Scope" });
      await page.getByRole("table", { name: "Statements" }).waitFor();
      expect(await scope.getByRole("option").allTextContents()).toEqual(["Research"]);
      expect(await page.getByRole("heading", { name: "Contract" }).count()).toBe(0);
      await page.getByRole("link", { name: monthName(MONTH) }).click();
      await page.getByText("Workspace Research.").waitFor();
      await page.getByRole("row", { name: "Evaluation runs" }).waitFor();
      await settle(page);
      expect(await findViolations(page)).toEqual([]);
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );
}

/** Gives the usage of Engineering a cost centre and a group, as requests with them would. */
async function allocateEngineering({ server, engineeringId, groupId }: Company): Promise<void> {
  const tags = { cost_center: "4711" };
  await server.mustAdmin("POST", `/v1/admin/workspaces/${engineeringId}`, { tags });
  const columns = [...labelColumns, ...countColumns].join(", ");
  await server.sql(
    `WITH attribution AS (
       INSERT INTO usage_attribution (id, organization_id, group_ids, tag_ids)
       SELECT 4711, organization_id, $2, id FROM tag WHERE name = 'cost_center' AND value = '4711' RETURNING id
     )
     INSERT INTO usage_attributed_month (bucket_at, organization_id, attribution_id, ${columns})
     SELECT bucket_at, organization_id, attribution.id, ${columns} FROM usage_month, attribution WHERE workspace_id = $1`,
    [engineeringId, groupId],
  );
}

/** Changes the role of a person in the workspace that they have. */
async function giveRole({ server }: Company, name: string, role: string): Promise<void> {
  const [person] = await server.sql<{ member_id: string; workspace_id: string }>(
    `SELECT member_id, workspace_id FROM workspace_member JOIN member ON member.id = member_id WHERE email = $1`,
    [emailOf(name)],
  );
  const path = `/v1/admin/workspaces/${person?.workspace_id}/members/${person?.member_id}`;
  await server.mustAdmin("POST", path, { workspace_role: role });
}

async function createTerm(page: Page, percent: string): Promise<void> {
  await page.getByRole("button", { name: "Create term…" }).click();
  const dialog = page.getByRole("dialog", { name: "Create term" });
  await dialog.getByLabel("From").selectOption(MONTH);
  await dialog.getByLabel("Discount, percent").fill(percent);
  await dialog.getByRole("button", { name: "Create term" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("row", { name: `${monthName(MONTH)} Every model ${percent}%` }).waitFor();
}

/** Creates a term for some models, and deletes it again. Both dialogs name the months that change. */
async function deleteLaterTerm(page: Page): Promise<void> {
  const effect = `1 open statement changes at once: ${monthName(MONTH)}.`;
  await page.getByRole("button", { name: "Create term…" }).click();
  const creation = page.getByRole("dialog", { name: "Create term" });
  await creation.getByLabel("From").selectOption(MONTH);
  await creation.getByLabel("Models").fill("claude-never");
  await creation.getByLabel("Discount, percent").fill("50");
  await creation.getByText("Effects at once").waitFor();
  await creation.getByText(effect).waitFor();
  await creation.getByRole("button", { name: "Create term" }).click();
  const row = page.getByRole("row", { name: "claude-never" });
  await row.getByRole("button", { name: /^Delete the term/ }).click();
  const deletion = page.getByRole("dialog", { name: "Delete term" });
  await deletion.getByText("Effects at once").waitFor();
  await deletion.getByText(effect).waitFor();
  await deletion
    .getByText("They then have no term for models that begin with claude-never.")
    .waitFor();
  await deletion.getByRole("button", { name: "Delete now" }).click();
  await row.waitFor({ state: "detached" });
  await settle(page);
}

/** Exact total of the month on the page Cost. */
async function readCost(page: Page, goTo: Console["goTo"]): Promise<string | null> {
  await goTo(page, "/cost?range=month&by=model");
  const total = page.getByRole("table", { name: "Cost" }).getByRole("row", { name: /^Total/ });
  return total.locator("td [title]").last().getAttribute("title");
}

interface Amounts {
  list: bigint;
  discount: bigint;
  net: bigint;
}

/** Exact amounts of a row: list cost, adjustments, earlier months, discount and net cost are in this order. */
async function readAmounts(row: Locator): Promise<Amounts> {
  const titles = await row.locator("td [title^='$'], td [title^='-$']").evaluateAll(readTitles);
  return toAmounts(titles);
}

/** Exact amounts of the figures above a statement. */
async function readFigures(page: Page): Promise<Amounts> {
  const figures = page.locator("dl").first();
  await figures.locator("[title]").first().waitFor();
  return toAmounts(await figures.locator("[title]").evaluateAll(readTitles));
}

function toAmounts(titles: readonly string[]): Amounts {
  const [list = 0n, , , discount = 0n, net = 0n] = titles.map(toNano);
  return { list, discount, net };
}

/** Checks that the parts of the change lead from the earlier net cost to this one, and add up to the difference. */
async function expectExplained(page: Page, net: bigint): Promise<void> {
  const section = page.locator("section", { hasText: "Change against" }).first();
  const steps = section.locator("dl > div");
  const titles = await steps.locator("[title]").evaluateAll(readTitles);
  const [before = 0n, ...amounts] = titles.map(toNano);
  const parts = amounts.slice(0, CAUSES.length);
  const difference = parts.reduce((total, part) => total + part, 0n);
  expect(before + difference).toBe(net);
  expect(amounts.at(-1)).toBe(net);
  const [shown = ""] = await section.locator("p [title]").evaluateAll(readTitles);
  expect(toNano(shown)).toBe(difference < 0n ? -difference : difference);
  const labels = await steps.locator("dt > :first-child").allTextContents();
  expect(labels.slice(1, -1)).toEqual(CAUSES);
}

async function save(page: Page, button: string): Promise<Record<string, string>[]> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: button }).click(),
  ]);
  return readCsv(file);
}

const readTitles = (all: { getAttribute(name: string): string | null }[]) =>
  all.map((each) => each.getAttribute("title") ?? "");

/** Reads `$12.5` or `$-12.5`. */
function toNano(title: string): bigint {
  return toNanoUsd(title.replace("$", ""));
}

function sum(texts: readonly (string | undefined)[]): bigint {
  return texts.reduce((total, text) => total + toNanoUsd(text ?? ""), 0n);
}

/** `November 2026` */
function monthName(month: string): string {
  const at = new Date(`${month}-01T00:00:00Z`);
  return at.toLocaleDateString("en", { month: "long", year: "numeric", timeZone: "UTC" });
}
