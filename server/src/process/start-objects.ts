import type { Database } from "#src/db/pool.ts";
import type { ObjectServer } from "#src/gateway/object-call.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeObjectServer } from "#src/upstream-objects/object-server.ts";
import { makeOwnedObjects } from "#src/upstream-objects/owned-objects.ts";

interface ObjectsDeps {
  database: Database;
  logger: Logger;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  /** Server of message batches. */
  batches: ObjectServer;
}

/** Makes the server of all objects that upstreams store. */
export function makeObjects({ database, logger, nowMs, batches }: ObjectsDeps): ObjectServer {
  const owned = makeObjectServer({ objects: makeOwnedObjects(database, nowMs), logger, nowMs });
  return {
    ...owned,
    serve: (call) =>
      call.route.operation.startsWith("batches.") ? batches.serve(call) : owned.serve(call),
  };
}
