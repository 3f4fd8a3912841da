import { expect, test } from "vitest";
import { eventually } from "../../server/test/harness/eventually.ts";
import { callAdmin, sendMessage } from "../../server/test/harness/server-process.ts";
import { MAX_WAIT_MS, SLOW_MS } from "./open-console.ts";
import {
  focusedName,
  framesDrawn,
  type ReportPages,
  readCsv,
  readTable,
  readText,
  round,
  short,
} from "./report-pages.ts";

/** Declares the tests of the request log. */
export function testRequestLog(reports: ReportPages): void {
  test(
    "the log shows each request with its numbers, and its file has the same rows under the same filters",
    async () => {
      const page = await reports.openSignedIn();
      await reports.openLog(page, { key: [reports.known.keys[0]?.id], status: ["answered"] });
      const shown = await readTable(page, "Requests");
      const requests = await reports.askRequests(
        `api_key_id=${reports.known.keys[0]?.id}&status=answered`,
      );
      expect(requests).toHaveLength(4);
      expect(
        shown.map(([, id, , , model, status, tokens, cost]) => [id, model, status, tokens, cost]),
      ).toEqual(
        requests.map((row) => [
          String(row["id"]).slice(-8),
          row["model"],
          "Answered",
          short(Number(row["total_tokens"])),
          round(String(row["cost_usd"])),
        ]),
      );
      const [csv] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save as CSV" }).click(),
      ]);
      const file = await readCsv(csv);
      expect(file.map(({ request_id, cost_usd }) => [request_id, cost_usd])).toEqual(
        requests.map(({ id, cost_usd }) => [id, cost_usd]),
      );
      const [jsonl] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save as JSONL" }).click(),
      ]);
      const lines = (await readText(jsonl)).trim().split("\n");
      expect(lines.map((line) => JSON.parse(line))).toEqual(requests);
    },
    SLOW_MS,
  );

  test(
    "refused requests are listed with their causes, from the page of their key",
    async () => {
      const page = await reports.openSignedIn();
      const { key } = await reports.makeKey("Refused key");
      const keyId = await reports.keyIdOf("Refused key");
      const { server } = reports.company;
      const empty = { messages: [], max_tokens: 5 };
      for (let i = 0; i < 2; i++) {
        await callAdmin(server.url, key, "POST", "/v1/messages", empty);
      }
      await eventually(MAX_WAIT_MS, "the refusals to be counted", async () => {
        const path = `/v1/admin/refusals?api_key_id=${keyId}`;
        const { totals } = await server.mustAdmin("GET", path);
        return (totals as { requests: number }).requests === 2 ? true : null;
      });
      await page.goto(`${server.url}/api-keys/${keyId}`);
      await page.getByText("in the last 24 hours: invalid fields 2").waitFor();
      await page.getByRole("link", { name: "2 refusals" }).click();
      const shown = await readTable(page, "Refused requests");
      expect(shown.map(([, , cause, status]) => [cause, status])).toEqual([
        ["Invalid fieldsFields: model", "400"],
        ["Invalid fieldsFields: model", "400"],
      ]);
      await page.getByRole("button", { name: /^Invalid fields/ }).click();
      expect(await readTable(page, "Refused requests")).toHaveLength(2);
    },
    SLOW_MS,
  );

  test(
    "a cut request shows the limit with its amounts, the hold, the output and the cost, and its filter finds it",
    async () => {
      const page = await reports.openSignedIn();
      const { key } = await reports.makeKey("Cut key");
      const keyId = await reports.keyIdOf("Cut key");
      const { server } = reports.company;
      await sendMessage(server.url, key);
      await sendMessage(server.url, key);
      const id = await eventually(MAX_WAIT_MS, "both requests", async () => {
        const [newest, other] = await reports.askRequests(`api_key_id=${keyId}`);
        return other === undefined ? null : String(newest?.["id"]);
      });
      // The simulator never reaches a limit in the middle of a stream.
      const cut = {
        ...{ reason: "limit_held", scope_type: "api_key", scope_id: keyId, period: "daily" },
        ...{ held_nano_usd: "412000000", seen_output_tokens: 5_120, bound_output_tokens: 5_480 },
        paused_ms: 2_500,
        balance: {
          ...{ limit_nano_usd: "2000000000", settled_nano_usd: "1500000000" },
          ...{ leased_nano_usd: "500000000", unresolved_nano_usd: "0" },
        },
      };
      await server.sql("UPDATE usage_record SET cut = $1::jsonb WHERE request_id = $2", [
        JSON.stringify(cut),
        id,
      ]);
      await reports.openLog(page, { key: [keyId], cut: true });
      const shown = await readTable(page, "Requests");
      expect(shown.map(([, shownId, , , , status]) => [shownId, status])).toEqual([
        [id.slice(-8), "Cut by a limit"],
      ]);
      await page.getByRole("button", { name: `open ${id}` }).click();
      const drawer = page.getByRole("dialog", { name: "Request" });
      await drawer.getByText("Other requests held the rest of the limit.").waitFor();
      const facts = await drawer.locator("dl").first().locator("dd").allTextContents();
      expect(facts.slice(0, 8)).toEqual([
        "Daily limit of the key Cut key",
        "$2.00",
        "$1.50",
        "$0.50 by all nodes",
        "$0.00",
        "$0.412",
        "5,120 tokens",
        "5,480 tokens, the most that can be billed",
      ]);
      expect(facts.at(-1)).toBe("2.50 s before the cut");
    },
    SLOW_MS,
  );

  test(
    "a request opens and closes by keyboard, shows its cost to the nano-dollar, and returns the focus",
    async () => {
      const page = await reports.openSignedIn();
      await reports.openLog(page, { key: [reports.known.keys[1]?.id] });
      const [request] = await reports.askRequests(`api_key_id=${reports.known.keys[1]?.id}`);
      const row = page.getByRole("button", { name: `open ${request?.["id"]}` });
      await row.focus();
      await page.keyboard.press("Enter");
      const drawer = page.getByRole("dialog", { name: "Request" });
      await drawer.getByRole("rowheader", { name: "Total" }).waitFor();
      const total = drawer.getByRole("row", { name: /^Total/ });
      expect(await total.getByRole("cell").allTextContents()).toEqual([
        `${Number(request?.["total_tokens"]).toLocaleString("en-US")} tokens`,
        `$${request?.["cost_usd"]}`,
      ]);
      await drawer.getByText("Bursar does not store prompts or responses").waitFor();
      await drawer.getByRole("link", { name: "Dear key" }).waitFor();
      expect(new URL(page.url()).searchParams.get("open")).toBe(request?.["id"]);
      await page.keyboard.press("Escape");
      await drawer.waitFor({ state: "detached" });
      await eventually(MAX_WAIT_MS, "the focus on the row", async () =>
        (await focusedName(page)).endsWith(`open ${request?.["id"]}`) ? true : null,
      );
      expect(new URL(page.url()).searchParams.get("open")).toBeNull();
    },
    SLOW_MS,
  );

  test(
    "older requests load on demand, after the existing ones",
    async () => {
      const { key } = await reports.makeKey("Busy key");
      for (let sent = 0; sent < 53; sent += 1) await sendMessage(reports.company.server.url, key);
      const page = await reports.openSignedIn();
      const id = await reports.keyIdOf("Busy key");
      await eventually(MAX_WAIT_MS, "all requests in the log", async () =>
        (await reports.askRequests(`api_key_id=${id}&limit=100`)).length === 53 ? true : null,
      );
      await reports.openLog(page, { key: [id] });
      const first = await readTable(page, "Requests");
      expect(first).toHaveLength(50);
      const asked = Promise.withResolvers<void>();
      await page.route(/\/v1\/admin\/requests\?.*page=/, async (route) => {
        await asked.promise;
        await route.continue();
      });
      const button = page.getByRole("button", { name: "Load older requests" });
      await button.click();
      await page.locator("button[aria-busy=true]").waitFor();
      await page.evaluate(framesDrawn);
      // While loading, the button keeps its name and is disabled.
      expect(await button.isDisabled()).toBe(true);
      asked.resolve();
      await button.waitFor({ state: "detached" });
      const all = await readTable(page, "Requests");
      expect(all).toHaveLength(53);
      expect(all.slice(0, 50)).toEqual(first);
    },
    SLOW_MS,
  );

  test(
    "a key's page has its newest requests and links to all, and an administrator sets their retention",
    async () => {
      const page = await reports.openSignedIn();
      await page.goto(`${reports.company.server.url}/api-keys/${reports.known.keys[0]?.id}`);
      expect(await readTable(page, "Requests")).toHaveLength(5);
      await page.getByRole("link", { name: "All requests" }).click();
      await page.getByRole("heading", { level: 1, name: "Requests" }).waitFor();
      await page.getByRole("combobox", { name: "Key: Cheap key" }).waitFor();
      await page.getByText("Requests are stored without a time limit.").waitFor();
      await page.getByRole("button", { name: "Set retention…" }).click();
      await page.getByLabel("Days").fill("3");
      await page.getByRole("button", { name: "Set retention", exact: true }).click();
      await page.getByRole("alert").or(page.locator("[aria-invalid=true]")).first().waitFor();
      await page.getByLabel("Days").fill("90");
      await page.getByText(/^No request is older than/).waitFor();
      await page.getByRole("button", { name: "Set retention", exact: true }).click();
      await page.getByText("Requests are stored for 90 days.").waitFor();
      const settings = await reports.company.server.mustAdmin(
        "GET",
        "/v1/admin/request_log/settings",
      );
      expect(settings["retention_days"]).toBe(90);
    },
    SLOW_MS,
  );
}
