import type { BrowserContext, Locator, Page } from "@playwright/test";
import { afterAll, beforeEach, expect, test } from "vitest";
import { textField } from "../../server/test/harness/server-process.ts";
import type { FullCompany } from "./full-company.ts";
import { focusByTab, pressAll, pressShortcut, waitForFocus } from "./keyboard.ts";
import { type Console, type OpenOptions, openPage, toCookie } from "./open-console.ts";

// Tasks of a working day in a company in which everything is wrong. Each begins at the overview.

/** Width of a telephone, pixels. */
const NARROW = 390;

interface Task {
  page: Page;
  /** Calls the Admin API, which states the outcome. */
  admin: FullCompany["server"]["mustAdmin"];
}

/** Opens the overview for each task, in one page. */
function describeTasks(
  { browser }: Console,
  full: () => FullCompany,
  options: OpenOptions,
): () => Task {
  let opened: { page: Page; context: BrowserContext; faults: string[] } | null = null;
  beforeEach(async () => {
    const { server, session } = full();
    if (opened === null) {
      opened = await openPage(browser(), options);
      await opened.context.addCookies([toCookie(server.url, session)]);
      await opened.context.addInitScript(defineFindCover);
    }
    await opened.page.goto(server.url);
    await heading(opened.page, "Northwind Robotics").waitFor();
  });
  afterAll(async () => {
    await opened?.context.close();
    expect(opened?.faults).toEqual([]);
  });
  return () => {
    if (opened === null) throw new Error("no page is open");
    return { page: opened.page, admin: full().server.mustAdmin };
  };
}

/** Title of the page, which has the focus when the page opens. */
const heading = (page: Page, name: string) => page.locator("h1:focus", { hasText: name });

/** Link to the only blocked limit. Parts of the overview arrive in any order. */
const findBlocked = (page: Page) =>
  page
    .locator("section")
    .filter({ has: page.getByRole("heading", { name: "Blocked now" }) })
    .getByRole("link", { name: "Change limit" });

interface Limit {
  scope: { workspace_id?: string };
  limit_usd: string;
}

async function findWorkspace(admin: Task["admin"], name: string): Promise<string> {
  const { data } = await admin("GET", "/v1/admin/workspaces?limit=100");
  const found = (data as { id: string; name: string }[]).find((each) => each.name === name);
  if (!found) throw new Error(`no workspace is named ${name}`);
  return found.id;
}

/** Monthly limit of a workspace, US dollars. */
async function readLimit(admin: Task["admin"], workspaceId: string): Promise<number> {
  const { data } = await admin("GET", `/v1/admin/spend_limits?workspace_id=${workspaceId}`);
  const limit = (data as Limit[]).find(({ scope }) => scope.workspace_id === workspaceId);
  return Number(limit?.limit_usd);
}

async function listKeyStates(admin: Task["admin"], search: string): Promise<Map<string, string>> {
  const { data } = await admin("GET", `/v1/admin/api_keys?search=${search}`);
  return new Map((data as { name: string; status: string }[]).map((key) => [key.name, key.status]));
}

interface Group {
  id: string;
  title: string;
  scope: object;
  kind: string;
}

/** Newest group of open alerts, as the page lists it. */
async function newestGroup(admin: Task["admin"]): Promise<Group> {
  const query = "state=open&is_over=false&limit=1";
  const { data } = await admin("GET", `/v1/admin/alert_groups?${query}`);
  const [group] = data as Group[];
  if (!group) throw new Error("no alert is open");
  return group;
}

async function listNotes(admin: Task["admin"], title: string): Promise<unknown[]> {
  const { data } = await admin("GET", "/v1/admin/alert_firings?is_acknowledged=true&limit=200");
  return (data as { title: string; note: string }[])
    .filter((firing) => firing.title === title)
    .map(({ note }) => note);
}

/** Last month with its name, and its net cost as the console rounds it. */
async function readLastMonth(admin: Task["admin"]): Promise<{ name: string; netCost: string }> {
  const now = new Date();
  const start = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
  const months = { month: "long", year: "numeric", timeZone: "UTC" } as const;
  const month = start.toISOString().slice(0, "2026-11".length);
  const statement = await admin("GET", `/v1/admin/statements/${month}`);
  const money = { style: "currency", currency: "USD" } as const;
  return {
    name: start.toLocaleString("en-US", months),
    netCost: Number(textField(statement, "net_cost_usd")).toLocaleString("en-US", money),
  };
}

/** A request for twice the limit of a workspace. Another person than the owner sends it. */
async function requestIncrease(
  admin: Task["admin"],
  name: string,
): Promise<{ id: string; amount: number }> {
  const workspace_id = await findWorkspace(admin, name);
  const amount = Math.ceil(2 * (await readLimit(admin, workspace_id)));
  const made = await admin("POST", "/v1/admin/spend_limit_increase_requests", {
    ...{ scope: { type: "workspace", workspace_id }, amount_usd: amount, reason: "A new team." },
  });
  return { id: textField(made, "id"), amount };
}

async function readDecision(admin: Task["admin"], id: string): Promise<unknown> {
  const request = await admin("GET", `/v1/admin/spend_limit_increase_requests/${id}`);
  return { status: request["status"], approved: Number(request["approved_usd"]) };
}

/** Declares the tasks without a mouse. Each step waits for the element that has the focus. */
export function testKeyboardTasks(console: Console, full: () => FullCompany): void {
  const task = describeTasks(console, full, { changeDelayMs: null });
  const focused = (locator: Locator) => locator.and(task().page.locator(":focus")).waitFor();

  test("finds a blocked limit on the overview and opens it", async () => {
    const { page } = task();
    await findBlocked(page).waitFor();
    await focusByTab(page, "Change limit", { selector: "main a", within: 8 });
    await page.keyboard.press("Enter");
    await heading(page, "Customer support").waitFor();
    await page.getByRole("button", { name: "Change limit…" }).waitFor();
    expect(page.url()).toMatch(/\/spend-limits\/spl_\w+$/);
  });

  test("finds a limit by its name, raises it, and returns to its row", async () => {
    const { page, admin } = task();
    const workspaceId = await findWorkspace(admin, "Mobile");
    const raised = Math.ceil(2 * (await readLimit(admin, workspaceId)));
    await pressShortcut(page, "l");
    await heading(page, "Limits").waitFor();
    await page.getByRole("searchbox").waitFor();
    await page.keyboard.press("/");
    await focused(page.getByRole("searchbox"));
    await page.keyboard.type("Mobile");
    await page.getByRole("link", { name: "Finance" }).waitFor({ state: "detached" });
    await focusByTab(page, "Actions for the limit of Mobile", { within: 12 });
    await page.keyboard.press("Enter");
    await focused(page.getByRole("menuitem", { name: "Change limit…" }));
    await page.keyboard.press("Enter");
    await waitForFocus(page, "Change limit");
    await focused(page.getByRole("dialog").getByLabel("Limit", { exact: true }));
    await page.keyboard.press("Control+a");
    await page.keyboard.type(String(raised));
    await page.getByText("To change it, choose the rank Admin.").waitFor();
    await focusByTab(page, "Rank", { selector: "select", within: 12 });
    await page.keyboard.type("Admin");
    await focusByTab(page, "Change limit", { selector: "button", within: 12 });
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Change limit" }).waitFor({ state: "detached" });
    await page.getByRole("listitem").filter({ hasText: "Mobile" }).locator(":focus").waitFor();
    expect(await readLimit(admin, workspaceId)).toBe(raised);
  });

  test("selects three keys of a workspace and disables them", async () => {
    const { page, admin } = task();
    await pressShortcut(page, "k");
    await heading(page, "API keys").waitFor();
    await page.getByRole("searchbox").waitFor();
    await page.keyboard.press("/");
    await focused(page.getByRole("searchbox"));
    await page.keyboard.type("Legal");
    await page.getByRole("link", { name: "Finance staging" }).waitFor({ state: "detached" });
    await focusByTab(page, "Select all rows", { within: 20 });
    const names: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      await page.keyboard.press("ArrowDown");
      names.push((await page.locator("label:has(:focus)").textContent()) ?? "");
      await page.keyboard.press("Space");
    }
    await page.getByRole("status").filter({ hasText: "3 selected" }).waitFor();
    await page.keyboard.press("a");
    await focused(page.getByRole("button", { name: "Disable keys…" }));
    await page.keyboard.press("Enter");
    await waitForFocus(page, "Disable keys");
    await focusByTab(page, "Disable now", { within: 6 });
    await page.keyboard.press("Enter");
    await page.getByText("3 keys disabled").first().waitFor();
    const states = await listKeyStates(admin, "Legal");
    const disabled = [...states].filter(([, status]) => status === "inactive");
    expect(disabled.map(([name]) => `Select ${name}`).sort()).toEqual(names.sort());
    expect(states.size).toBe(4);
    await page.getByRole("dialog", { name: "Disable keys" }).waitFor({ state: "detached" });
    await focused(page.locator("main :focus"));
  });

  test("acknowledges a group of alerts with a note", async () => {
    const { page, admin } = task();
    const { title } = await newestGroup(admin);
    await pressShortcut(page, "b");
    await heading(page, "Alerts").waitFor();
    await page.getByRole("checkbox", { name: `Select ${title}`, exact: true }).waitFor();
    await focusByTab(page, "Select all rows", { within: 16 });
    await page.keyboard.press("ArrowDown");
    await focused(page.getByRole("checkbox", { name: `Select ${title}`, exact: true }));
    await page.keyboard.press("Space");
    await page.keyboard.press("a");
    await focused(page.getByRole("button", { name: "Acknowledge…", exact: true }));
    await page.keyboard.press("Enter");
    await focused(page.getByRole("dialog").getByLabel("Note"));
    await page.keyboard.type("By keyboard.");
    await focusByTab(page, "Acknowledge alert", { within: 2 });
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("link", { name: title, exact: true }).waitFor({ state: "detached" });
    expect(await listNotes(admin, title)).toContain("By keyboard.");
    await focused(page.locator("main :focus"));
  });

  test("reads the statement of the last month", async () => {
    const { page, admin } = task();
    const { name, netCost } = await readLastMonth(admin);
    await pressShortcut(page, "g");
    await heading(page, "Statements").waitFor();
    await page.getByRole("link", { name }).waitFor();
    await focusByTab(page, name, { selector: "main a", within: 8 });
    await page.keyboard.press("Enter");
    await heading(page, `Statement of ${name}`).waitFor();
    await page.getByText(netCost, { exact: true }).first().waitFor();
  });

  test("opens a decision from the overview and approves it", async () => {
    const { page, admin } = task();
    const { id, amount } = await requestIncrease(admin, "Legal");
    await page.reload();
    await page.getByRole("link", { name: "Higher limit for Legal" }).waitFor();
    await heading(page, "Northwind Robotics").waitFor();
    await focusByTab(page, "Higher limit for Legal", { within: 40 });
    await page.keyboard.press("Enter");
    await heading(page, "Increase request for").waitFor();
    await focusByTab(page, "Approve request…", { within: 4 });
    await page.keyboard.press("Enter");
    await waitForFocus(page, "Approve request");
    await focused(page.getByLabel("New limit"));
    await page.keyboard.press("Enter");
    await page.getByText("approved", { exact: true }).waitFor();
    expect(await readDecision(admin, id)).toEqual({ status: "approved", approved: amount });
    await focused(page.locator("main :focus"));
  });

  test("finds a request by its id and returns to the page", async () => {
    const { page, admin } = task();
    const { data } = await admin("GET", "/v1/admin/requests?limit=1");
    const id = textField((data as Record<string, unknown>[])[0] ?? {}, "id");
    await pressAll(page, ["Control+k"]);
    await waitForFocus(page, "Search");
    await page.keyboard.type(id);
    await page.getByRole("option", { name: id, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog", { name: /Request/ });
    await drawer.locator(":focus").waitFor();
    await drawer.getByText(id).first().waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
  });
}

/** Declares the tasks on a telephone. Each touch reaches an element that nothing covers. */
export function testTouchTasks(console: Console, full: () => FullCompany): void {
  const task = describeTasks(console, full, {
    ...{ width: NARROW, hasTouch: true, changeDelayMs: null },
  });

  const openPlace = async (page: Page, place: RegExp, title: string) => {
    await tap(page.getByRole("button", { name: "Open the menu" }));
    await tap(page.getByRole("dialog").getByRole("link", { name: place }));
    await heading(page, title).waitFor();
  };

  test("finds a blocked limit on the overview and opens it", async () => {
    const { page } = task();
    await tap(findBlocked(page));
    await heading(page, "Customer support").waitFor();
    await page.getByRole("button", { name: "Change limit…" }).waitFor();
    expect(page.url()).toMatch(/\/spend-limits\/spl_\w+$/);
  });

  test("finds a limit by its name and raises it", async () => {
    const { page, admin } = task();
    const workspaceId = await findWorkspace(admin, "Operations");
    const raised = Math.ceil(2 * (await readLimit(admin, workspaceId)));
    await openPlace(page, /^Limits/, "Limits");
    await tap(page.getByRole("searchbox"));
    await page.keyboard.type("Operations");
    await page.getByRole("link", { name: "Finance" }).waitFor({ state: "detached" });
    await tap(page.getByRole("button", { name: "Change limit…" }));
    const dialog = page.getByRole("dialog", { name: "Change limit" });
    await tap(dialog.getByLabel("Limit", { exact: true }));
    await dialog.getByLabel("Limit", { exact: true }).fill(String(raised));
    await dialog.getByText("To change it, choose the rank Admin.").waitFor();
    await dialog.getByLabel("Rank").selectOption("Admin");
    await tap(dialog.getByRole("button", { name: "Change limit", exact: true }));
    await dialog.waitFor({ state: "detached" });
    expect(await readLimit(admin, workspaceId)).toBe(raised);
  });

  test("selects three keys, takes their end back, and disables them", async () => {
    const { page, admin } = task();
    const select = async () => {
      const boxes = page.locator("label", { hasText: "Select Operations" });
      for (let position = 0; position < 3; position += 1) await tap(boxes.nth(position));
      await tap(page.getByRole("button", { name: "Disable keys…" }));
    };
    await openPlace(page, /^API keys/, "API keys");
    await tap(page.getByRole("searchbox"));
    await page.keyboard.type("Operations");
    await page.getByRole("link", { name: "Finance staging" }).waitFor({ state: "detached" });
    await select();
    await tap(page.getByRole("button", { name: "Disable keys", exact: true }));
    await tap(page.getByRole("button", { name: /^Undo/ }));
    await page.getByText("Undone").first().waitFor();
    expect(new Set((await listKeyStates(admin, "Operations")).values())).toEqual(
      new Set(["active"]),
    );
    await select();
    await tap(page.getByRole("button", { name: "Disable now" }));
    await page.getByText("3 keys disabled").first().waitFor();
    const states = [...(await listKeyStates(admin, "Operations")).values()];
    expect(states.sort()).toEqual(["active", "inactive", "inactive", "inactive"]);
  });

  test("acknowledges a group of alerts with a note", async () => {
    const { page, admin } = task();
    const { title } = await newestGroup(admin);
    await openPlace(page, /^Alerts/, "Alerts");
    await tap(
      page.locator("label").filter({ has: page.getByText(`Select ${title}`, { exact: true }) }),
    );
    await tap(page.getByRole("button", { name: "Acknowledge…", exact: true }));
    const dialog = page.getByRole("dialog", { name: "Acknowledge alert" });
    await tap(dialog.getByLabel("Note"));
    await page.keyboard.type("By touch.");
    await tap(dialog.getByRole("button", { name: "Acknowledge alert" }));
    await dialog.waitFor({ state: "detached" });
    expect(await listNotes(admin, title)).toContain("By touch.");
  });

  test("reads the statement of the last month", async () => {
    const { page, admin } = task();
    const { name, netCost } = await readLastMonth(admin);
    await openPlace(page, /^Statements/, "Statements");
    await tap(page.getByRole("link", { name }));
    await heading(page, `Statement of ${name}`).waitFor();
    await page.getByText(netCost, { exact: true }).first().waitFor();
  });

  test("opens a decision from the overview and denies it", async () => {
    const { page, admin } = task();
    const { id } = await requestIncrease(admin, "Finance");
    await page.reload();
    await tap(page.getByRole("link", { name: "Higher limit for Finance" }));
    await heading(page, "Increase request for").waitFor();
    await tap(page.getByRole("button", { name: "Deny request…" }));
    await tap(page.getByRole("dialog").getByRole("button", { name: "Deny request" }));
    await page.getByText("denied", { exact: true }).waitFor();
    expect(await readDecision(admin, id)).toMatchObject({ status: "denied" });
  });
}

/** Touches the middle of an element, which nothing may cover once it is scrolled into view. */
async function tap(locator: Locator): Promise<void> {
  await locator.waitFor();
  const cover = await locator.evaluate((element) =>
    (globalThis as { findCover?: (covered: unknown) => string | null }).findCover?.(element),
  );
  expect(cover).toBeNull();
  await locator.tap();
}

/** Defines a function in the page that scrolls to an element, and returns the text of another one at the middle of it. */
const defineFindCover = `globalThis.findCover = (element) => {
  element.scrollIntoView({ block: "center" });
  const { left, top, width, height } = element.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  const own = element.closest("label") ?? element;
  return own.contains(hit) ? null : (hit?.textContent ?? "out of view");
}`;
