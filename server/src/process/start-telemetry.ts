import { LRUCache } from "lru-cache";
import { findMemberEmail } from "#src/claude-code/telemetry/member-email.sql.ts";
import {
  type TelemetryOutcome,
  TelemetryRelay,
} from "#src/claude-code/telemetry/telemetry-relay.ts";
import type { Config } from "#src/config.ts";
import type { Database } from "#src/db/pool.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import type { Logger } from "#src/lib/logger.ts";

const EMAIL_TTL_MS = 600_000;
const MAX_EMAILS = 10_000;

/** Makes the relay of telemetry. Null: no receiver is configured. */
export function makeTelemetry(
  { telemetryUrl, telemetryHeaders }: Pick<Config, "telemetryUrl" | "telemetryHeaders">,
  of: {
    database: Database;
    client: GuardedClient;
    metrics: { observeTelemetry: (outcome: TelemetryOutcome) => void };
    logger: Logger;
  },
): TelemetryRelay | null {
  if (telemetryUrl === undefined) return null;
  const emails = new LRUCache<string, string>({ max: MAX_EMAILS, ttl: EMAIL_TTL_MS });
  return new TelemetryRelay({
    receiver: { url: telemetryUrl.replace(/\/+$/, ""), headers: telemetryHeaders ?? {} },
    client: of.client,
    findEmail: async ({ organizationId, memberId }) => {
      const known = emails.get(memberId);
      if (known !== undefined) return known;
      const email = await findMemberEmail(of.database, { organizationId, memberId });
      if (email !== null) emails.set(memberId, email);
      return email;
    },
    observe: (outcome) => of.metrics.observeTelemetry(outcome),
    logger: of.logger,
  });
}
