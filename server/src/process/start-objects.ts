import type { Database } from "#src/db/pool.ts";
import type { ObjectServer } from "#src/gateway/object-call.ts";
import type { ObjectReferences } from "#src/gateway/object-references.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeObjectServer } from "#src/upstream-objects/object-server.ts";
import { makeOwnedObjects } from "#src/upstream-objects/owned-objects.ts";

interface ObjectsDeps {
  database: Database;
  logger: Logger;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  /** Starts the server of message batches, which name objects too. */
  startBatches: (references: ObjectReferences) => Pick<ObjectServer, "serve">;
}

/** Makes the server of all objects that upstreams store. */
export function makeObjects({ database, logger, nowMs, startBatches }: ObjectsDeps): ObjectServer {
  const owned = makeObjectServer({ objects: makeOwnedObjects(database, nowMs), logger, nowMs });
  const batches = startBatches(owned);
  return {
    ...owned,
    serve: (call) =>
      call.route.operation.startsWith("batches.") ? batches.serve(call) : owned.serve(call),
  };
}
