import { telemetrySignals } from "@bursar/contract/telemetry-signals.ts";
import { LRUCache } from "lru-cache";
import { findMemberEmail } from "#src/claude-code/telemetry/member-email.sql.ts";
import { ENVIRONMENT_RECEIVER_ID, type Receiver } from "#src/claude-code/telemetry/receiver.ts";
import type { TelemetryOutcome } from "#src/claude-code/telemetry/receiver-sender.ts";
import { makeServedReceivers } from "#src/claude-code/telemetry/served-receivers.ts";
import { TelemetryRelay } from "#src/claude-code/telemetry/telemetry-relay.ts";
import type { Config } from "#src/config.ts";
import type { Changed } from "#src/db/change-watch.ts";
import type { Database } from "#src/db/pool.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeLoggedReload } from "./logged-reload.ts";

const EMAIL_TTL_MS = 600_000;
const MAX_EMAILS = 10_000;
/** Time between two reports of a node about its receivers. */
const SAVE_HEALTH_MS = 10_000;

/** Parts of the process that the relay uses. */
interface TelemetryCore {
  /** Organization whose laptops send to the receiver of the environment. */
  organizationId: string;
  audit: { database: Database; sealingKey: Buffer; nowMs: () => number };
  /** Functions that are called after each change. */
  reload: ((changed: Changed) => void)[];
}

interface TelemetryOptions {
  config: Pick<Config, "telemetryUrl" | "telemetryHeaders">;
  client: GuardedClient;
  metrics: { observeTelemetry: (outcome: TelemetryOutcome) => void };
  logger: Logger;
}

/** Starts the relay of telemetry with the stored receivers and the one of the environment. */
export async function startTelemetry(
  { organizationId, audit, reload }: TelemetryCore,
  { config, client, metrics, logger }: TelemetryOptions,
  parts: AsyncDisposableStack,
): Promise<TelemetryRelay> {
  const { database, sealingKey, nowMs } = audit;
  const relay = new TelemetryRelay({
    environment: findEnvironmentReceiver(config, organizationId),
    findEmail: makeFindEmail(database),
    observe: (outcome) => metrics.observeTelemetry(outcome),
    ...{ client, nowMs, logger },
  });
  const served = makeServedReceivers({ database, sealingKey, relay });
  const logFailures = makeLoggedReload(logger);
  reload.push(logFailures(() => served.reload()));
  await served.reload();
  const timer = setInterval(
    logFailures(() => served.saveHealth()),
    SAVE_HEALTH_MS,
  );
  parts.defer(() => clearInterval(timer));
  parts.defer(() => relay.close());
  return relay;
}

function findEnvironmentReceiver(
  { telemetryUrl, telemetryHeaders }: TelemetryOptions["config"],
  organizationId: string,
): Receiver | null {
  if (telemetryUrl === undefined) return null;
  return {
    id: ENVIRONMENT_RECEIVER_ID,
    organizationId,
    version: 0,
    url: telemetryUrl.replace(/\/+$/, ""),
    headers: telemetryHeaders ?? {},
    signals: telemetrySignals,
  };
}

function makeFindEmail(database: Database) {
  const emails = new LRUCache<string, string>({ max: MAX_EMAILS, ttl: EMAIL_TTL_MS });
  return async (member: { organizationId: string; memberId: string }): Promise<string | null> => {
    const known = emails.get(member.memberId);
    if (known !== undefined) return known;
    const email = await findMemberEmail(database, member);
    if (email !== null) emails.set(member.memberId, email);
    return email;
  };
}
