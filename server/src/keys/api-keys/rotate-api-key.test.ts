import type { apiKey } from "@bursar/contract/admin/api-keys.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { hashSecret } from "#src/domain/key-format.ts";
import { type FoundKey, findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { CreatedApiKey } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type ApiKey = z.output<typeof apiKey>;

const test = base.extend("keys", ({ h, org }) => {
  const rotate = (body: object = {}) =>
    org.admin.post<CreatedApiKey>(`/v1/admin/api_keys/${made.id}/rotate`, body);

  const cutOff = () => org.admin.post<ApiKey>(`/v1/admin/api_keys/${made.id}/cut_off`);

  const iso = (inMs: number) => new Date(h.clock.nowMs + inMs).toISOString();

  const lookUp = (secret: string): Promise<FoundKey | null> =>
    findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(secret));

  /** Calls the Admin API with the secret. Returns "works", or status and message. */
  const trySecret = async (secret: string) => {
    const answer = await h.as(secret).get("/v1/admin/api_keys");
    return answer.status === 200 ? "works" : `${answer.status} ${answer.error.message}`;
  };

  return { rotate, cutOff, iso, lookUp, trySecret };
});

let made: CreatedApiKey;
test.beforeEach(async ({ h, org }) => {
  const { id } = await org.admin.createWorkspace();
  made = await org.admin.createApiKey(id, { permissions: ["admin"], allowed_models: ["m"] });
  h.clock.nowMs += 1_000;
});

describe("a rotation", () => {
  test("keeps id and settings, shows the new secret once, and ends the old one immediately", async ({
    org,
    keys,
  }) => {
    const { key: old, waiting_secret: _, ...before } = made;
    const { body } = await keys.rotate();
    const { key, waiting_secret: __, ...after } = body;
    expect(key).not.toBe(old);
    const hint = `${key.slice(0, 16)}...${key.slice(-4)}`;
    const secret = { created_at: keys.iso(0), valid_until: null, last_used: null };
    expect(after).toEqual({
      ...before,
      partial_key_hint: hint,
      secrets: [{ partial_key_hint: hint, ...secret }],
    });
    expect((await org.admin.get(`/v1/admin/api_keys/${made.id}`)).body).toEqual(after);
    expect(await keys.trySecret(key)).toBe("works");
    expect(await keys.trySecret(old)).toBe(
      `401 This API key was rotated, and this secret expired at ${keys.iso(0)}. Use its new secret.`,
    );
  });

  test("with a grace period keeps both secrets valid until its last millisecond", async ({
    h,
    org,
    keys,
  }) => {
    const { body } = await keys.rotate({ grace_period_seconds: 3600 });
    const endsAt = keys.iso(HOUR_MS);
    expect(body.secrets.map(({ valid_until }) => valid_until)).toEqual([null, endsAt]);
    expect(body.secrets[1]?.partial_key_hint).toBe(made.partial_key_hint);
    expect([await keys.lookUp(body.key), await keys.lookUp(made.key)]).toMatchObject([
      { id: made.id, secretValidUntilMs: null },
      { id: made.id, secretValidUntilMs: h.clock.nowMs + HOUR_MS },
    ]);
    h.clock.nowMs += HOUR_MS - 1;
    expect([await keys.trySecret(made.key), await keys.trySecret(body.key)]).toEqual([
      "works",
      "works",
    ]);
    h.clock.nowMs += 1;
    expect(await keys.trySecret(made.key)).toContain(
      `was rotated, and this secret expired at ${endsAt}`,
    );
    expect(await keys.trySecret(body.key)).toBe("works");
    const shown = await org.admin.get<ApiKey>(`/v1/admin/api_keys/${made.id}`);
    expect(shown.body.secrets.length).toBe(1);
  });

  test("during a grace period is refused without cut_off_previous", async ({ h, keys }) => {
    const second = (await keys.rotate({ grace_period_seconds: 3600 })).body;
    const refused = await keys.rotate({ grace_period_seconds: 0 });
    expect([refused.status, refused.error.type]).toEqual([409, "conflict_error"]);
    expect(refused.error.message).toContain(keys.iso(HOUR_MS));
    expect(refused.error.message).toContain("cut_off_previous: true");
    const third = (await keys.rotate({ grace_period_seconds: 60, cut_off_previous: true })).body;
    expect(await keys.trySecret(made.key)).toContain("401 This API key was rotated");
    expect([await keys.trySecret(second.key), await keys.trySecret(third.key)]).toEqual([
      "works",
      "works",
    ]);
    h.clock.nowMs += 60_000;
    expect(await keys.trySecret(second.key)).toContain("401 This API key was rotated");
    expect((await keys.rotate()).status).toBe(200);
  });

  test("succeeds once of eight concurrent ones, and two secrets work afterwards", async ({
    org,
    keys,
  }) => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => keys.rotate({ grace_period_seconds: 60 })),
    );
    const rotated = answers.filter(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)]);
    expect(await keys.trySecret(rotated[0]?.body.key ?? "")).toBe("works");
    const { secrets } = (await org.admin.get<ApiKey>(`/v1/admin/api_keys/${made.id}`)).body;
    expect(secrets.map((secret) => secret.partial_key_hint)).toEqual([
      rotated[0]?.body.partial_key_hint,
      made.partial_key_hint,
    ]);
  });

  test("keeps or sets the expiry, which also ends the grace period", async ({ keys }) => {
    const kept = (
      await keys.rotate({ expires_at: keys.iso(HOUR_MS), grace_period_seconds: 86_400 })
    ).body;
    expect(kept.expires_at).toBe(keys.iso(HOUR_MS));
    expect(kept.secrets[1]?.valid_until).toBe(keys.iso(HOUR_MS));
    const again = (await keys.rotate({ cut_off_previous: true })).body;
    expect(again.expires_at).toBe(kept.expires_at);
  });

  test("works for a disabled key, and is refused for an expired or archived key", async ({
    h,
    org,
    keys,
  }) => {
    const url = `/v1/admin/api_keys/${made.id}`;
    await org.admin.post(url, { status: "inactive" });
    expect((await keys.rotate()).body.status).toBe("inactive");
    await org.admin.post(url, { expires_at: keys.iso(1_000) });
    h.clock.nowMs += 1_000;
    const expired = await keys.rotate({ expires_at: keys.iso(DAY_MS) });
    expect([expired.status, expired.error.message]).toEqual([
      400,
      "This API key has expired: it can no longer be rotated. Create another one.",
    ]);
    await org.admin.post(url, { status: "archived" });
    expect([(await keys.rotate()).status, (await keys.rotate()).error.type]).toEqual([
      400,
      "invalid_request_error",
    ]);
  });

  test.for([
    [{ grace_period_seconds: -1 }, "grace_period_seconds"],
    [{ grace_period_seconds: 2_592_001 }, "grace_period_seconds"],
    [{ grace_period_seconds: 1.5 }, "grace_period_seconds"],
    [{ grace_period_seconds: "60" }, "grace_period_seconds"],
    [{ cut_off_previous: "yes" }, "cut_off_previous"],
    [{ name: "New" }, "name: there is no such field here."],
  ] as const)("refuses %j", async ([body, message], { keys }) => {
    const answer = await keys.rotate(body);
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });

  test("creates an audit event with both hints and the end of the grace period, without a secret", async ({
    h,
    keys,
  }) => {
    const { key, partial_key_hint } = (await keys.rotate({ grace_period_seconds: 60 })).body;
    const event = (await auditEventsOf(h.deps.database, made.id)).at(-1);
    expect(event).toMatchObject({
      event: "api_key.rotated",
      before: { partial_key_hint: made.partial_key_hint },
      after: { partial_key_hint, previous_secret_valid_until: keys.iso(60_000) },
    });
    for (const secret of [key, made.key]) {
      expect(JSON.stringify(event)).not.toContain(secret.slice(18, 40));
    }
  });
});

describe("a cut-off", () => {
  test("ends the grace period once, with one audit event", async ({ h, keys }) => {
    const { key } = (await keys.rotate({ grace_period_seconds: 3600 })).body;
    h.clock.nowMs += 10;
    expect((await keys.cutOff()).body.secrets.length).toBe(1);
    expect(await keys.trySecret(made.key)).toContain(`expired at ${keys.iso(0)}`);
    expect(await keys.trySecret(key)).toBe("works");
    expect((await keys.cutOff()).status).toBe(200);
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(events.map(({ event }) => event)).toEqual([
      "api_key.created",
      "api_key.rotated",
      "api_key.cut_off",
    ]);
    expect(events.at(-1)).toMatchObject({
      before: { previous_partial_key_hint: made.partial_key_hint },
      after: { previous_secret_valid_until: keys.iso(0) },
    });
  });

  test("after the grace period does not change its end", async ({ h, keys }) => {
    await keys.rotate({ grace_period_seconds: 60 });
    const endedAt = keys.iso(60_000);
    h.clock.nowMs += 120_000;
    await keys.cutOff();
    expect(await keys.trySecret(made.key)).toContain(`expired at ${endedAt}`);
  });
});

test("each secret has its last use, and the key has the newest of all its secrets", async ({
  h,
  org,
  keys,
}) => {
  const { key } = (await keys.rotate({ grace_period_seconds: 3600 })).body;
  const firstAt = keys.iso(0);
  await keys.trySecret(key);
  h.clock.nowMs += 5;
  const secondAt = keys.iso(0);
  await keys.trySecret(made.key);
  await h.keyUse.flush();
  const use = (at: string) => ({ at, address: "127.0.0.1", model: null });
  const read = async () => (await org.admin.get<ApiKey>(`/v1/admin/api_keys/${made.id}`)).body;
  expect((await read()).secrets.map((secret) => secret.last_used)).toEqual([
    use(firstAt),
    use(secondAt),
  ]);
  await keys.cutOff();
  const shown = await read();
  expect(shown.secrets.map((secret) => secret.last_used)).toEqual([use(firstAt)]);
  expect(shown.last_used).toEqual(use(secondAt));
  // A refused call is not a use.
  h.clock.nowMs += 5;
  await keys.trySecret(made.key);
  await h.keyUse.flush();
  expect((await read()).last_used).toEqual(use(secondAt));
});
