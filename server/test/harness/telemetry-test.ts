import { findMemberEmail } from "#src/claude-code/telemetry/member-email.sql.ts";
import type { Receiver } from "#src/claude-code/telemetry/receiver.ts";
import { makeServedReceivers } from "#src/claude-code/telemetry/served-receivers.ts";
import { type Telemetry, TelemetryRelay } from "#src/claude-code/telemetry/telemetry-relay.ts";
import { makeGuardedClient } from "#src/lib/guarded-client.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { startAdmin } from "./admin.ts";
import { test as adminTest } from "./admin-test.ts";
import { startReceiver } from "./receiver.ts";

const client = makeGuardedClient({ allowed: ["127.0.0.1"] });
/** Tests of telemetry receivers, with a relay to targets on loopback. All tests of a file share the server. */
export const test = adminTest
  .extend("h", { scope: "file" }, async ({}, { onCleanup }) => {
    /** Receiver of the environment. A test sets it. */
    const settings: { environment: Receiver | null } = { environment: null };
    const held: { relay: TelemetryRelay | null } = { relay: null };
    const telemetry: Telemetry = {
      get environment() {
        return settings.environment;
      },
      relay: (sent) => held.relay?.relay(sent),
      findHealth: () => null,
    };
    const h = await startAdmin({ client, telemetry });
    held.relay = new TelemetryRelay({
      environment: null,
      client,
      findEmail: (of) => findMemberEmail(h.deps.database, of),
      observe: () => undefined,
      nowMs: h.deps.nowMs,
      logger: makeLogger("silent"),
    });
    const { database, sealingKey } = h.deps;
    const served = makeServedReceivers({ database, sealingKey, relay: held.relay });
    onCleanup(() => h.close());
    return Object.assign(h, { served, settings });
  })
  .extend("receiver", { scope: "file" }, async ({}, { onCleanup }) => {
    const receiver = await startReceiver();
    onCleanup(() => receiver.close());
    return receiver;
  });
