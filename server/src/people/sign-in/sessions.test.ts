// Oldest PostgreSQL: sign-in
import { describe, expect, test } from "vitest";
import { SESSION_IDLE_MS, SESSION_MS } from "#src/access/sessions.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import {
  ada,
  browse,
  countSessions,
  h,
  ME,
  org,
  prepareSignIn,
  setStatus,
  signedIn,
} from "#test/harness/sign-in.ts";

prepareSignIn();

interface Shown {
  id: string;
  is_current: boolean;
  device: string | null;
  ip_address: string;
}

describe("a session", () => {
  test("is stored only in a form that cannot be used to sign in", async () => {
    const browser = await signedIn();
    const cookie = browser.cookies.get("bursar_session") ?? "";
    const [token = ""] = decodeURIComponent(cookie).split(".");
    const rows = await h.deps.database
      .selectFrom("auth_session")
      .selectAll()
      .where("user_id", "=", ada.id)
      .execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    for (const row of rows) {
      const thief = browse();
      for (const value of [row.token, `${row.token}.${cookie.split(".")[1]}`, row.id]) {
        thief.cookies.set("bursar_session", value);
        expect((await thief.get(ME)).status).toBe(401);
      }
    }
  });

  test("ends seven days after its last use", async () => {
    const browser = await signedIn();
    const startMs = h.clock.nowMs;
    try {
      h.clock.nowMs = startMs + SESSION_IDLE_MS - 1;
      expect((await browser.get(ME)).status).toBe(200);
      h.clock.nowMs += SESSION_IDLE_MS - 1; // counts as a use
      expect((await browser.get(ME)).status).toBe(200);
      h.clock.nowMs += SESSION_IDLE_MS;
      expect((await browser.get(ME)).status).toBe(401);
    } finally {
      h.clock.nowMs = startMs;
    }
  });

  test("ends thirty days after its start despite use", async () => {
    const browser = await signedIn();
    const startMs = h.clock.nowMs;
    try {
      for (let day = 1; day < 30; day++) {
        h.clock.nowMs = startMs + day * 86_400_000;
        expect((await browser.get(ME)).status).toBe(200);
      }
      h.clock.nowMs = startMs + SESSION_MS - 1;
      expect((await browser.get(ME)).status).toBe(200);
      h.clock.nowMs = startMs + SESSION_MS;
      expect((await browser.get(ME)).status).toBe(401);
    } finally {
      h.clock.nowMs = startMs;
    }
  });

  test("has the member's current roles, and none after deactivation", async () => {
    const browser = await signedIn();
    const roleOf = async () =>
      (await browser.get<{ member: { role: string } }>(ME)).body.member.role;
    await inSignedTransaction(h.deps, (tx) =>
      tx.updateTable("member").set({ role: "billing" }).where("id", "=", ada.id).execute(),
    );
    expect(await roleOf()).toBe("billing");
    for (const status of ["deactivated", "removed"] as const) {
      await setStatus(ada, status);
      expect((await browser.get(ME)).status).toBe(401);
    }
    await setStatus(ada, "active");
    expect(await roleOf()).toBe("billing");
  });

  test("ends at sign-out, also for a copied cookie", async () => {
    const events = await watchEvents(h.deps.database, org.id);
    const browser = await signedIn();
    const thief = browse();
    for (const [name, value] of browser.cookies) thief.cookies.set(name, value);
    const answer = await browser.post("/v1/admin/sign_out");
    expect(answer.body).toEqual({ type: "signed_out" });
    expect(browser.cookies.has("bursar_session")).toBe(false);
    expect((await thief.get(ME)).status).toBe(401);
    expect((await events()).map(({ event }) => event)).toEqual([
      "session.started",
      "session.ended",
    ]);
  });

  test("ends the least recently used one when a member has more than fifty", async () => {
    const oldest = await signedIn();
    h.clock.nowMs += 120_000;
    const now = new Date(h.clock.nowMs);
    const times = { expires_at: now, started_at: now, last_used_at: now };
    const others = Array.from({ length: 49 }, (_, i) => `${ada.id} ${i}`);
    await h.deps.database
      .insertInto("auth_session")
      .values(others.map((id) => ({ id, token: id, user_id: ada.id, ...times })))
      .execute();
    await signedIn();
    expect((await oldest.get(ME)).status).toBe(401);
    expect(await countSessions(ada)).toBe(50);
  });
});

describe("own sessions", () => {
  test("are listed with their location, and each can be ended", async () => {
    await h.deps.database.deleteFrom("auth_session").where("user_id", "=", ada.id).execute();
    const here = await signedIn({ remoteAddress: "203.0.113.10" });
    const there = await signedIn({
      remoteAddress: "203.0.113.11",
      userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
    });
    const { body } = await here.get<{ data: Shown[] }>("/v1/admin/sessions");
    const shown = body.data.map(({ device, ip_address, is_current }) => ({
      device,
      ip_address,
      is_current,
    }));
    expect(shown).toHaveLength(2);
    expect(shown).toContainEqual({
      device: "Firefox on Linux",
      ip_address: "203.0.113.10",
      is_current: true,
    });
    expect(shown).toContainEqual({
      device: "Safari on iOS",
      ip_address: "203.0.113.11",
      is_current: false,
    });
    const other = body.data.find(({ is_current }) => !is_current)?.id ?? "";
    expect((await here.remove(`/v1/admin/sessions/${other}`)).status).toBe(200);
    expect((await there.get(ME)).status).toBe(401);
    expect((await here.remove(`/v1/admin/sessions/${other}`)).status).toBe(404);
  });

  test("do not include sessions of other members", async () => {
    const grace = await org.member({ role: "owner" });
    const { body } = await grace.client.get<{ session_id: string }>(ME);
    const browser = await signedIn();
    const answer = await browser.remove(`/v1/admin/sessions/${body.session_id}`);
    expect([answer.status, answer.error.message]).toEqual([404, "Session not found"]);
    expect((await grace.client.get(ME)).status).toBe(200);
  });

  test("end together, with or without the current one", async () => {
    const here = await signedIn();
    const there = await signedIn();
    const kept = await here.post("/v1/admin/sessions/sign_out_everywhere", { keep_current: true });
    expect(kept.body).toEqual({ type: "sessions_ended", ended: 2 });
    expect([(await here.get(ME)).status, (await there.get(ME)).status]).toEqual([200, 401]);
    const all = await here.post("/v1/admin/sessions/sign_out_everywhere", {});
    expect(all.body).toEqual({ type: "sessions_ended", ended: 1 });
    expect(here.cookies.has("bursar_session")).toBe(false);
    expect((await here.get(ME)).status).toBe(401);
  });
});

describe("sessions of another member", () => {
  const sessionsOf = (id: string) => `/v1/admin/members/${id}/sessions`;

  test("are listed for an admin, who ends one and leaves the others", async () => {
    await h.deps.database.deleteFrom("auth_session").where("user_id", "=", ada.id).execute();
    const lost = await signedIn({ remoteAddress: "203.0.113.12" });
    const kept = await signedIn({ remoteAddress: "203.0.113.13" });
    const admin = await org.member({ role: "admin" });
    const { body } = await admin.client.get<{ data: Shown[] }>(sessionsOf(ada.id));
    expect(body.data).toHaveLength(2);
    expect(body.data).toMatchObject([{ is_current: false }, { is_current: false }]);
    const found = body.data.find(({ ip_address }) => ip_address === "203.0.113.12");
    const readEvents = await watchEvents(h.deps.database, org.id);
    const ended = await admin.client.remove(`${sessionsOf(ada.id)}/${found?.id}`);
    expect(ended.body).toEqual({ id: found?.id, type: "session_deleted" });
    expect((await lost.get(ME)).status).toBe(401);
    expect((await kept.get(ME)).status).toBe(200);
    expect(await readEvents()).toMatchObject([
      { event: "member.session_ended", actor_id: admin.id, after: { session_id: found?.id } },
    ]);
    expect((await admin.client.remove(`${sessionsOf(ada.id)}/${found?.id}`)).status).toBe(404);
  });

  test("of an owner stay hidden from an admin, and own ones end with the own account", async () => {
    const owner = await org.member({ role: "owner" });
    const admin = await org.member({ role: "admin" });
    const code = { error: { details: { error_code: "cannot_sign_out_owner" } } };
    expect((await admin.client.get(sessionsOf(owner.id))).body).toMatchObject(code);
    expect((await admin.client.get(sessionsOf(admin.id))).body).toMatchObject({
      error: { details: { error_code: "cannot_sign_out_self" } },
    });
  });
});
