import { afterAll, describe, expect } from "vitest";
import { makeDeliverAlert } from "#src/alerts/channels/deliver-alert.ts";
import { type Listed, PUBLIC_URL } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import {
  type AlertJobNodes,
  createAlert,
  type Firing,
  listFired,
  listFirings,
  startAlertJobs,
} from "#test/harness/alert-jobs.ts";
import type { AlertMessage } from "./alert-message.ts";
import { makeMessage } from "./firing-message.ts";
import { makeKeyAlertJobs } from "./key-alert-jobs.ts";

const DAY_MS = 86_400_000;
const KEYS = "/v1/admin/api_keys";

const test = base.extend("company", ({ h, org }) => {
  const makeKey = (fields: object = {}) => org.operator.createApiKey(workspaceId, fields);

  const fired = () => listFired(org);

  const firings = () => listFirings(org);

  async function onDay(days: number): Promise<void> {
    h.clock.nowMs = startMs + days * DAY_MS;
    await nodes.run();
  }

  /** Records a use on that day from that address, and flushes it. */
  async function use(id: string, days: number, address: string | null = "203.0.113.9") {
    const { id: secretId } = await h.deps.database
      .selectFrom("api_key_secret")
      .select("id")
      .where("api_key_id", "=", id)
      .executeTakeFirstOrThrow();
    const atMs = startMs + days * DAY_MS;
    h.keyUse.record({ secretId: Number(secretId), atMs, address, model: null });
    await h.keyUse.flush();
  }

  /** Messages of all alerts with their receivers. */
  async function messages(): Promise<{ to: string | null; message: AlertMessage }[]> {
    const rows = await h.deps.database
      .selectFrom("alert_delivery as delivery")
      .leftJoin("alert_channel", "alert_channel.id", "delivery.alert_channel_id")
      .select(["delivery.id", "delivery.organization_id", "alert_firing_id", "delivery.created_at"])
      .select("alert_channel.name")
      .where("delivery.organization_id", "=", org.id)
      .orderBy("delivery.created_at")
      .orderBy("delivery.id")
      .execute();
    return Promise.all(
      rows.map(async ({ name, ...row }) => {
        const channel = name === null ? null : { id: "", name };
        return { to: name, message: await makeMessage(h.deps, row, channel) };
      }),
    );
  }

  async function makeChannel(name: string, address?: string): Promise<string> {
    const url = `https://hooks.example.com/${name}`;
    const mail = { kind: "email", recipients: { addresses: [address] } };
    const body = { name, target: address === undefined ? { kind: "webhook", url } : mail };
    return (await org.operator.post<{ id: string }>("/v1/admin/alert_channels", body)).body.id;
  }

  /** Sends all mail about firings. Returns the subjects of mail to the address. */
  async function sendMail(address: string): Promise<string[]> {
    const { database } = h.deps;
    const deliver = makeDeliverAlert(h.deps);
    const queued = await database
      .selectFrom("alert_delivery as delivery")
      .leftJoin("alert_channel as channel", "channel.id", "delivery.alert_channel_id")
      .select("delivery.id")
      .where("delivery.organization_id", "=", org.id)
      .where((eb) => eb.or([eb("channel.id", "is", null), eb("channel.kind", "=", "email")]))
      .execute();
    const ids = queued.map(({ id }) => id);
    for (const id of ids) await deliver(id);
    const mails = await database
      .selectFrom("mail")
      .select("subject")
      .where("to_address", "=", address)
      .where("about_id", "in", ids)
      .execute();
    return mails.map(({ subject }) => subject);
  }

  return { makeKey, fired, firings, onDay, use, messages, makeChannel, sendMail };
});

let nodes: AlertJobNodes;
let workspaceId: string;
let startMs: number;

test.beforeAll(async ({ h }) => {
  startMs = h.clock.nowMs;
  nodes = startAlertJobs(h, makeKeyAlertJobs);
});
afterAll(async () => {
  await nodes.close();
});
test.beforeEach(async ({ h, org }) => {
  h.clock.nowMs = startMs;
  ({ id: workspaceId } = await org.operator.createWorkspace());
});
const at = (days: number) => new Date(startMs + days * DAY_MS).toISOString();
const iso = (time: string) => new Date(time).toISOString();

describe("a key that expires", () => {
  test("fires once for each number of days, and again for another expiry", async ({
    org,
    company,
  }) => {
    const { id } = await company.makeKey({ name: "build", expires_at: at(30) });
    await createAlert(org, { kind: "key_expiring", days: [3, 14, 1] });
    await company.onDay(15.9);
    expect(await company.fired()).toEqual([]);
    await company.onDay(16);
    await company.onDay(17);
    const [first] = await company.firings();
    expect(first).toMatchObject({ kind: "key_expiring", workspace_id: workspaceId });
    expect(first?.title).toBe("The API key build expires on 2026-12-20 at 12:00 UTC.");
    expect(iso(first?.facts.expires_at ?? "")).toBe(at(30));
    await company.onDay(27);
    await company.onDay(29);
    expect(await company.fired()).toEqual([
      [id, "14 days"],
      [id, "3 days"],
      [id, "1 day"],
    ]);
    await org.operator.post(`${KEYS}/${id}`, { expires_at: at(60) });
    await company.onDay(47);
    expect((await company.fired()).slice(3)).toEqual([[id, "14 days"]]);
    await company.onDay(61);
    expect((await company.fired()).length).toBe(4);
  });

  test("fires once with the lowest of several reached numbers of days", async ({
    org,
    company,
  }) => {
    const { id } = await company.makeKey({ expires_at: at(2) });
    await createAlert(org, { kind: "key_expiring", days: [14, 3] });
    await company.onDay(0);
    await company.onDay(1);
    expect(await company.fired()).toEqual([[id, "3 days"]]);
  });

  test("fires on the day after the expiry for zero days", async ({ org, company }) => {
    const { id } = await company.makeKey({ name: "build", expires_at: at(2) });
    await createAlert(org, { kind: "key_expiring", days: [0] });
    await company.onDay(1.9);
    expect(await company.fired()).toEqual([]);
    await company.onDay(2.1);
    expect(await company.fired()).toEqual([[id, "0 days"]]);
    expect((await company.firings())[0]?.title).toBe(
      "The API key build expired on 2026-11-22 at 12:00 UTC.",
    );
  });

  test("fires nothing if it is disabled, archived, long expired or outside the scope", async ({
    org,
    company,
  }) => {
    const other = await org.operator.createWorkspace();
    const outside = await org.operator.createApiKey(other.id, { expires_at: at(2) });
    const inside = await company.makeKey({ expires_at: at(2) });
    const [disabled, archived] = [
      await company.makeKey({ expires_at: at(2) }),
      await company.makeKey({ expires_at: at(2) }),
    ];
    await company.makeKey({ expires_at: null });
    await org.operator.post(`${KEYS}/${disabled.id}`, { status: "inactive" });
    await org.operator.post(`${KEYS}/${archived.id}`, { status: "archived" });
    const condition = { kind: "key_expiring", days: [3] };
    await createAlert(org, condition, { scope: { type: "workspace", workspace_id: workspaceId } });
    await createAlert(org, condition, { scope: { type: "api_key", api_key_id: outside.id } });
    await createAlert(org, condition, { is_enabled: false });
    await company.onDay(0);
    expect((await company.fired()).sort()).toEqual(
      [
        [inside.id, "3 days"],
        [outside.id, "3 days"],
      ].sort(),
    );
    const late = await createAlert(org, { kind: "key_expiring", days: [14] });
    await company.onDay(3);
    expect((await company.firings()).filter((firing) => firing.alert.id === late.id)).toEqual([]);
  });
});

describe("a key that is not used", () => {
  test("fires once after its days, and once more after a use and the same days", async ({
    org,
    company,
  }) => {
    const { id } = await company.makeKey({ name: "build" });
    await createAlert(org, { kind: "key_unused", days: 30 });
    await company.onDay(29.9);
    expect(await company.fired()).toEqual([]);
    await company.onDay(30);
    await company.onDay(40);
    expect(await company.fired()).toEqual([[id, "30 days"]]);
    expect((await company.firings())[0]?.title).toBe(
      "The API key build has not been used for 30 days.",
    );
    await company.use(id, 41);
    await company.onDay(70);
    expect((await company.fired()).length).toBe(1);
    await company.onDay(71);
    await company.onDay(90);
    expect(await company.fired()).toEqual([
      [id, "30 days"],
      [id, "30 days"],
    ]);
    expect((await company.firings())[1]?.title).toBe(
      "The API key build has not been used since 2026-12-31 at 12:00 UTC.",
    );
  });

  test("shares one message for each channel and each owner with others of its evaluation", async ({
    org,
    company,
  }) => {
    const owner = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const count = 45;
    for (let i = 0; i < count; i++) {
      const ofOwner = i % 20 === 0 && { owner_member_id: owner.id };
      await company.makeKey({ name: `key ${String(i).padStart(2, "0")}`, ...ofOwner });
    }
    const channels = [await company.makeChannel("desk"), await company.makeChannel("archive")];
    await createAlert(
      org,
      { kind: "key_unused", days: 30 },
      { channel_ids: channels, notifies_owner: true },
    );
    await company.onDay(30);
    await company.onDay(31);
    expect((await company.fired()).length).toBe(count);
    const messages = await company.messages();
    expect(messages.map(({ to }) => to).sort()).toEqual(["archive", "desk", null]);
    const [toDesk] = messages.filter(({ to }) => to === "desk");
    expect(toDesk?.message).toMatchObject({
      title: "45 API keys have not been used for 30 days or more.",
      url: `${PUBLIC_URL}/api-keys?unused=30`,
      severity: "info",
    });
    const items = toDesk?.message.list?.items ?? [];
    expect(items.length).toBe(21);
    expect(items[0]).toMatch(/^key 00 \(.+\): never used$/);
    expect(items.at(-1)).toBe("and 25 more");
    expect(toDesk?.message.payload.data).toMatchObject({ api_keys_count: count });
    const [toOwner] = messages.filter(({ to }) => to === null);
    expect(toOwner?.message.title).toBe("3 API keys have not been used for 30 days or more.");
    expect(toOwner?.message.list?.items.map((item) => item.slice(0, 6))).toEqual([
      "key 00",
      "key 20",
      "key 40",
    ]);
    // The history shows each firing with its messages.
    const history = await company.firings();
    expect(history.every(({ deliveries }) => deliveries.length >= 2)).toBe(true);
    const { body } = await org.operator.get<Listed<{ title: string }>>(
      `/v1/admin/alert_channels/${channels[0]}/deliveries`,
    );
    expect(body.data.map(({ title }) => title)).toEqual([toDesk?.message.title]);
  });

  test("shares one message for each channel and person with those of other alerts", async ({
    org,
    company,
  }) => {
    const owner = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const { id: otherWorkspaceId } = await org.operator.createWorkspace();
    for (const fields of [{ owner_member_id: owner.id }, { owner_member_id: owner.id }, {}]) {
      await company.makeKey(fields);
    }
    await org.operator.createApiKey(otherWorkspaceId, { name: "elsewhere" });
    const desk = await company.makeChannel("desk");
    const mail = await company.makeChannel("mail", owner.email);
    await createAlert(
      org,
      { kind: "key_unused", days: 30 },
      { name: "All", channel_ids: [desk], notifies_owner: true },
    );
    const scope = { type: "workspace", workspace_id: workspaceId };
    const days = { kind: "key_unused", days: 20 };
    await createAlert(org, days, { name: "Own", scope, channel_ids: [desk, mail] });
    await company.onDay(30);
    const toDesk = (await company.messages()).filter(({ to }) => to === "desk");
    expect(toDesk.map(({ message }) => message.title)).toEqual([
      "4 API keys have not been used for 20 days or more.",
    ]);
    expect(toDesk[0]?.message).toMatchObject({ url: `${PUBLIC_URL}/api-keys?unused=20` });
    expect(toDesk[0]?.message.name.split(", ").sort()).toEqual(["All", "Own"]);
    const history = `/v1/admin/alert_channels/${desk}/deliveries`;
    const { body } = await org.operator.get<Listed<{ title: string }>>(history);
    expect(body.data.map(({ title }) => title)).toEqual([toDesk[0]?.message.title]);
    // As the owner of two keys, and as a receiver of the channel of their workspace.
    expect(await company.sendMail(owner.email)).toEqual([
      "3 API keys have not been used for 20 days or more.",
    ]);
    const firings = await company.firings();
    const isToDesk = ({ deliveries }: Firing) =>
      deliveries.some((each) => each.channel_id === desk);
    expect(firings.map(isToDesk)).toEqual(Array(7).fill(true));
  });

  test("has its own message if it is the only one, and later ones share a message", async ({
    org,
    company,
  }) => {
    await company.makeKey({ name: "build" });
    await createAlert(
      org,
      { kind: "key_unused", days: 30 },
      { channel_ids: [await company.makeChannel("desk")] },
    );
    await company.onDay(10);
    await company.makeKey({ name: "later" });
    await company.makeKey({ name: "last" });
    await company.onDay(30);
    await company.onDay(40);
    const titles = (await company.messages()).map(({ message }) => message.title);
    expect(titles).toEqual([
      "The API key build has not been used for 30 days.",
      "2 API keys have not been used for 30 days or more.",
    ]);
  });

  test("fires nothing if it has expired, or if its owner has left", async ({ h, org, company }) => {
    const owner = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    await company.makeKey({ expires_at: at(2) });
    await company.makeKey({ owner_member_id: owner.id });
    await h.deps.database
      .updateTable("member")
      .set({ status: "deactivated" })
      .where("id", "=", owner.id)
      .execute();
    const { id } = await company.makeKey();
    await createAlert(org, { kind: "key_unused", days: 1 }, { includes_below: true });
    await company.onDay(3);
    expect(await company.fired()).toEqual([[id, "1 day"]]);
  });
});

describe("a key that is used from a new network", () => {
  const condition = { kind: "key_new_address" };

  test("fires once for each network except its first", async ({ org, company }) => {
    const { id } = await company.makeKey({ name: "build" });
    await createAlert(org, condition);
    await company.use(id, 0.1, "203.0.113.9");
    await company.use(id, 0.2, "203.0.113.250");
    await company.use(id, 0.3, null);
    await company.onDay(0.3);
    expect(await company.fired()).toEqual([]);
    await company.use(id, 0.4, "198.51.100.7");
    await company.use(id, 0.5, "2001:db8:1:2::3");
    await company.onDay(0.5);
    await company.use(id, 0.6, "2001:db8:1:ffff::4");
    await company.use(id, 0.7, "203.0.113.10");
    await company.onDay(0.7);
    expect((await company.fired()).sort()).toEqual([
      [id, "198.51.100.0/24"],
      [id, "2001:db8:1::/48"],
    ]);
    expect((await company.firings()).map(({ title }) => title).sort()[0]).toBe(
      "The API key build was used from a new network: 198.51.100.0/24.",
    );
  });

  test("fires nothing for uses before the alert, for old uses, and for other keys", async ({
    h,
    org,
    company,
  }) => {
    h.clock.nowMs = startMs - 3 * DAY_MS;
    const [known, watched] = [await company.makeKey(), await company.makeKey()];
    h.clock.nowMs = startMs;
    await company.use(known.id, -2, "203.0.113.9");
    await company.use(known.id, -1, "198.51.100.7");
    await company.use(watched.id, -1, "192.0.2.1");
    await createAlert(org, condition, { scope: { type: "api_key", api_key_id: watched.id } });
    await company.use(known.id, 0.1, "233.252.0.1");
    await company.use(watched.id, 0.1, "233.252.0.1");
    await company.onDay(0.2);
    expect(await company.fired()).toEqual([[watched.id, "233.252.0.0/24"]]);
    await company.use(watched.id, 1, "233.252.1.1");
    await company.onDay(2.1);
    expect((await company.fired()).length).toBe(1);
  });

  test("keeps the 200 networks that were seen last", async ({ h, company }) => {
    const { id } = await company.makeKey();
    for (let i = 0; i < 210; i++) await company.use(id, 1 + i / 1_000, `10.1.${i}.1`);
    await company.use(id, 1.5, "10.1.0.1");
    await company.onDay(2);
    const rows = await h.deps.database
      .selectFrom("api_key_network")
      .select("network")
      .where("api_key_id", "=", id)
      .execute();
    const networks = rows.map(({ network }) => network);
    expect(networks.length).toBe(200);
    expect([networks.includes("10.1.0.0/24"), networks.includes("10.1.10.0/24")]).toEqual([
      true,
      false,
    ]);
  });
});
