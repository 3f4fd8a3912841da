import { readFile } from "node:fs/promises";
import type { Download, Page } from "@playwright/test";
import { beforeAll } from "vitest";
import { eventually } from "../../server/test/harness/eventually.ts";
import { sendMessage, textField } from "../../server/test/harness/server-process.ts";
import type { Company } from "./company.ts";
import { type Console, MAX_WAIT_MS, SLOW_MS } from "./open-console.ts";

// Pages and API of usage, cost and requests, over traffic that the tests know.

interface Known {
  workspaceId: string;
  keys: { id: string; key: string }[];
}

export type Row = Record<string, unknown>;

export interface Report {
  data: Row[];
  totals: { cost_usd: string };
}

export class ReportPages {
  readonly openSession: Console["openSession"];
  readonly goTo: Console["goTo"];
  readonly #console: Console;
  #known: Known | null = null;

  /** Makes the known traffic before the tests of the file. */
  constructor(console: Console) {
    this.#console = console;
    this.openSession = (...options) => console.openSession(...options);
    this.goTo = (...place) => console.goTo(...place);
    beforeAll(async () => {
      this.#known = await makeKnownTraffic(this.company);
    }, SLOW_MS);
  }

  get company(): Company {
    return this.#console.company();
  }

  get known(): Known {
    if (this.#known === null) throw new Error("the known traffic is made before the tests");
    return this.#known;
  }

  async makeKey(name: string): Promise<{ key: string }> {
    const { server, engineeringId } = this.company;
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name,
      workspace_id: engineeringId,
      permissions: ["write"],
    });
    return { key: textField(made, "key") };
  }

  async keyIdOf(name: string): Promise<string> {
    const { data } = await this.company.server.mustAdmin("GET", "/v1/admin/api_keys?limit=100");
    const found = (data as Record<string, unknown>[]).find((key) => key["name"] === name);
    return textField(found, "id");
  }

  /** Report of the known workspace from the API, for the shown range. */
  async askReport(kind: "usage" | "cost", query: string): Promise<Report> {
    const startingAt = new Date(Date.now() - 23 * 3_600_000).toISOString();
    const path = `/v1/admin/${kind}?starting_at=${startingAt}&workspace_id=${this.known.workspaceId}&${query}`;
    const { data, totals } = await this.company.server.mustAdmin("GET", path);
    return { data: data as Row[], totals: totals as Report["totals"] };
  }

  async askRequests(query: string): Promise<Row[]> {
    const { data } = await this.company.server.mustAdmin("GET", `/v1/admin/requests?${query}`);
    return data as Row[];
  }

  async openSignedIn(): Promise<Page> {
    return (await this.openSession()).page;
  }

  /** Opens a report of the known workspace, or of a named key. */
  async openReport(page: Page, kind: "usage" | "cost", search: Row): Promise<void> {
    await page.goto(
      `${this.company.server.url}/${kind}?${toSearch({ ...(!search["key"] && { workspace: [this.known.workspaceId] }), ...search })}`,
    );
  }

  async openLog(page: Page, search: Row): Promise<void> {
    await page.goto(`${this.company.server.url}/requests?${toSearch(search)}`);
  }
}

/** Creates two keys in a workspace: a cheap one with a failure, and an expensive one with a cache. */
async function makeKnownTraffic({ server }: Company): Promise<Known> {
  const workspace = await server.mustAdmin("POST", "/v1/admin/workspaces", { name: "Known" });
  const workspaceId = textField(workspace, "id");
  const keys = [];
  for (const [name, model, count] of [
    ["Cheap key", "simulate-in1000-out500", 4],
    ["Dear key", "simulate-in2000-read30000-write5m900-out700-as-claude-opus-4-5-20251101", 3],
  ] as const) {
    const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
      name,
      workspace_id: workspaceId,
      permissions: ["write"],
    });
    const key = textField(made, "key");
    keys.push({ id: textField(made, "id"), key });
    for (let sent = 0; sent < count; sent += 1) await sendMessage(server.url, key, { model });
  }
  const cheap = keys[0]?.key ?? "";
  await sendMessage(server.url, cheap, { model: "simulate-error-529" });
  // The log has a request when it is appended, the reports when it is folded.
  await eventually(MAX_WAIT_MS, "the known requests in the log and in the reports", async () => {
    const scope = `workspace_id=${workspaceId}`;
    const startingAt = new Date(Date.now() - 3_600_000).toISOString();
    const [log, usage] = await Promise.all([
      server.mustAdmin("GET", `/v1/admin/requests?${scope}`),
      server.mustAdmin("GET", `/v1/admin/usage?starting_at=${startingAt}&bucket=none&${scope}`),
    ]);
    const counts = [(log["data"] as Row[]).length, (usage["totals"] as Row)["requests"]];
    return counts.every((count) => count === 8) ? true : null;
  });
  return { workspaceId, keys };
}

function toSearch(search: Row): string {
  return new URLSearchParams(
    Object.entries(search).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  ).toString();
}

/** Texts of a table's cells by row, including its footer. */
export async function readTable(page: Page, name: string): Promise<string[][]> {
  const table = page.getByRole("table", { name, exact: true });
  await table.locator("tbody tr").first().waitFor();
  const rows = await table.locator("tbody tr, tfoot tr").all();
  return Promise.all(
    rows.map(async (row) =>
      (await row.locator("th, td").allTextContents()).map((text) => text.trim()),
    ),
  );
}

export async function readText(file: Download): Promise<string> {
  return (await readFile(await file.path(), "utf8")).replace(/^\ufeff/, "");
}

/** Parses files without line breaks in cells. */
export async function readCsv(file: Download): Promise<Record<string, string>[]> {
  const [names = [], ...lines] = (await readText(file)).trim().split("\r\n").map(splitLine);
  return lines.map((cells) =>
    Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""])),
  );
}

function splitLine(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = ""]) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );
}

export function focusedName(page: Page): Promise<string> {
  return page.evaluate(
    "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? ''",
  );
}

/** Runs in the page. A style change takes one or two frames. */
export const framesDrawn = `new Promise((drawn) => {
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(drawn)));
})`;

// Rounds independently of the page.

export function nano(usd: string): bigint {
  const [whole = "0", fraction = ""] = usd.split(".");
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

export function round(usd = ""): string {
  const cents = Number(nano(usd)) / 1e7;
  if (cents > 0 && cents < 1) return "<$0.01";
  return `$${(Math.round(cents) / 100).toFixed(2)}`;
}

export function short(count: number): string {
  if (count < 1_000) return String(count);
  return `${Number((count / 1_000).toFixed(1))}K`;
}
