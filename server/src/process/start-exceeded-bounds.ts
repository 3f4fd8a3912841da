import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Changed } from "#src/db/change-watch.ts";
import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { recordExceededBound } from "#src/spend/exceeded-bounds/change-exceeded-bounds.ts";
import {
  type ExceededBounds,
  makeExceededBounds,
} from "#src/spend/exceeded-bounds/exceeded-bounds.ts";
import { makeLoggedReload } from "./logged-reload.ts";

/** Reads the models and tools that are held whole, at the start and after each change. */
export async function startExceededBounds(
  {
    database,
    alerting,
    logger,
  }: { database: Database; alerting: AuditDeps & AlertingDeps; logger: Logger },
  parts: AsyncDisposableStack,
  reload: ((changed: Changed) => void)[],
): Promise<ExceededBounds> {
  const bounds = makeExceededBounds({
    database,
    record: (excess) => recordExceededBound(alerting, excess),
    logger,
  });
  parts.defer(() => bounds.stop());
  await bounds.reload();
  reload.push(makeLoggedReload(logger)(() => bounds.reload()));
  return bounds;
}
