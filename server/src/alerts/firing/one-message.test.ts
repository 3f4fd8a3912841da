import { randomUUID } from "node:crypto";
import type { alertFiring } from "@bursar/contract/admin/alerts.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { listOpenIncidents } from "#src/alerts/channels/open-incidents.sql.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { addToBalances } from "#src/spend/ledger/balances.sql.ts";
import type { Listed } from "#test/harness/admin.ts";
import { FACTS, type Target } from "#test/harness/alert-channels.ts";
import { test as base } from "#test/harness/alerting-test.ts";
import { makeMessage } from "./firing-message.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";

// Each receiver gets one message about all firings of an evaluation.

type Firing = z.output<typeof alertFiring>;

const test = base.extend("company", ({ a }) => {
  async function createAlert(channelIds: readonly string[], fields: object = {}): Promise<string> {
    const { body, text } = await a.org.admin.post<{ id: string }>("/v1/admin/alerts", {
      name: "Spend",
      scope: { type: "workspace", workspace_id: workspaceId },
      includes_below: true,
      condition: { kind: "spend_limit" },
      channel_ids: channelIds,
      ...fields,
    });
    if (body.id === undefined) throw new Error(text);
    return body.id;
  }

  function makeFiring(alertId: string, fields: Partial<NewFiring> = {}): NewFiring {
    return {
      ...{ organizationId: a.org.id, alertId, kind: "spend_limit", workspaceId },
      ...{ scopeType: "workspace", scopeId: workspaceId, episode: "once", threshold: "75%" },
      facts: FACTS,
      ...fields,
    };
  }

  /** Records these firings as one evaluation. */
  const record = (...firings: NewFiring[]) =>
    inTransaction(a.h.deps.database, (tx) => recordFirings(tx, a.h.deps, firings));

  async function deliveriesOf(channelId: string | null, firingIds: readonly string[]) {
    return await a.h.deps.database
      .selectFrom("alert_delivery")
      .selectAll()
      .where("alert_channel_id", channelId === null ? "is" : "=", channelId)
      .where("alert_firing_id", "in", [...firingIds])
      .orderBy("id")
      .execute();
  }

  /** Sends the messages about these firings. Returns a function that lists the mail subjects of an address. */
  async function sendMail(firingIds: readonly string[]): Promise<(address: string) => string[]> {
    const { database } = a.h.deps;
    const queued = await database
      .selectFrom("alert_delivery")
      .select("id")
      .where("alert_firing_id", "in", [...firingIds])
      .execute();
    await Promise.all(queued.map(({ id }) => a.attempt(id)));
    const mails = await database
      .selectFrom("mail")
      .select(["to_address", "subject"])
      .where(
        "about_id",
        "in",
        queued.map(({ id }) => id),
      )
      .execute();
    return (address) =>
      mails.filter((mail) => mail.to_address === address).map(({ subject }) => subject);
  }

  async function spend(usd: bigint): Promise<void> {
    const periodStart = `${new Date(a.h.clock.nowMs).toISOString().slice(0, 7)}-01`;
    const place = {
      organizationId: a.org.id,
      scopeType: "workspace",
      scopeId: workspaceId,
    } as const;
    const charge = {
      ...place,
      period: "monthly",
      periodStart,
      nanoUsd: usd * 1_000_000_000n,
    } as const;
    await inTransaction(a.h.deps.database, (tx) => addToBalances(tx, [charge]));
  }

  async function listFirings(alertId: string): Promise<Map<string, Firing>> {
    const path = `/v1/admin/alert_firings?alert_id=${alertId}`;
    const { body } = await a.org.admin.get<Listed<Firing>>(path);
    return new Map(body.data.map((firing) => [firing.threshold, firing]));
  }

  async function setLimitBelowSpend(channelIds: readonly string[]) {
    await spend(2n);
    const alertId = await createAlert(channelIds);
    await a.org.admin.post("/v1/admin/workspaces/limits", {
      workspace_id: workspaceId,
      monthly_limit_usd: 1,
    });
    return await listFirings(alertId);
  }

  async function fireThree(channelIds: readonly string[]) {
    const alertId = await createAlert(channelIds);
    const keys = [
      await a.org.admin.createApiKey(workspaceId),
      await a.org.admin.createApiKey(workspaceId),
    ];
    const recorded = await record(
      ...keys.map(({ id }) => makeFiring(alertId, { scopeType: "api_key", scopeId: id })),
      makeFiring(alertId, { threshold: "100%" }),
    );
    return { recorded, ids: idsOf(recorded) };
  }

  return {
    createAlert,
    makeFiring,
    record,
    deliveriesOf,
    sendMail,
    listFirings,
    setLimitBelowSpend,
    fireThree,
  };
});

let workspaceId: string;
test.beforeEach(async ({ a }) => {
  ({ id: workspaceId } = await a.org.admin.createWorkspace({ name: `Research ${randomUUID()}` }));
});

const mailTo = (...addresses: string[]): Target => ({
  kind: "email",
  recipients: { addresses },
});
const newAddress = () => `${randomUUID()}@example.com`;

const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

describe("thresholds that one evaluation crosses", () => {
  test("are all recorded, and send one message about the highest", async ({ a, company }) => {
    const channels = await Promise.all([
      a.createChannel(mailTo(newAddress())),
      a.createChannel(),
      a.createChannel({ kind: "pagerduty", routing_key: "k".repeat(32) }),
    ]);
    const firings = await company.setLimitBelowSpend(idsOf(channels));
    const highest = firings.get("100%");
    expect([...firings.keys()].sort()).toEqual(["100%", "50%", "75%", "90%"]);
    expect(highest).toMatchObject({ covered_by_id: null });
    expect(highest?.deliveries.map(({ channel_id }) => channel_id).sort()).toEqual(
      idsOf(channels).sort(),
    );
    for (const threshold of ["50%", "75%", "90%"]) {
      const covered = { covered_by_id: highest?.id, deliveries: [] };
      expect(firings.get(threshold)).toMatchObject(covered);
    }
  });

  test("are acknowledged with the highest, each with an audit event", async ({ a, company }) => {
    const firings = await company.setLimitBelowSpend([]);
    const highest = firings.get("100%");
    const events = () =>
      a.h.deps.database
        .selectFrom("audit_event")
        .select("subject_id")
        .where("event", "=", "alert_firing.acknowledged")
        .where("workspace_id", "=", workspaceId)
        .execute();
    await a.org.admin.post(`/v1/admin/alert_firings/${highest?.id}/acknowledge`, { note: "Seen." });
    const after = await company.listFirings(highest?.alert.id ?? "");
    expect([...after.values()].map(({ note }) => note)).toEqual(Array(4).fill("Seen."));
    expect((await events()).map(({ subject_id }) => subject_id).sort()).toEqual(
      idsOf([...after.values()]).sort(),
    );
  });

  test("do not cover thresholds of other periods, scopes and units", async ({ a, company }) => {
    const alertId = await company.createAlert([]);
    const daily = { ...FACTS, period: "daily" as const };
    const recorded = await company.record(
      company.makeFiring(alertId, { threshold: "100%" }),
      company.makeFiring(alertId, { threshold: "75%", episode: "daily", facts: daily }),
      company.makeFiring(alertId, { threshold: "$9.00" }),
      company.makeFiring(alertId, { threshold: "$10.00" }),
    );
    const rows = await a.h.deps.database
      .selectFrom("alert_firing")
      .select(["threshold", "covered_by_id"])
      .where("id", "in", idsOf(recorded))
      .where("covered_by_id", "is not", null)
      .execute();
    const ten = recorded.find(({ threshold }) => threshold === "$10.00");
    expect(rows).toEqual([{ threshold: "$9.00", covered_by_id: ten?.id }]);
  });
});

describe("several scopes in one evaluation", () => {
  test("share one Slack message and one mail, which list the most severe first", async ({
    a,
    company,
  }) => {
    const [mail, slack] = await Promise.all([
      a.createChannel(mailTo(newAddress())),
      a.createChannel({ kind: "slack", url: `${a.receiver.origin}/slack` }),
    ]);
    const { recorded, ids } = await company.fireThree([mail.id, slack.id]);
    const most = recorded.find(({ threshold }) => threshold === "100%");
    for (const channel of [mail, slack]) {
      const [delivery, ...others] = await company.deliveriesOf(channel.id, ids);
      if (delivery === undefined) throw new Error("no message is queued");
      expect([delivery.alert_firing_id, others]).toEqual([most?.id, []]);
      const message = await makeMessage(a.h.deps, delivery, channel);
      expect(message.title).toMatch(/^3 alerts fired\. The workspace Research \S+ has /);
      expect(message).toMatchObject({ severity: "critical", name: "Spend", facts: [] });
      expect(message.list?.items).toHaveLength(3);
      expect(message.list?.items[0]).toMatch(/^The workspace Research \S+ has/);
      expect(message.url).toMatch(/\/alerts$/);
    }
  });

  test("send one event each to webhooks and PagerDuty", async ({ a, company }) => {
    const channels = await Promise.all([
      a.createChannel(),
      a.createChannel({ kind: "pagerduty", routing_key: "k".repeat(32) }),
    ]);
    const { ids } = await company.fireThree(idsOf(channels));
    for (const { id } of channels) {
      const deliveries = await company.deliveriesOf(id, ids);
      expect(deliveries.map((each) => each.alert_firing_id).sort()).toEqual([...ids].sort());
    }
  });

  test("show the message in the history of each firing and of the channel", async ({
    a,
    company,
  }) => {
    const channel = await a.createChannel(mailTo(newAddress()));
    const { ids } = await company.fireThree([channel.id]);
    for (const id of ids) {
      const { body } = await a.org.admin.get<Firing>(`/v1/admin/alert_firings/${id}`);
      expect(body.deliveries).toMatchObject([{ channel_id: channel.id, status: "queued" }]);
    }
    const [delivery] = await company.deliveriesOf(channel.id, ids);
    const { title } = await a.getDelivery(channel.id, delivery?.id ?? "");
    expect(title).toMatch(/^3 alerts fired\./);
  });
});

describe("a person who receives several messages of one evaluation", () => {
  test("gets one mail about all of them", async ({ a, company }) => {
    const [both, one] = [newAddress(), newAddress()];
    const first = await a.createChannel(mailTo(both));
    const second = await a.createChannel(mailTo(both, one));
    const month = await company.createAlert([first.id]);
    const other = await company.createAlert([second.id]);
    const recorded = await company.record(
      company.makeFiring(month),
      company.makeFiring(other, { threshold: "90%", episode: "another period" }),
    );
    const subjectsOf = await company.sendMail(idsOf(recorded));
    expect(subjectsOf(both)).toEqual([expect.stringMatching(/^2 alerts fired\./)]);
    expect(subjectsOf(one)).toEqual([
      expect.stringMatching(/^The workspace Research \S+ has reached/),
    ]);
  });

  test("gets one mail as both a key's owner and a receiver of a channel", async ({
    a,
    company,
  }) => {
    const owner = await a.org.member({ role: "admin" });
    const key = await a.org.admin.createApiKey(workspaceId, { owner_member_id: owner.id });
    const channel = await a.createChannel(mailTo(owner.email));
    const alertId = await company.createAlert([channel.id], { notifies_owner: true });
    const recorded = await company.record(
      company.makeFiring(alertId, { scopeType: "api_key", scopeId: key.id }),
    );
    expect((await company.sendMail(idsOf(recorded)))(owner.email)).toHaveLength(1);
  });

  test("gets a message again after a redelivery", async ({ a, company }) => {
    const address = newAddress();
    const channels = [
      await a.createChannel(mailTo(address)),
      await a.createChannel(mailTo(address)),
    ];
    const alertId = await company.createAlert(idsOf(channels));
    const [firing] = await company.record(company.makeFiring(alertId));
    const firingIds = [firing?.id ?? ""];
    expect((await company.sendMail(firingIds))(address)).toHaveLength(1);
    for (const { id } of channels) {
      const [delivery] = await company.deliveriesOf(id, firingIds);
      await a.org.admin.post(`/v1/admin/alert_deliveries/${delivery?.id}/redeliver`, {});
    }
    expect((await company.sendMail(firingIds))(address)).toHaveLength(3);
  });
});

describe("two alerts with the same cause, scope and threshold", () => {
  test("send one mail and one Slack message, which name both alerts", async ({ a, company }) => {
    const address = newAddress();
    const mail = await a.createChannel(mailTo(address));
    const slack = await a.createChannel({ kind: "slack", url: `${a.receiver.origin}/slack` });
    const channels = [mail.id, slack.id];
    const recorded = await company.record(
      company.makeFiring(await company.createAlert(channels, { name: "Budget" })),
      company.makeFiring(await company.createAlert(channels, { name: "Spend" })),
    );
    const ids = idsOf(recorded);
    expect(ids).toHaveLength(2);
    for (const channel of [mail, slack]) {
      const [delivery, ...others] = await company.deliveriesOf(channel.id, ids);
      if (delivery === undefined) throw new Error("no message is queued");
      const message = await makeMessage(a.h.deps, delivery, channel);
      expect(others).toEqual([]);
      expect(message.title).toMatch(/^The workspace Research \S+ has spent \$75\.50, 75% of /);
      expect(message.name.split(", ").sort()).toEqual(["Budget", "Spend"]);
      expect(message).toMatchObject({ list: null });
      const { title } = await a.getDelivery(channel.id, delivery.id);
      expect(title).toBe(message.title);
    }
    expect((await company.sendMail(ids))(address)).toHaveLength(1);
  });

  test("send one event to a webhook and PagerDuty, which either of them acknowledges", async ({
    a,
    company,
  }) => {
    const pager = await a.createChannel({ kind: "pagerduty", routing_key: "k".repeat(32) });
    const desk = await a.createChannel();
    const channels = [pager.id, desk.id];
    const recorded = await company.record(
      company.makeFiring(await company.createAlert(channels)),
      company.makeFiring(await company.createAlert(channels)),
      company.makeFiring(await company.createAlert(channels), { threshold: "90%" }),
    );
    const ids = idsOf(recorded);
    const events = await company.deliveriesOf(desk.id, ids);
    expect(events).toHaveLength(2);
    const messages = await Promise.all(events.map((each) => makeMessage(a.h.deps, each, desk)));
    const named = messages.map(
      ({ payload }) => (payload.data as { alerts: object[] }).alerts.length,
    );
    expect(named.sort()).toEqual([1, 2]);

    const incidents = await company.deliveriesOf(pager.id, ids);
    await a.h.deps.database
      .updateTable("alert_delivery")
      .set({ status: "sent" })
      .where("id", "in", idsOf(incidents))
      .execute();
    const opened = new Set(incidents.map(({ alert_firing_id: id }) => id));
    const second = ids.find((id) => !opened.has(id)) ?? "";
    const open = await inTransaction(a.h.deps.database, (tx) => listOpenIncidents(tx, [second]));
    expect(open).toEqual([{ channelId: pager.id, firingId: expect.any(String) }]);
    expect(opened.has(open[0]?.firingId ?? "")).toBe(true);
  });
});

describe("an alert that collects firings", () => {
  const collecting = { collect_minutes: 5 };
  const secondsToSend = (row: { collects_until: Date | null; created_at: Date } | undefined) =>
    row?.collects_until ? (row.collects_until.getTime() - row.created_at.getTime()) / 1_000 : 0;

  test("sends one message about several evaluations, with the latest state of each cause", async ({
    a,
    company,
  }) => {
    const address = newAddress();
    const channel = await a.createChannel(mailTo(address));
    const alertId = await company.createAlert([channel.id], collecting);
    const [first] = await company.record(company.makeFiring(alertId));
    const later = { ...FACTS, spent_usd: "91.00" };
    const [second] = await company.record(
      company.makeFiring(alertId, { threshold: "90%", facts: later }),
    );
    const ids = idsOf([first, second].filter((each) => each !== undefined));
    const [delivery, ...others] = await company.deliveriesOf(channel.id, ids);
    expect(others).toEqual([]);
    expect(secondsToSend(delivery)).toBeCloseTo(300, 0);
    const subjectsOf = await company.sendMail(ids);
    expect(subjectsOf(address)).toEqual([expect.stringMatching(/has spent \$91\.00, 91% of its/)]);
    // The message is sent, so the next firing has its own.
    const next = await company.record(company.makeFiring(alertId, { episode: "daily" }));
    expect(await company.deliveriesOf(channel.id, idsOf(next))).toHaveLength(1);
  });

  test("sends a critical firing at once, with those that wait", async ({ a, company }) => {
    const channel = await a.createChannel({ kind: "slack", url: `${a.receiver.origin}/slack` });
    const alertId = await company.createAlert([channel.id], collecting);
    const recorded = [
      ...(await company.record(company.makeFiring(alertId, { episode: "daily 2026-11-20" }))),
      ...(await company.record(company.makeFiring(alertId, { threshold: "100%" }))),
    ];
    const [delivery, ...others] = await company.deliveriesOf(channel.id, idsOf(recorded));
    if (delivery === undefined) throw new Error("no message is queued");
    expect(others).toEqual([]);
    expect(secondsToSend(delivery)).toBeLessThan(60);
    const message = await makeMessage(a.h.deps, delivery, channel);
    expect(message).toMatchObject({ severity: "critical" });
    expect(message.list?.items).toHaveLength(2);
  });

  test("sends the owner of a key one mail about several evaluations", async ({ a, company }) => {
    const owner = await a.org.member({ role: "admin" });
    const key = await a.org.admin.createApiKey(workspaceId, { owner_member_id: owner.id });
    const alertId = await company.createAlert([], { ...collecting, notifies_owner: true });
    const ofKey = { scopeType: "api_key", scopeId: key.id } as const;
    const ids = idsOf([
      ...(await company.record(company.makeFiring(alertId, ofKey))),
      ...(await company.record(company.makeFiring(alertId, { ...ofKey, threshold: "90%" }))),
    ]);
    const [delivery, ...others] = await company.deliveriesOf(null, ids);
    expect(others).toEqual([]);
    expect(secondsToSend(delivery)).toBeCloseTo(300, 0);
    expect((await company.sendMail(ids))(owner.email)).toHaveLength(1);
  });

  test("does not wait with a cause that another alert reports at once to the same person", async ({
    a,
    company,
  }) => {
    const address = newAddress();
    const [waiting, other] = [
      await a.createChannel(mailTo(address)),
      await a.createChannel(mailTo(address)),
    ];
    const slow = await company.createAlert([waiting.id], collecting);
    const fast = await company.createAlert([other.id]);
    const ids = idsOf([
      ...(await company.record(company.makeFiring(slow, { episode: "daily 2026-11-20" }))),
      ...(await company.record(company.makeFiring(slow), company.makeFiring(fast))),
    ]);
    const [delivery] = await company.deliveriesOf(waiting.id, ids);
    expect(secondsToSend(delivery)).toBeLessThan(60);
    const subjects = (await company.sendMail(ids))(address);
    expect(subjects).toEqual([expect.stringMatching(/^2 alerts fired\./)]);
  });

  test("does not delay events of webhooks", async ({ a, company }) => {
    const channel = await a.createChannel();
    const alertId = await company.createAlert([channel.id], collecting);
    const recorded = await company.record(company.makeFiring(alertId));
    const [delivery] = await company.deliveriesOf(channel.id, idsOf(recorded));
    expect(delivery).toMatchObject({ collects_until: null });
  });
});
