import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { auditEvent, auditLogState } from "@bursar/contract/admin/audit-log.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Answer, Client, Listed, TestOrganization } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { asDatabaseOwner } from "#test/harness/audit-log.ts";
import { measureLiveBytes } from "#test/harness/live-bytes.ts";
import { selectEvents } from "./audit-log.sql.ts";

type Event = z.output<typeof auditEvent>;
type State = z.output<typeof auditLogState>;

const EVENTS = "/v1/admin/audit_events";

const test = base.extend("org", { scope: "file" }, ({ h }) => h.organization());

async function list(client: Client, query = ""): Promise<Event[]> {
  const { status, body, text } = await client.get<Listed<Event>>(`${EVENTS}?limit=1000${query}`);
  if (status !== 200) throw new Error(text);
  return body.data;
}
const namesOf = (events: readonly Event[]) => events.map(({ event }) => event);

describe("an event", () => {
  test("has actor, subject, origin, and the state before and after", async ({ h, org }) => {
    const key = await org.admin.createAdminKey({ name: "Terraform" });
    const client = h.as(key.key);
    const workspace = await client.createWorkspace({ name: "Research" });
    const renamed = await client.send({
      method: "POST",
      url: `/v1/admin/workspaces/${workspace.id}`,
      headers: { "user-agent": "terraform/1.9" },
      payload: { name: "Recherche – 研究" },
    });
    const [event] = await list(org.admin, `&subject_id=${workspace.id}&event=workspace.updated`);
    expect(event).toEqual({
      id: expect.stringMatching(/^audit_[0-9A-Za-z]{24}$/),
      type: "audit_event",
      seq: expect.any(Number),
      event: "workspace.updated",
      actor: { type: "admin_key", id: key.id, name: "Terraform", email: null },
      subject: { type: "workspace", id: workspace.id },
      workspace_id: workspace.id,
      before: expect.objectContaining({ name: "Research" }),
      after: expect.objectContaining({ name: "Recherche – 研究" }),
      request_id: renamed.headers["request-id"],
      ip_address: "127.0.0.1",
      user_agent: "terraform/1.9",
      created_at: expect.stringMatching(/Z$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await org.admin.get(`${EVENTS}/${event?.id}`)).body).toEqual(event);
  });

  test("keeps the name and e-mail address of a member after both have changed", async ({
    h,
    org,
  }) => {
    const { id, email, client } = await org.member({ role: "admin" });
    const workspace = await client.createWorkspace();
    const { name } = await h.deps.database
      .selectFrom("member")
      .select("name")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    await h.deps.database
      .updateTable("member")
      .set({ name: "Another", email: `other-${email}` })
      .where("id", "=", id)
      .execute();
    const [event] = await list(org.admin, `&subject_id=${workspace.id}`);
    expect(event?.actor).toEqual({ type: "member", id, name, email });
  });

  test("has the local operator as actor of a call over the admin socket", async ({ org }) => {
    const workspace = await org.operator.createWorkspace();
    const [event] = await list(org.admin, `&subject_id=${workspace.id}`);
    expect(event?.actor).toEqual({ type: "local_operator", id: "1000", name: null, email: null });
  });
});

describe("the list", () => {
  let other: TestOrganization;
  let workspaceIds: string[];

  test.beforeAll(async ({ h }) => {
    other = await h.organization();
    workspaceIds = [];
    for (let i = 0; i < 4; i++) workspaceIds.push((await other.admin.createWorkspace()).id);
    await other.admin.createApiKey(workspaceIds[0] ?? "");
    await other.admin.post(`/v1/admin/workspaces/${workspaceIds[0]}`, { name: "Renamed" });
  });
  const all = [
    "workspace.updated",
    "api_key.created",
    "workspace.created",
    "workspace.created",
    "workspace.created",
    "workspace.created",
    "admin_key.created",
    "organization.created",
  ];

  test("has the events of one organization, newest first", async () => {
    expect(namesOf(await list(other.admin))).toEqual(all);
  });

  test("returns each event once over several pages while events are added", async () => {
    const seen: number[] = [];
    let page: string | null = "";
    while (page !== null) {
      const query: string = page === "" ? "" : `&page=${page}`;
      const { body }: Answer<Listed<Event>> = await other.admin.get<Listed<Event>>(
        `${EVENTS}?limit=3&ending_at=2999-01-01T00:00:00Z${query}`,
      );
      seen.push(...body.data.map(({ seq }) => seq));
      page = body.next_page;
      if (seen.length === 3) await other.admin.createWorkspace();
    }
    expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });

  test.each([
    ["event=workspace.created", 5],
    ["event=workspace.", 6],
    ["event=api_key.", 1],
    ["event=admin_key.", 1],
    ["event=api", 0],
    ["event=a.", 0],
    ["event=%25.", 0],
    ["actor_type=admin_key", 7],
    ["actor_type=system", 1],
    ["subject_type=api_key", 1],
    ["request_id=req_none", 0],
    ["ip_address=127.0.0.1", 7],
    ["starting_at=2999-01-01T00:00:00Z", 0],
    ["ending_at=2020-01-01T00:00:00Z", 0],
    ["starting_at=2020-01-01T00:00:00Z&ending_at=2999-01-01T00:00:00Z&actor_type=admin_key", 7],
  ])("with %s has %i events", async (query, count) => {
    expect(await list(other.admin, `&${query}`)).toHaveLength(count);
  });

  test("of one workspace includes the events of its keys", async () => {
    const events = await list(other.admin, `&workspace_id=${workspaceIds[0]}`);
    expect(namesOf(events)).toEqual(["workspace.updated", "api_key.created", "workspace.created"]);
  });

  test("between two times includes the first and excludes the second", async () => {
    const [last, before] = await list(other.admin);
    const bounds = `&starting_at=${before?.created_at}&ending_at=${last?.created_at}`;
    const ids = (await list(other.admin, bounds)).map(({ id }) => id);
    expect(ids).toContain(before?.id);
    expect(ids).not.toContain(last?.id);
  });

  test("rejects a cursor of other filters and a forged cursor", async () => {
    const { body } = await other.admin.get<Listed<Event>>(`${EVENTS}?limit=1`);
    const made = Buffer.from(JSON.stringify(["x", 1, "1; DROP TABLE"])).toString("base64url");
    for (const page of [`${body.next_page}&event=workspace.`, made, "x"]) {
      expect((await other.admin.get(`${EVENTS}?limit=1&page=${page}`)).status).toBe(400);
    }
  });
});

describe("read access", () => {
  test("is limited to owners and admins, and refused to workspace keys", async ({ h, org }) => {
    const workspace = await org.admin.createWorkspace();
    const { key } = await org.admin.createApiKey(workspace.id, { permissions: ["admin"] });
    expect((await h.as(key).get(EVENTS)).status).toBe(403);
    for (const role of ["owner", "admin", "developer", "billing", "user"] as const) {
      const { client } = await org.member({ role });
      const isAllowed = role === "owner" || role === "admin";
      for (const path of [EVENTS, `${EVENTS}/export`, "/v1/admin/audit_log/state"]) {
        expect([role, path, (await client.get(path)).status]).toEqual([
          role,
          path,
          isAllowed ? 200 : 403,
        ]);
      }
    }
  });

  test("returns the same 404 for another organization's event and an unknown one", async ({
    h,
    org,
  }) => {
    const [event] = await list(h.operator);
    for (const id of [event?.id, "audit_unknown"]) {
      const answer = await org.admin.get(`${EVENTS}/${id}`);
      expect([answer.status, answer.error.message]).toEqual([404, "Audit event not found"]);
    }
  });
});

describe("the export", () => {
  test("as JSON lines has the events of the list, oldest first", async ({ org }) => {
    const { text, headers } = await org.admin.get(`${EVENTS}/export`);
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Event);
    expect(lines).toEqual((await list(org.admin)).reverse());
    expect(headers["content-type"]).toBe("application/x-ndjson");
    expect(headers["content-disposition"]).toMatch(
      /^attachment; filename="audit-log-2026-\d\d-\d\d[.]jsonl"$/,
    );
  });

  test("as CSV has no cell that is a formula, whatever the names", async ({ h }) => {
    const own = await h.organization();
    const names = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"];
    for (const name of names) {
      const { key } = await own.admin.createAdminKey({ name });
      await h.as(key).send({
        method: "POST",
        url: "/v1/admin/workspaces",
        headers: { "user-agent": `=HYPERLINK("https://example.com","${name}")` },
        payload: { name: `Team "${name}", a` },
      });
    }
    const { text, headers } = await own.admin.get(`${EVENTS}/export?format=csv`);
    expect(headers["content-type"]).toBe("text/csv; charset=utf-8");
    const rows = readCsv(text);
    const [heading, ...cells] = rows;
    expect(heading?.slice(0, 4)).toEqual(["id", "seq", "created_at", "event"]);
    expect(cells).toHaveLength(2 + 2 * names.length);
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r＝＋－＠]/);
    const column = (name: string) => cells.map((row) => row[heading?.indexOf(name) ?? -1]);
    expect(column("actor_name")).toContain("'=1+1");
    expect(column("user_agent")).toContain(`'=HYPERLINK("https://example.com","@SUM(A1)")`);
    expect(column("after").join()).toContain('Team \\"=1+1\\", a');
  });

  test("applies the filters of the list", async ({ org }) => {
    const { text } = await org.admin.get(`${EVENTS}/export?event=api_key.`);
    const names = text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as Event).event);
    expect(new Set(names)).toEqual(new Set(["api_key.created"]));
    expect((await org.admin.get(`${EVENTS}/export?event=nothing`)).text).toBe("");
    expect((await org.admin.get(`${EVENTS}/export?format=xml`)).status).toBe(400);
  });

  test("has no body for HEAD", async ({ org }) => {
    const answer = await org.admin.send({ method: "HEAD", url: `${EVENTS}/export?format=csv` });
    expect([answer.status, answer.text]).toEqual([200, ""]);
  });
});

/** Parses the rows and cells of a CSV (RFC 4180). */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  const cell = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r\n)/gy;
  let row: string[] = [];
  for (const [, raw = "", end] of text.matchAll(cell)) {
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe("the state", () => {
  test("has the last verified event and the first broken one", async ({ h }) => {
    const own = await h.organization();
    const state = async () => (await own.admin.get<State>("/v1/admin/audit_log/state")).body;
    expect(await state()).toMatchObject({ head: { seq: 2 }, verified: null, first_broken: null });
    await h.audit.chains.check();
    const [last] = await list(own.admin);
    expect(await state()).toEqual({
      type: "audit_log_state",
      organization_id: own.id,
      head: { seq: 2, hash: last?.hash },
      verified: {
        through_seq: 2,
        through_time: last?.created_at,
        checked_at: new Date(h.clock.nowMs).toISOString(),
      },
      first_broken: null,
      retention_days: null,
      pruned: null,
      failovers: [],
    });
    await own.admin.createWorkspace();
    await h.audit.chains.check();
    expect(await state()).toMatchObject({ verified: { through_seq: 3 } });
    await asDatabaseOwner(h.deps.database, (tx) =>
      sql`UPDATE audit_event SET actor_id = 'x' WHERE organization_id = ${own.id} AND seq = 2`.execute(
        tx,
      ),
    );
    const broken = {
      seq: 2,
      audit_event_id: last?.id,
      reason: "its content was changed",
    };
    // New events are intact. Verified events are read again once a day.
    await h.audit.chains.check();
    expect(await state()).toMatchObject({ first_broken: null });
    h.clock.nowMs += 24 * 3_600_000;
    await h.audit.chains.check();
    expect(await state()).toMatchObject({ verified: { through_seq: 3 }, first_broken: broken });
    const verification = await own.admin.get("/v1/admin/audit_log/verification");
    expect(verification.body).toMatchObject({ is_intact: false, first_broken: broken });
  });

  test("a verification covers the whole log, and concurrent calls share one run", async ({ h }) => {
    const own = await h.organization();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => own.admin.get("/v1/admin/audit_log/verification")),
    );
    const [event] = await list(own.admin);
    for (const { body } of answers) {
      expect(body).toEqual({
        type: "audit_log_verification",
        is_intact: true,
        events: 2,
        head: { seq: 2, hash: event?.hash },
        first_broken: null,
        failovers: [],
        unexplained: [],
      });
    }
  });
});

describe("with 100,000 events", () => {
  const COUNT = 100_000;
  let large: TestOrganization;

  test.beforeAll(async ({ h }) => {
    large = await h.organization();
    await sql`INSERT INTO audit_event
      (id, organization_id, seq, event, actor_type, actor_id, subject_type, subject_id, workspace_id, after, request_id,
        ip_address, created_at, previous_hash, hash)
      SELECT 'audit_large' || n, ${large.id}, n, CASE WHEN n % 1000 = 0 THEN 'member.removed' ELSE 'api_key.updated' END,
        'member', 'user_' || n % 500, 'api_key', 'apikey_' || n % 5000, 'wksp_' || n % 50,
        jsonb_build_object('name', repeat('x', 400)), 'req_' || n, '192.0.2.' || n % 250,
        '2025-01-01'::timestamptz + n * interval '1 minute', sha256('x'), sha256('x')
      FROM generate_series(3, ${COUNT + 2}::int) n`.execute(h.deps.database);
    await sql`UPDATE audit_head SET seq = ${COUNT + 2} WHERE organization_id = ${large.id}`.execute(
      h.deps.database,
    );
    await sql`ANALYZE audit_event`.execute(h.deps.database);
  }, 120_000);

  const page = { from: null, direction: "older", limit: 21 } as const;
  test.for([
    ["no filter", {}, "audit_event_by_time"],
    ["a rare event", { event: "member.removed" }, "audit_event_by_event"],
    ["a prefix of a rare event", { event: "member." }, "audit_event_by_event"],
    ["a rare kind of actor", { actor_type: "system" }, "audit_event_by_actor_type"],
    ["a rare kind of subject", { subject_type: "upstream" }, "audit_event_by_subject_type"],
    ["an actor", { actor_id: "user_7" }, "audit_event_by_actor"],
    ["a subject", { subject_id: "apikey_7" }, "audit_event_by_subject"],
    ["a workspace", { workspace_id: "wksp_7" }, "audit_event_by_workspace"],
    ["an address", { ip_address: "192.0.2.7" }, "audit_event_by_address"],
    ["a request", { request_id: "req_7" }, "audit_event_by_request"],
    ["a time", { endingAt: new Date("2025-02-01") }, "audit_event_by_time"],
  ] as const)("a page filtered by %s uses an index", async ([_, filter, index], { h }) => {
    const statement = selectEvents(h.deps.database, { organizationId: large.id, ...filter }, page);
    const plan = JSON.stringify(await statement.explain("json"));
    expect(plan).toContain(index);
    expect(plan).not.toContain("Seq Scan");
  });

  test("an export of all events uses bounded memory", async ({ h }) => {
    const server = createServer((request, response) => h.app.routing(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}${EVENTS}/export`, {
        headers: { "x-api-key": large.adminKey },
      });
      let [lines, bytes, most] = [0, 0, 0];
      const before = measureLiveBytes();
      for await (const chunk of response.body ?? []) {
        const isMeasured =
          Math.floor(bytes / 10_000_000) < Math.floor((bytes + chunk.length) / 10_000_000);
        bytes += chunk.length;
        lines += Buffer.from(chunk).toString("latin1").split("\n").length - 1;
        if (isMeasured) most = Math.max(most, measureLiveBytes() - before);
      }
      expect(lines).toBe(COUNT + 2);
      expect(bytes).toBeGreaterThan(90_000_000);
      // Some pages of half a megabyte as rows, objects and text, and the buffers of both sockets. A busy machine holds
      // more of them. Keeping the whole file would take twice as much.
      expect(most).toBeLessThan(45_000_000);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }, 120_000);
});
