import type { FlushParticipant } from "./flush.ts";
import { addToRollups, insertUsageEvents } from "./usage.sql.ts";
import { toRollups, toUsageEvent } from "./usage-rows.ts";

/** Metering's own part of a flush: one event per request, and the rollups that reports read. */
export function recordUsage(nodeId: string): FlushParticipant {
  return {
    async flush(tx, batch) {
      await insertUsageEvents(
        tx,
        batch.map((record) => toUsageEvent(record, nodeId)),
      );
      await addToRollups(tx, toRollups(batch));
    },
  };
}
