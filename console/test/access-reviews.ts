import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BrowserContext, Page } from "@playwright/test";
import { beforeAll, expect, test } from "vitest";
import {
  root,
  sendMessage,
  serverEnvironment,
  temporaryFolder,
  textField,
} from "../../server/test/harness/server-process.ts";
import { type Company, owner } from "./company.ts";
import {
  type Console,
  findViolations,
  MAX_WAIT_MS,
  type Opened,
  openByRouter,
  pressCreate,
  SLOW_MS,
  settle,
  toCookie,
} from "./open-console.ts";

// An access review from plan to proof, by keyboard in a real browser: planned, decided, closed, applied and verified.

/** Promised is one second. The test machine also draws and responds meanwhile. */
const STOPS_WITHIN_MS = 2_000;

let company: Company;
let open: Console["open"];
let openSession: Console["openSession"];

/** Declares the tests of access reviews. They come last, because one lets the step-up of all sessions end. */
export function testAccessReviews(console: Console): void {
  beforeAll(() => {
    ({ open, openSession } = console);
    company = console.company();
  }, SLOW_MS);

  test(
    "a review from plan to proof stops removed keys within a second, and changed evidence does not verify",
    async () => {
      const tess = await joinCompany({ name: "Tess Byrne", workspaceRole: "workspace_developer" });
      const ownKey = await tess.call("POST", "/v1/admin/api_keys", {
        name: "Tess's laptop",
        workspace_id: company.engineeringId,
      });
      const key = textField(ownKey.json, "key");
      expect((await sendMessage(company.server.url, key)).status).toBe(200);
      expect((await tess.call("GET", "/v1/admin/session")).status).toBe(200);
      const { page, faults } = await openSession();

      await startReviewByWizard(page, "Spring review");
      await page.getByRole("link", { name: /^To decide \(\d+\)/ }).click();
      const decided = await decideByKeyboard(page, (label) => label.startsWith("Tess Byrne"));
      expect(decided.removed).toBe(3);
      await page.getByText(`${decided.all} of ${decided.all} decided`).last().waitFor();
      // Decisions appear at once, and are sent afterwards.
      const id = new URL(page.url()).pathname.split("/")[2];
      const readReview = () =>
        company.server.mustAdmin("GET", `/v1/admin/access_reviews/${id}`) as Promise<{
          status: string;
          progress: Record<string, number>;
        }>;
      await expect
        .poll(async () => (await readReview()).progress["undecided"], { timeout: MAX_WAIT_MS })
        .toBe(0);

      await company.server.sql("UPDATE auth_session SET stepped_up_at = now() - interval '1 hour'");
      await page.getByRole("button", { name: "Close review…" }).click();
      await page.getByText(/3 accesses\s+end and/).waitFor();
      const refused = {
        session: waitForRefusal(async () => (await tess.call("GET", "/v1/admin/session")).status),
        key: waitForRefusal(async () => (await sendMessage(company.server.url, key)).status),
      };
      await page.getByRole("button", { name: "Close review", exact: true }).click();
      await page.getByRole("heading", { name: "Confirm your identity" }).waitFor();
      const closed = page.waitForResponse(
        (response) => response.url().endsWith("/close") && response.status() === 200,
      );
      await page.getByLabel("Password").fill(owner.password);
      await page.getByRole("button", { name: "Confirm" }).click();
      await (await closed).finished();
      const closedAtMs = performance.now();
      const [sessionMs, keyMs] = [await refused.session, await refused.key];
      expect(sessionMs - closedAtMs).toBeLessThanOrEqual(STOPS_WITHIN_MS);
      expect(keyMs - closedAtMs).toBeLessThanOrEqual(STOPS_WITHIN_MS);
      // A job applies some removals at the same time as the request that closed the review.
      await expect
        .poll(async () => (await readReview()).status, { timeout: MAX_WAIT_MS })
        .toBe("closed");
      const { progress } = await readReview();
      // The deactivation of the member also removes the role in the workspace, in either order.
      expect(Number(progress["removed"]) + Number(progress["already_gone"])).toBe(3);
      expect(progress["not_applied"]).toBe(0);

      await page.getByRole("link", { name: "All access" }).click();
      await page.getByRole("table", { name: "Reviewed access" }).waitFor();
      await page.getByText("Removed", { exact: true }).first().waitFor();
      await proveEvidence(page);
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test(
    "reviews, mail and keys of a person who left are listed, and handed over in one step",
    async () => {
      const { server, engineeringId } = company;
      const uma = await joinCompany({ name: "Uma Quill", workspaceRole: "workspace_admin" });
      const key = { name: "Nightly batch", workspace_id: engineeringId };
      const keyId = textField((await uma.call("POST", "/v1/admin/api_keys", key)).json, "id");
      const made = await server.mustAdmin("POST", "/v1/admin/access_reviews", {
        name: "Review of Engineering",
        scope: { paths: ["workspace_key"], workspace_ids: [engineeringId] },
        reviewer_ids: [uma.id],
        due_at: new Date(Date.now() + 86_400_000).toISOString(),
      });
      const target = { kind: "email", recipients: { addresses: ["uma@northwind.example"] } };
      await server.mustAdmin("POST", "/v1/admin/alert_channels", { name: "On call", target });
      await server.mustAdmin("POST", `/v1/admin/members/${uma.id}/deactivate`);

      const { page, faults } = await openSession();
      await page.goto(`${server.url}/members`);
      await page.getByRole("listitem").filter({ hasText: "3 things" }).getByRole("link").click();
      const left = page.getByRole("table", { name: "Left behind" });
      await left.getByRole("row", { name: "Nightly batch API key Contact Engineering" }).waitFor();
      await page.getByRole("button", { name: "Hand over…" }).click();
      const dialog = page.getByRole("dialog", { name: "Hand over" });
      const chooseOwner = async (name: string) => {
        await dialog.getByRole("combobox", { name: "New owner" }).fill(name);
        await page.getByRole("option", { name }).click();
        await dialog.getByRole("button", { name: "Hand over" }).click();
      };
      await chooseOwner("Tim Berners-Lee");
      await dialog
        .getByText(/no right to remove access in the scope of the access review/)
        .waitFor();
      expect(await findViolations(page)).toEqual([]);
      await chooseOwner("Grace Hopper");
      await page.getByText("3 things handed over to Grace Hopper").waitFor();
      await left.waitFor({ state: "detached" });
      const review = await server.mustAdmin(
        "GET",
        `/v1/admin/access_reviews/${textField(made, "id")}`,
      );
      expect(review["reviewers"]).toMatchObject([{ name: "Grace Hopper" }]);
      await openByRouter(page, `/api-keys/${keyId}`);
      await page.getByRole("main").getByText("Grace Hopper").first().waitFor();
      expect(faults).toEqual([]);
    },
    SLOW_MS,
  );

  test(
    "a Workspace Admin sees only assigned reviews: on the overview, in the list, and on the page",
    async () => {
      const wanda = await joinCompany({ name: "Wanda Cole", workspaceRole: "workspace_admin" });
      const made = await company.server.mustAdmin("POST", "/v1/admin/access_reviews", {
        name: "Keys of two workspaces",
        scope: { paths: ["workspace_key", "workspace_role", "admin_key"] },
        reviewer_ids: [wanda.id],
        due_at: new Date(Date.now() + 86_400_000).toISOString(),
      });
      const { page, faults } = await openAs(wanda);
      await page.goto(company.server.url);
      await page.getByRole("link", { name: "Keys of two workspaces" }).click();
      await page.getByRole("heading", { level: 1, name: "Keys of two workspaces" }).waitFor();
      const rows = page.getByRole("list", { name: "Access to decide" }).getByRole("listitem");
      await rows.first().waitFor();
      const labels = await rows.evaluateAll((all) =>
        all.map((row) => String(row.getAttribute("aria-label"))),
      );
      expect(labels.every((label) => label.includes("Engineering"))).toBe(true);
      expect(labels.some((label) => label.startsWith("CI pipeline"))).toBe(true);
      // No other reviewer exists for her own role, so she decides it, and the row is marked.
      expect(await page.getByText("your own access").count()).toBe(1);
      expect(await page.getByRole("link", { name: "All access" }).count()).toBe(0);
      expect(await page.getByRole("button", { name: "Close review…" }).count()).toBe(0);
      await page.getByRole("button", { name: "Accept recommendations…" }).click();
      await page.getByRole("button", { name: "Accept recommendations", exact: true }).click();
      await page.getByText(`${labels.length} of ${labels.length} decided`).last().waitFor();
      await page.getByRole("link", { name: "Access reviews" }).first().click();
      await page.getByText("No review is assigned to you").waitFor();
      expect(faults).toEqual([]);
      const items = await company.server.mustAdmin(
        "GET",
        `/v1/admin/access_reviews/${textField(made, "id")}/items?decisions=keep&limit=100`,
      );
      const own = (items["data"] as { member: { id: string } | null; is_self_review: boolean }[])
        .filter(({ member }) => member?.id === wanda.id)
        .map(({ is_self_review }) => is_self_review);
      expect(own).toEqual([true]);
    },
    SLOW_MS,
  );

  test(
    "a rotation policy shows its effect before it is saved, and a card links to the keys in its number",
    async () => {
      const { page } = await openSession();
      await page.goto(`${company.server.url}/workspaces/${company.engineeringId}/settings`);
      await page.getByLabel("Rotation interval").fill("90");
      await page.getByLabel("Reminder").fill("10");
      await page.getByText("Each key needs a new secret every 90 days.").waitFor();
      await page.getByText("expires 14 days after the due date, at an age of 104 days").waitFor();
      await page.getByRole("button", { name: "Save rotation policy" }).click();
      await page.getByText("Key rotation set to 90 days").waitFor();
      const path = `/v1/admin/workspaces/${company.engineeringId}/rotation_policy`;
      expect(await company.server.mustAdmin("GET", path)).toMatchObject({
        rotation_days: 90,
        remind_days: 10,
        grace_days: 14,
      });
      await openByRouter(page, "/security-settings");
      const card = page.getByRole("listitem").filter({ hasText: "No expiry" });
      const count = Number(await card.locator("span").first().textContent());
      await card.getByRole("link").click();
      await page.getByRole("heading", { level: 1, name: "API keys" }).waitFor();
      const table = page.getByRole("table", { name: "API keys" });
      await table.waitFor();
      expect(count).toBeGreaterThan(0);
      await expect
        .poll(() => table.locator("tbody tr").count(), { timeout: MAX_WAIT_MS })
        .toBe(count);
    },
    SLOW_MS,
  );

  test.each(["light", "dark"] as const)(
    "a closed review, a saved rotation policy, a decision and each step of the wizard have no axe findings in %s",
    async (colorScheme) => {
      const { page } = await openSession(undefined, { colorScheme });
      const findings: unknown[] = [];
      const check = async (what: string) => {
        for (const { id, nodes } of await findViolations(page))
          findings.push([what, id, nodes[0]?.html]);
      };
      const ended = await company.server.mustAdmin(
        "GET",
        "/v1/admin/access_reviews?statuses=closed&limit=1",
      );
      const [closed] = ended["data"] as { id: string }[];
      // pages.test.ts checks these pages before any change.
      await page.goto(`${company.server.url}/access-reviews/${closed?.id ?? company.reviewId}`);
      await settle(page);
      await check("closed review");
      await openByRouter(page, `/workspaces/${company.engineeringId}/settings`);
      await check("rotation policy");
      await openByRouter(page, `/access-reviews/${company.reviewId}/decide`);
      await page.keyboard.press("j");
      await page.keyboard.press("u");
      await page.getByRole("button", { name: "Add reason" }).waitFor();
      await page.keyboard.press("r");
      await page.getByLabel("Reason").waitFor();
      await check("deciding");
      await page.keyboard.press("Escape");
      await openByRouter(page, "/access-reviews");
      await pressCreate(page);
      for (let step = 1; step <= 4; step++) {
        await page.getByText(`Step ${step} of 4`).waitFor();
        if (step === 4) await page.getByText(/^The review lists/).waitFor();
        await check(`step ${step}`);
        if (step < 4) await page.getByRole("button", { name: "Next" }).click();
      }
      expect(findings).toEqual([]);
    },
    SLOW_MS,
  );
}

async function startReviewByWizard(page: Page, name: string): Promise<void> {
  await page.goto(`${company.server.url}/access-reviews`);
  await pressCreate(page);
  await page.getByLabel("Name").fill(name);
  for (let step = 1; step <= 3; step++) {
    await page.getByText(`Step ${step} of 4`).waitFor();
    await page.getByRole("button", { name: "Next" }).click();
  }
  await page.getByText(/^The review lists \d+ accesses: /).waitFor();
  await page.getByText("Access without a decision is kept.").waitFor();
  await page.getByRole("button", { name: "Start access review", exact: true }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

/** Decides all rows by keyboard. The last removal gets a reason. */
async function decideByKeyboard(
  page: Page,
  isToGo: (label: string) => boolean,
): Promise<{ all: number; removed: number }> {
  const rows = page.getByRole("list", { name: "Access to decide" }).getByRole("listitem");
  await rows.first().waitFor();
  const all = await rows.count();
  let removed = 0;
  for (let row = 0; row < all; row++) {
    await page.keyboard.press("j");
    const focused = page.locator("li:focus");
    const label = String(await focused.getAttribute("aria-label"));
    await page.keyboard.press(isToGo(label) ? "n" : "y");
    if (!isToGo(label)) continue;
    removed++;
    await focused.getByRole("button", { name: "Remove", pressed: true }).waitFor();
    await page.keyboard.press("r");
    await page.getByLabel("Reason").waitFor();
    await page.keyboard.type("Left the company in May");
    await page.keyboard.press("Enter");
    await page.locator("li:focus").getByText("Left the company in May").waitFor();
  }
  return { all, removed };
}

/** Time of the first refusal, on the clock of `performance.now()`. */
async function waitForRefusal(ask: () => Promise<number>): Promise<number> {
  for (;;) {
    if ((await ask()) === 401) return performance.now();
    await delay(50);
  }
}

/** Saves the evidence and verifies it on the command line. A copy with one changed byte must fail. */
async function proveEvidence(page: Page): Promise<void> {
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save signed evidence" }).click();
  const folder = await temporaryFolder();
  const path = join(folder, "evidence.json");
  await (await saving).saveAs(path);
  expect(await verify(path)).toMatchObject({ code: 0, stdout: expect.stringContaining("genuine") });
  const bytes = await readFile(path);
  const at = bytes.indexOf("Left the company in May");
  expect(at).toBeGreaterThan(0);
  const changed = Buffer.from(bytes);
  changed.writeUInt8("l".charCodeAt(0), at);
  const changedPath = join(folder, "changed.json");
  await writeFile(changedPath, changed);
  expect(await verify(changedPath)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("NOT GENUINE"),
  });
}

function verify(path: string): Promise<{ code: number; stdout: string }> {
  const options = { cwd: root, env: serverEnvironment(company.server.dataDir) };
  return new Promise((resolve) => {
    execFile(process.execPath, ["bursar", "reviews", "verify", path], options, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    );
  });
}

interface Person {
  id: string;
  cookies: Parameters<BrowserContext["addCookies"]>[0];
  /** Calls from the console in the person's session. */
  call(
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<{ status: number; json: unknown }>;
}

/** Invites a person into Engineering and accepts the invite. */
async function joinCompany(of: { name: string; workspaceRole: string }): Promise<Person> {
  const { server, engineeringId } = company;
  const email = `${of.name.split(" ")[0]?.toLowerCase()}@northwind.example`;
  const invited = await server.mustOperator("POST", "/v1/admin/invites", {
    emails: [email],
    role: "user",
    workspaces: [{ workspace_id: engineeringId, workspace_role: of.workspaceRole }],
  });
  const [result] = invited["results"] as { link: string }[];
  const token = result?.link.split("#token=")[1];
  let cookie = "";
  const call = async (method: "GET" | "POST", path: string, body?: object) => {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        "content-type": "application/json",
        "x-bursar-console": "1",
        origin: server.url,
        "sec-fetch-site": "same-origin",
        ...(cookie !== "" && { cookie }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const set = response.headers.getSetCookie()[0]?.split(";")[0];
    if (set) cookie = set;
    return { status: response.status, json: (await response.json()) as unknown };
  };
  const accepted = await call("POST", "/v1/admin/invites/accept", {
    token,
    name: of.name,
    password: "correct horse battery staple",
  });
  expect(accepted.status).toBe(200);
  return {
    id: textField(accepted.json, "member_id"),
    cookies: [toCookie(server.url, cookie)],
    call,
  };
}

async function openAs({ cookies }: Person): Promise<Opened> {
  const opened = await open();
  await opened.context.addCookies(cookies);
  return opened;
}
