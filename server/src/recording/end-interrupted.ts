import type { Database } from "#src/db/pool.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { Logger } from "#src/lib/logger.ts";
import { toInterruptedEnd } from "./interrupted-end.ts";
import type { Journal } from "./journal-contract.ts";
import { readDatabaseNowMs } from "./node.sql.ts";
import { listRecordedRequests } from "./usage.sql.ts";

interface EndInterruptedOptions {
  database: Database;
  journal: Journal;
  /** Highest number of requests in one query. */
  batchSize: number;
  /** Name of a model in reports. */
  labelOf: (organizationId: string, model: string) => string;
  end: (record: EndRecord) => void;
  logger: Logger;
}

/**
 * Ends the requests that have a begin and no end. A crash interrupted them, or a power failure lost their ends on the disk
 * after the flush. The database has an event of the latter, and their begins are only removed. Throws the database's error.
 */
export async function endInterrupted(
  options: EndInterruptedOptions,
  openBegins: readonly BeginRecord[],
): Promise<void> {
  const { database, journal, batchSize, labelOf, end, logger } = options;
  const nowMs = await readDatabaseNowMs(database);
  for (let at = 0; at < openBegins.length; at += batchSize) {
    const begins = openBegins.slice(at, at + batchSize);
    const recorded = await listRecordedRequests(database, begins);
    for (const begin of begins) {
      const model = labelOf(begin.organizationId, begin.requestedModel);
      if (recorded.has(begin.requestId)) journal.removeBegin(begin.requestId);
      else end(toInterruptedEnd(begin, { model, nowMs }));
    }
  }
  if (openBegins.length > 0) {
    logger.warn({ requests: openBegins.length }, "requests were running at the crash");
  }
}
