import { randomUUID } from "node:crypto";
import type {
  alertChannel,
  alertDelivery,
  createAlertChannel,
} from "@bursar/contract/admin/alert-channels.ts";
import { sql } from "kysely";
import type { z } from "zod";
import { makeDeliverAlert } from "#src/alerts/channels/deliver-alert.ts";
import { recordFirings } from "#src/alerts/firing/record-firings.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { makeGuardedClient } from "#src/lib/guarded-client.ts";
import { type AdminHarness, startAdmin, type TestOrganization } from "./admin.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

export type Channel = z.output<typeof alertChannel>;
export type CreatedChannel = z.output<typeof createAlertChannel.response>;
export type Delivery = z.output<typeof alertDelivery>;
export type Target = z.input<typeof createAlertChannel.body>["target"];

/** The Admin API with channels to loopback receivers. */
export interface Alerting {
  h: AdminHarness;
  org: TestOrganization;
  /** Stands for external servers, such as PagerDuty. */
  receiver: Receiver;
  createChannel(target?: Target, name?: string): Promise<CreatedChannel>;
  getChannel(id: string): Promise<Channel>;
  /**
   * Fires an alert with these channels. Returns the ids of its firing and of its messages, in the order of the
   * channels.
   */
  fire(channelIds: readonly string[]): Promise<{ firingId: string; deliveryIds: string[] }>;
  /** Makes one delivery attempt, as the job does. */
  attempt(deliveryId: string): Promise<void>;
  getDelivery(channelId: string, id: string): Promise<Delivery>;
  /** Seconds from the end of the last attempt to the next. Null when no attempt is due. */
  secondsToNextAttempt(deliveryId: string): Promise<number | null>;
  close(): Promise<void>;
}

export const FACTS = {
  period: "monthly",
  period_ends_at: "2026-12-01T00:00:00.000Z",
  limit_usd: "100.00",
  spent_usd: "75.50",
  enforcement: "strict",
} as const;
export const WORKSPACE_NAME = "Growth <team>";

export async function startAlerting(): Promise<Alerting> {
  const receiver = await startReceiver();
  const h = await startAdmin({
    client: makeGuardedClient({
      allowed: ["127.0.0.1"],
      // Every name resolves to a private address.
      resolve: async () => [{ address: "10.0.0.1", family: 4 }],
      timeoutMs: 20_000,
    }),
    pagerDutyUrl: (region) => `${receiver.origin}/pagerduty/${region}`,
  });
  // Signatures contain the time of the attempt. Receivers compare it with the real time.
  h.clock.nowMs = Date.now();
  const org = await h.organization("Acme");
  const { id: workspaceId } = await org.admin.createWorkspace({ name: WORKSPACE_NAME });
  const deliver = makeDeliverAlert(h.deps);
  const { database } = h.deps;

  return {
    h,
    org,
    receiver,
    createChannel: async (target, name = `Channel ${randomUUID()}`) => {
      const url = `${receiver.origin}/hooks/${randomUUID()}`;
      const answer = await org.admin.post<CreatedChannel>("/v1/admin/alert_channels", {
        name,
        target: target ?? { kind: "webhook", url },
      });
      if (answer.status !== 200) throw new Error(`cannot create a channel: ${answer.text}`);
      return answer.body;
    },
    getChannel: async (id) => (await org.admin.get<Channel>(`/v1/admin/alert_channels/${id}`)).body,
    fire: async (channelIds) => {
      const alert = await org.admin.post<{ id: string }>("/v1/admin/alerts", {
        name: "Budget",
        scope: { type: "workspace", workspace_id: workspaceId },
        condition: { kind: "spend_limit" },
        channel_ids: channelIds,
      });
      if (alert.status !== 200) throw new Error(`cannot create an alert: ${alert.text}`);
      const [firing] = await inTransaction(database, (tx) =>
        recordFirings(tx, h.deps, [
          {
            organizationId: org.id,
            alertId: alert.body.id,
            kind: "spend_limit",
            scopeType: "workspace",
            scopeId: workspaceId,
            workspaceId,
            episode: "2026-11",
            threshold: "75%",
            facts: FACTS,
          },
        ]),
      );
      const rows = await database
        .selectFrom("alert_delivery")
        .select(["id", "alert_channel_id"])
        .where("alert_firing_id", "=", firing?.id ?? "")
        .execute();
      const deliveryIds = channelIds.map(
        (channelId) => rows.find((row) => row.alert_channel_id === channelId)?.id ?? "",
      );
      return { firingId: firing?.id ?? "", deliveryIds };
    },
    attempt: async (deliveryId) => {
      await sql`DELETE FROM graphile_worker._private_jobs
        WHERE key = ${`alert_delivery:${deliveryId}`}`.execute(database);
      await deliver(deliveryId);
    },
    getDelivery: async (channelId, id) => {
      const path = `/v1/admin/alert_channels/${channelId}/deliveries?limit=1000`;
      const { body } = await org.admin.get<{ data: Delivery[] }>(path);
      const found = body.data.find((each) => each.id === id);
      if (!found) throw new Error(`no delivery ${id}`);
      return found;
    },
    secondsToNextAttempt: async (deliveryId) => {
      const { rows } = await sql<{ seconds: number }>`
        SELECT extract(epoch FROM run_at - created_at)::double precision AS seconds
        FROM graphile_worker._private_jobs
        WHERE key = ${`alert_delivery:${deliveryId}`}`.execute(database);
      return rows[0]?.seconds ?? null;
    },
    close: async () => {
      await h.close();
      await receiver.close();
    },
  };
}
