import { randomUUID } from "node:crypto";
import { isSelfAction } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { listChain, lockAuditHead } from "#src/audit/audit.sql.ts";
import { deleteExpiredClaims } from "#src/audit/claimed-changes.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Answer, Client, CreatedApiKey, Listed, Workspace } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";
import { makeNeeds, namedRoutes, sampleOf, urlOf } from "./harness/route-samples.ts";

// A change that its client repeats is made once.

const test = base.extend("company", ({ h, org }) => {
  async function namesOfWorkspaces(): Promise<string[]> {
    const { body } = await org.admin.get<Listed<Workspace>>(`${WORKSPACES}?limit=100`);
    return body.data.map(({ name }) => name).filter((name) => name !== "Default");
  }

  const eventsOf = async (organizationId: string) =>
    (await listChain(h.deps.database, { organizationId, afterSeq: 0n, limit: 1000 })).map(
      ({ event }) => event,
    );

  const countClaims = async () =>
    (await h.deps.database.selectFrom("claimed_change").select("claim").execute()).length;

  const createKey = () =>
    post<CreatedApiKey>(org.admin, "/v1/admin/admin_keys", { name: "K" }, withKey("k"));

  /** Blocks changes at their audit event until the transaction ends. No time limit applies. */
  async function holdAuditHead(tx: Tx): Promise<void> {
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`.execute(tx);
    await lockAuditHead(tx, org.id);
  }

  /** Waits until this number of database sessions wait for a lock. */
  async function waitForLocks(count: number): Promise<void> {
    for (let i = 0; i < 3_000; i++) {
      const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(h.deps.database);
      if ((rows[0]?.n ?? 0) >= count) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("no session waits for a lock");
  }

  const createOfficial = (name: string, count: number, client = org.admin) =>
    post(client, OFFICIAL_WORKSPACES, { name }, attempt(count));

  return {
    namesOfWorkspaces,
    eventsOf,
    countClaims,
    createKey,
    holdAuditHead,
    waitForLocks,
    createOfficial,
  };
});

const WORKSPACES = "/v1/admin/workspaces";
const OFFICIAL_WORKSPACES = "/v1/organizations/workspaces";

function post<Body = Workspace>(
  client: Client,
  url: string,
  payload: object,
  headers: Record<string, string>,
): Promise<Answer<Body>> {
  return client.send<Body>({ method: "POST", url, payload, headers });
}
const withKey = (key: string) => ({ "idempotency-key": key });
const attempt = (count: number) => ({ "x-stainless-retry-count": String(count) });

// An idempotency key belongs to its caller and its operation. Reading routes store no responses.
describe("every POST that is repeated with its key", () => {
  const posts = namedRoutes.filter(
    ([, { method, action, audited }]) =>
      method === "POST" && audited !== null && action !== "public" && !isSelfAction(action),
  );

  test.for(posts)(
    "%s makes one change and returns the same response",
    async ([_, route], { h, org, company }) => {
      const made = await makeNeeds(org, route);
      await sampleOf(route).prepare?.(org.operator, made);
      const fitted = await sampleOf(route).prepareCaller?.(org.operator, made, org.operator);
      const payload = fitted?.body ?? sampleOf(route).body?.(made);
      const headers = withKey(randomUUID());
      const call = () =>
        org.operator.send({
          method: "POST",
          url: urlOf(route, { ...made, ...fitted?.ids }),
          headers,
          ...(payload && { payload }),
        });
      const before = (await company.eventsOf(org.id)).length;
      const first = await call();
      const second = await call();
      // Simulates a crash between the commit and the response.
      await h.deps.database.updateTable("claimed_change").set({ answer_sealed: null }).execute();
      const third = await call();
      expect(first.status).toBe(200);
      expect(first.headers["idempotency-replayed"]).toBeUndefined();
      for (const again of [second, third]) {
        expect([again.status, again.text]).toEqual([200, first.text]);
        expect(again.headers["idempotency-replayed"]).toBe("true");
        expect(again.headers["request-id"]).not.toBe(first.headers["request-id"]);
      }
      const audited = [...(sampleOf(route).audits ?? []), route.audited];
      expect((await company.eventsOf(org.id)).slice(before)).toEqual(audited);
    },
  );
});

describe("an idempotency key", () => {
  test("of 20 concurrent requests creates one workspace key, and returns its secret to all", async ({
    h,
    org,
  }) => {
    const workspace = await org.admin.createWorkspace();
    const body = { name: "Once", workspace_id: workspace.id };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        post<CreatedApiKey>(org.admin, "/v1/admin/api_keys", body, withKey("create-once")),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const { body: listed } = await org.admin.get<Listed<{ id: string }>>("/v1/admin/api_keys");
    expect(listed.data.map(({ id }) => id)).toEqual([answers[0]?.body.id]);
    const usage = await h.as(answers[0]?.body.key ?? "").get("/v1/admin/model_prices");
    expect(usage.status).toBe(200);
    expect(answers.filter(({ headers }) => headers["idempotency-replayed"])).toHaveLength(19);
  });

  test("with another body is a conflict with a reason, and changes nothing", async ({
    org,
    company,
  }) => {
    await post(org.admin, WORKSPACES, { name: "First" }, withKey("k"));
    const answer = await post(org.admin, WORKSPACES, { name: "Second" }, withKey("k"));
    expect(answer.status).toBe(409);
    expect(answer.error).toEqual({
      type: "conflict_error",
      message:
        "idempotency-key: this key was used in the last 10 minutes for a request with another path or body. Repeat " +
        "that request unchanged, or use a new key for this one.",
      details: { error_code: "idempotency_key_reused" },
    });
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(await company.namesOfWorkspaces()).toEqual(["First"]);
  });

  test("with another id in the path is a conflict", async ({ org }) => {
    const [a, b] = [await org.admin.createWorkspace(), await org.admin.createWorkspace()];
    await post(org.admin, `${WORKSPACES}/${a.id}`, { name: "Renamed" }, withKey("k"));
    const answer = await post(
      org.admin,
      `${WORKSPACES}/${b.id}`,
      { name: "Renamed" },
      withKey("k"),
    );
    expect(answer.status).toBe(409);
  });

  test("of another operation is another key", async ({ org }) => {
    await post(org.admin, WORKSPACES, { name: "W" }, withKey("k"));
    const answer = await post(org.admin, "/v1/admin/admin_keys", { name: "W" }, withKey("k"));
    expect(answer.status).toBe(200);
  });

  test("of another caller is another key, without the first caller's response", async ({
    h,
    org,
  }) => {
    const workspace = await org.admin.createWorkspace();
    const other = await h.organization();
    const theirs = await other.admin.createWorkspace();
    const second = h.as((await org.admin.createAdminKey()).key);
    const ownKey = await org.admin.createApiKey(workspace.id, { permissions: ["admin"] });
    const { client: member } = await org.member({ role: "admin" });
    const callers: [Client, string][] = [
      [org.admin, workspace.id],
      [second, workspace.id],
      [h.as(ownKey.key), workspace.id],
      [member, workspace.id],
      [org.operator, workspace.id],
      [other.admin, theirs.id],
    ];
    const secrets = new Set<string>();
    for (const [client, workspaceId] of callers) {
      const body = { name: "Same", workspace_id: workspaceId };
      const answer = await post<CreatedApiKey>(client, "/v1/admin/api_keys", body, withKey("k"));
      expect(answer.status).toBe(200);
      secrets.add(answer.body.key);
    }
    expect(secrets.size).toBe(callers.length);
  });

  test("of a caller that has lost its right returns nothing", async ({ h, org }) => {
    const made = await org.admin.createAdminKey();
    const client = h.as(made.key);
    expect((await post(client, WORKSPACES, { name: "W" }, withKey("k"))).status).toBe(200);
    await org.admin.post(`/v1/admin/admin_keys/${made.id}/revoke`);
    expect((await post(client, WORKSPACES, { name: "W" }, withKey("k"))).status).toBe(401);
  });

  test.for([
    ["empty", ""],
    ["of 256 characters", "x".repeat(256)],
    ["with a blank", "a b"],
    ["with a letter that is not ASCII", "clé"],
  ] as const)("that is %s is refused", async ([_, key], { org, company }) => {
    const answer = await post(org.admin, WORKSPACES, { name: "W" }, withKey(key));
    expect(answer.status).toBe(400);
    expect(answer.error.message).toBe(
      "idempotency-key: expected 1 to 255 visible ASCII characters, such as a UUID.",
    );
    expect(await company.namesOfWorkspaces()).toEqual([]);
  });

  test("of 255 characters is accepted", async ({ org }) => {
    const headers = withKey("~".repeat(255));
    expect((await post(org.admin, WORKSPACES, { name: "W" }, headers)).status).toBe(200);
    expect((await post(org.admin, WORKSPACES, { name: "W" }, headers)).status).toBe(200);
  });

  test("has no effect on a GET or a DELETE", async ({ org }) => {
    const limit = await org.admin.post<{ id: string }>("/v1/admin/spend_limits", {
      scope: { type: "organization" },
      period: "daily",
      limit_usd: 1,
    });
    const url = `/v1/admin/spend_limits/${limit.body.id}`;
    const send = (method: "GET" | "DELETE") =>
      org.admin.send({ method, url, headers: withKey("not a valid key") });
    expect((await send("GET")).status).toBe(200);
    expect((await send("DELETE")).status).toBe(200);
  });
});

describe("a refused request is not stored", () => {
  test("succeeds when repeated after its cause is fixed", async ({ org, company }) => {
    const taken = await org.admin.createWorkspace({ name: "Taken" });
    const call = () => post(org.admin, WORKSPACES, { name: "Taken" }, withKey("k"));
    expect((await call()).status).toBe(409);
    await org.admin.post(`${WORKSPACES}/${taken.id}`, { name: "Free" });
    const made = await call();
    expect([made.status, made.headers["idempotency-replayed"]]).toEqual([200, undefined]);
    expect(await company.countClaims()).toBeGreaterThan(0);
  });

  test("leaves the key free for a corrected body", async ({ org }) => {
    const wrong = await post(org.admin, WORKSPACES, { name: "" }, withKey("k"));
    expect(wrong.status).toBe(400);
    expect((await post(org.admin, WORKSPACES, { name: "Right" }, withKey("k"))).status).toBe(200);
  });
});

describe("after ten minutes", () => {
  test("a repeated request is a new one, but not earlier", async ({ h, company }) => {
    const first = await company.createKey();
    h.clock.nowMs += 10 * 60_000 - 1;
    expect((await company.createKey()).text).toBe(first.text);
    h.clock.nowMs += 1;
    const later = await company.createKey();
    expect(later.status).toBe(200);
    expect(later.body.id).not.toBe(first.body.id);
    expect((await company.createKey()).text).toBe(later.text);
  });

  test("removes the response, which is sealed until then", async ({ h, company }) => {
    const { body } = await company.createKey();
    const stored = async () => {
      const { rows } = await sql<{ text: string }>`
        SELECT encode(result_sealed || coalesce(answer_sealed, ''), 'escape') AS text FROM claimed_change`.execute(
        h.deps.database,
      );
      return rows.map(({ text }) => text).join("\n");
    };
    expect((await stored()).length).toBeGreaterThan(100);
    expect(await stored()).not.toContain(body.key);
    expect(await stored()).not.toContain(Buffer.from(body.key).toString("base64").slice(0, 40));
    h.clock.nowMs += 10 * 60_000 - 1;
    await deleteExpiredClaims(h.audit);
    expect(await company.countClaims()).toBeGreaterThan(0);
    h.clock.nowMs += 1;
    await deleteExpiredClaims(h.audit);
    expect(await stored()).toBe("");
  });
});

test("a repeated request waits briefly for the running one, and is then refused", async ({
  h,
  org,
  company,
}) => {
  const call = () => post(org.admin, WORKSPACES, { name: "Slow" }, withKey("k"));
  let first: Promise<Answer<Workspace>> | undefined;
  await h.deps.database.transaction().execute(async (tx) => {
    await company.holdAuditHead(tx);
    first = call();
    await company.waitForLocks(1);
    const second = await call();
    expect(second.status).toBe(409);
    expect(second.error.message).toContain("is still running");
    expect(second.headers).toMatchObject({ "retry-after": "1", "x-should-retry": "true" });
  });
  const made = await first;
  expect(made?.status).toBe(200);
  expect((await call()).text).toBe(made?.text);
  expect(await company.namesOfWorkspaces()).toEqual(["Slow"]);
});

describe("a request that an official SDK retries", () => {
  test("gets the response of its first attempt, without a conflict", async ({ company }) => {
    const first = await company.createOfficial("W", 0);
    const again = await company.createOfficial("W", 1);
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(await company.namesOfWorkspaces()).toEqual(["W"]);
  });

  test("makes the change when its first attempt never arrived", async ({ company }) => {
    expect((await company.createOfficial("W", 1)).status).toBe(200);
    expect((await company.createOfficial("W", 2)).status).toBe(200);
    expect(await company.namesOfWorkspaces()).toEqual(["W"]);
  });

  test("waits while its first attempt runs", async ({ h, company }) => {
    const running: Promise<Answer<Workspace>>[] = [];
    await h.deps.database.transaction().execute(async (tx) => {
      await company.holdAuditHead(tx);
      for (const count of [0, 1]) {
        running.push(company.createOfficial("W", count));
        await company.waitForLocks(running.length);
      }
    });
    const [first, again] = await Promise.all(running);
    expect([first?.status, again?.status]).toEqual([200, 200]);
    expect(again?.text).toBe(first?.text);
  });

  test("a new request with the same content is another request", async ({ org, company }) => {
    const first = await company.createOfficial("W", 0);
    expect((await company.createOfficial("W", 0)).status).toBe(409);
    await org.admin.post(`${WORKSPACES}/${first.body.id}`, { name: "Renamed" });
    const second = await company.createOfficial("W", 0);
    expect(second.status).toBe(200);
    expect(second.body.id).not.toBe(first.body.id);
    expect((await company.createOfficial("W", 1)).body.id).toBe(second.body.id);
  });

  test("with another key or another body is another request", async ({ h, org, company }) => {
    await company.createOfficial("W", 0);
    const second = h.as((await org.admin.createAdminKey()).key);
    expect((await company.createOfficial("W", 1, second)).status).toBe(409);
    expect((await company.createOfficial("X", 1)).status).toBe(200);
  });

  test("after ten minutes is another request", async ({ h, company }) => {
    await company.createOfficial("W", 0);
    h.clock.nowMs += 10 * 60_000;
    expect((await company.createOfficial("W", 1)).status).toBe(409);
  });

  test("is not detected on the company's routes, whose clients send an idempotency key", async ({
    org,
  }) => {
    await post(org.admin, WORKSPACES, { name: "W" }, attempt(0));
    expect((await post(org.admin, WORKSPACES, { name: "W" }, attempt(1))).status).toBe(409);
  });
});
