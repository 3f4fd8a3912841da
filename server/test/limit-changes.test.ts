import { readFileSync } from "node:fs";
import type { WireScope } from "@bursar/contract/scope.ts";
import { describe, expect } from "vitest";
import type { Answer, Client, Listed } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";
import { watchEvents } from "./harness/audit-events.ts";

// Spend limits and rate limits share their changes and lists. The golden file has the exact text of each answer and each
// audit event, with names in place of ids, times and versions. A refusal has its status only.

interface Kind {
  path: string;
  first: object;
  second: object;
  /** Another limit of the same scope. */
  beside: object;
  filter: string;
}

const kinds = {
  "spend limit": {
    path: "/v1/admin/spend_limits",
    first: { period: "monthly", limit_usd: 25 },
    second: { period: "monthly", limit_usd: "40.5", enforcement: "soft", open_ended_hold_usd: 2 },
    beside: { period: "daily", limit_usd: 5, enforcement: "alert_only" },
    filter: "period=monthly",
  },
  "rate limit": {
    path: "/v1/admin/rate_limits",
    first: { requests_per_minute: 60 },
    second: { requests_per_minute: 70, input_tokens_per_minute: 6_000 },
    beside: { model_group: "opus_5", output_tokens_per_minute: 600 },
    filter: "model_group=all",
  },
} satisfies Record<string, Kind>;

/** Recorded lines by the name of their paragraph. */
const golden = new Map(
  readFileSync(new URL("./limit-changes.golden.txt", import.meta.url), "utf8")
    .trim()
    .split("\n\n")
    .map((paragraph) => {
      const [name = "", ...lines] = paragraph.split("\n");
      return [name, lines];
    }),
);

interface Limit {
  id: string;
}

const test = base.extend("record", async ({ h, org, workspaceId, apiKeyId }) => {
  const elsewhere = (await org.admin.createWorkspace()).id;
  const outsider = h.as((await org.admin.createApiKey(elsewhere, { permissions: ["admin"] })).key);
  const readEvents = await watchEvents(h.deps.database, org.id);
  const workspace = await org.admin.get<{ name: string }>(`/v1/admin/workspaces/${workspaceId}`);
  const adminKeys = await org.admin.get<Listed<Limit>>("/v1/admin/admin_keys");
  const names = new Map([
    [adminKeys.body.data[0]?.id ?? "", "<admin key>"],
    [org.id, "<organization>"],
    [workspaceId, "<workspace>"],
    [workspace.body.name, "<workspace name>"],
    [apiKeyId, "<key>"],
    [elsewhere, "<elsewhere>"],
  ]);
  const lines: string[] = [];

  async function call<Body>(
    method: "GET" | "POST" | "DELETE",
    url: string,
    payload?: object,
    client: Client = org.admin,
  ): Promise<Answer<Body>> {
    const answer = await client.send<Body>({ method, url, ...(payload && { payload }) });
    const body = payload ? ` ${JSON.stringify(payload)}` : "";
    const shown = answer.status === 200 ? ` ${JSON.stringify(answer.body)}` : "";
    lines.push(`${method} ${url}${body} ${answer.status}${shown}`);
    return answer;
  }

  function toGolden(line: string): string {
    let text = line
      .replaceAll(/"(created_at|updated_at|set_at)":"[^"]+"/g, '"$1":"<time>"')
      .replaceAll(/"version":\d+/g, '"version":<version>')
      .replaceAll(/"workspace_name":"[^"]+"/g, '"workspace_name":"<name>"')
      .replaceAll(/"next_page":"([^"]+)"/g, (_, cursor: string) => `"next_page":${open(cursor)}`);
    for (const [id, name] of names) text = text.replaceAll(id, name);
    return text;
  }

  /** Reads id and digest of the filters out of a cursor. */
  function open(cursor: string): string {
    const [filters, , id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as string[];
    return `"after ${id} under ${filters}"`;
  }

  /** All answers, then all audit events. */
  const finish = async () => {
    const events = (await readEvents()).map(({ event, workspace_id, before, after }) =>
      JSON.stringify({ event, workspace_id, before, after }),
    );
    return [...lines, ...events].map(toGolden);
  };
  const scopes: WireScope[] = [
    { type: "organization" },
    { type: "workspace", workspace_id: workspaceId },
    { type: "api_key", api_key_id: apiKeyId },
  ];
  return { call, names, finish, scopes, outsider, elsewhere };
});

describe("answers and audit events have the recorded text", () => {
  test.for(Object.entries(kinds))(
    "%s: set, list, get, delete",
    async ([name, kind], { record }) => {
      const { call, names, finish, scopes, outsider, elsewhere } = record;
      const { path, first, second, beside, filter } = kind;
      const made: string[] = [];
      for (const scope of scopes) {
        const { body } = await call<Limit>("POST", path, { scope, ...first, if_version: null });
        names.set(body.id, `<${name} of ${scope.type}>`);
        made.push(body.id);
        await call("POST", path, { scope, ...first });
        await call("POST", path, { scope, ...second, if_version: null });
        await call("POST", path, { scope, ...second });
        const { body: other } = await call<Limit>("POST", path, { scope, ...beside });
        names.set(other.id, `<other ${name} of ${scope.type}>`);
        await call("GET", `${path}/${body.id}`);
      }
      const [, workspace, key] = scopes;
      const ids = new URLSearchParams({ ...idOf(workspace), ...idOf(key) });
      // A cursor is bound to a digest of its filters, ids included. The digest of this one is the same in each run.
      const withCursor = "?limit=1&scope_type=api_key";
      for (const asked of ["", `?${filter}`, "?limit=1", withCursor, `?${ids}`]) {
        await call("GET", `${path}${asked}`);
      }
      await call("GET", `${path}?workspace_id=${elsewhere}`);
      await call("GET", `${path}?workspace_id=wksp_unknown`);
      await call("GET", `${path}?api_key_id=apikey_unknown`);
      await call("POST", path, { scope: workspace, ...first }, outsider);
      await call("POST", path, { scope: scopes[0], ...first }, outsider);
      await call("GET", path, undefined, outsider);
      for (const id of made) {
        await call("GET", `${path}/${id}`, undefined, outsider);
        await call("DELETE", `${path}/${id}`, undefined, outsider);
        await call("DELETE", `${path}/${id}`);
        await call("DELETE", `${path}/${id}`);
        await call("GET", `${path}/${id}`);
      }
      await call("POST", path, { scope: workspace, ...first, if_version: 1 });
      expect(await finish()).toEqual(golden.get(name));
    },
  );

  test("the monthly limit of a workspace, by its own route", async ({ record, workspaceId }) => {
    const { call, names, finish } = record;
    const path = "/v1/admin/workspaces/limits";
    const set = (fields: object) =>
      call<Limit>("POST", path, { workspace_id: workspaceId, ...fields });
    const { body } = await set({ monthly_limit_usd: 25 });
    names.set(body.id, "<spend limit>");
    await set({ monthly_limit_usd: "25.00" });
    await set({ monthly_limit_usd: 30, enforcement: "soft", open_ended_hold_usd: "0.5" });
    await set({ monthly_limit_usd: 30, if_version: null });
    await call("GET", `${path}?workspace_id=${workspaceId}`);
    await set({ monthly_limit_usd: null });
    await set({ monthly_limit_usd: null });
    await call("POST", path, { workspace_id: "wksp_unknown", monthly_limit_usd: 1 });
    expect(await finish()).toEqual(golden.get("monthly limit"));
  });

  test("spend limits in the official shape", async ({ record }) => {
    const { call, names, finish, scopes } = record;
    const path = "/v1/organizations/spend_limits";
    for (const scope of scopes.slice(0, 2)) {
      const { body } = await call<Limit>("POST", path, { scope, amount: "2500" });
      names.set(body.id, `<spend limit of ${scope.type}>`);
      await call("POST", path, { scope, amount: "2500" });
      await call("POST", path, { scope, amount: "4000" });
      await call("GET", `${path}/${body.id}`);
    }
    const { body: ofKey } = await call<Limit>("POST", kinds["spend limit"].path, {
      scope: scopes[2],
      ...kinds["spend limit"].first,
    });
    names.set(ofKey.id, "<spend limit of api_key>");
    await call("GET", `${path}/${ofKey.id}`);
    await call("DELETE", `${path}/${ofKey.id}`);
    const { body } = await call<Listed<Limit>>("GET", path);
    await call("GET", `${path}?limit=1`);
    await call("GET", `${path}?limit=1&scope_type=workspace`);
    for (const { id } of body.data) await call("DELETE", `${path}/${id}`);
    expect(await finish()).toEqual(golden.get("official spend limit"));
  });

  test("rate limits of a workspace in the official shape", async ({ record, workspaceId }) => {
    const { call, names, finish } = record;
    const { body } = await call<Listed<Limit>>("GET", "/v1/organizations/rate_limits?limit=2");
    const [entry] = body.data;
    for (const [place, { id }] of body.data.entries()) names.set(id, `<entry ${place}>`);
    const path = `/v1/organizations/workspaces/${workspaceId}/rate_limits`;
    const set = (id: string | undefined, limits: object[]) =>
      call("POST", `${path}/${id}`, { limits });
    const requests = { type: "requests_per_minute", value: 60 };
    await set(entry?.id, [requests]);
    await set(entry?.id, [requests]);
    await set(entry?.id, [requests, requests]);
    await set(entry?.id, [{ type: "output_tokens_per_minute", value: 5 }]);
    await set(entry?.id, [{ type: "tokens_per_day", value: 5 }]);
    await set("rlim_unknown", [requests]);
    await call("POST", `/v1/organizations/workspaces/wksp_unknown/rate_limits/rlim_unknown`, {
      limits: [requests],
    });
    await call("GET", path);
    const { body: own } = await call<Listed<Limit>>("GET", kinds["rate limit"].path);
    for (const { id } of own.data) names.set(id, "<rate limit>");
    const cleared = { value: null };
    await set(entry?.id, [
      { ...requests, ...cleared },
      { type: "output_tokens_per_minute", ...cleared },
    ]);
    await set(entry?.id, [{ ...requests, ...cleared }]);
    expect(await finish()).toEqual(golden.get("official rate limit"));
  });
});

function idOf(scope: WireScope | undefined): Record<string, string> {
  const { type: _, ...ids } = { type: "", ...scope };
  return ids;
}
