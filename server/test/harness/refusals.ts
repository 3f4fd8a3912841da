import type { Database } from "#src/db/pool.ts";
import { newId } from "#src/lib/ids.ts";
import { makeLogger } from "#src/lib/logger.ts";
import type { Refusal } from "#src/refusals/record-refusals.ts";
import { startRefusalRecorder } from "#src/refusals/start-recorder.ts";

/** A refusal by a rate limit. */
export function makeRefusal(
  fields: Partial<Refusal> & Pick<Refusal, "organizationId" | "workspaceId" | "apiKeyId" | "atMs">,
): Refusal {
  const { errorCode = "rate_limited" } = fields;
  return {
    requestId: newId("req_", fields.atMs),
    errorCode,
    httpStatus: 429,
    model: "claude-sonnet-5",
    address: "192.0.2.7",
    details: { error_code: errorCode },
    ...fields,
  };
}

/** Records refusals as one node, and stops it. */
export async function recordRefusals(
  database: Database,
  refusals: readonly Refusal[],
): Promise<void> {
  const node = startRefusalRecorder({ database, logger: makeLogger("silent") });
  for (const refusal of refusals) node.record(refusal);
  await node.stop();
}
