import { describe, expect } from "vitest";
import { recordFirings } from "#src/alerts/firing/record-firings.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { FACTS } from "#test/harness/alert-channels.ts";
import { test as base } from "#test/harness/alerting-test.ts";

const test = base.extend("fireForKey", ({ a }) => async (owner_member_id: string | null) => {
  const { id: workspaceId } = await a.org.admin.createWorkspace();
  const key = await a.org.admin.createApiKey(workspaceId, {
    ...(owner_member_id !== null && { owner_member_id }),
  });
  const alert = await a.org.admin.post<{ id: string }>("/v1/admin/alerts", {
    name: "Keys",
    scope: { type: "api_key", api_key_id: key.id },
    condition: { kind: "spend_limit" },
    channel_ids: [],
    notifies_owner: true,
  });
  const { database } = a.h.deps;
  const [firing] = await inTransaction(database, (tx) =>
    recordFirings(tx, a.h.deps, [
      {
        organizationId: a.org.id,
        alertId: alert.body.id,
        kind: "spend_limit",
        scopeType: "api_key",
        scopeId: key.id,
        workspaceId,
        episode: "2026-11",
        threshold: "75%",
        facts: FACTS,
      },
    ]),
  );
  const { id } = await database
    .selectFrom("alert_delivery")
    .select("id")
    .where("alert_firing_id", "=", firing?.id ?? "")
    .executeTakeFirstOrThrow();
  await a.attempt(id);
  await a.attempt(id);
  const mails = await database
    .selectFrom("mail")
    .select("to_address")
    .where("about_id", "=", id)
    .execute();
  const row = await database
    .selectFrom("alert_delivery")
    .select("status")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  return { status: row.status, to: mails.map(({ to_address }) => to_address) };
});

describe("the owner of a key", () => {
  test("gets one mail", async ({ a, fireForKey }) => {
    const member = await a.org.member({ role: "admin" });
    expect(await fireForKey(member.id)).toEqual({ status: "sent", to: [member.email] });
  });

  test("is missing: the message is dropped", async ({ fireForKey }) => {
    expect(await fireForKey(null)).toEqual({ status: "dropped", to: [] });
  });
});
