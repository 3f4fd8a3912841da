import type { Logger } from "#src/lib/logger.ts";
import type { Journal } from "./journal-contract.ts";
import type { NodeRow } from "./node.sql.ts";

/** True if the node's row belongs to another journal. */
export function isOtherJournal(journal: Journal, { journalId }: NodeRow): boolean {
  return journalId !== journal.journalId && journalId !== journal.previousJournalId;
}

export function reportOtherJournal(
  { nodeId, journalId }: Journal,
  { journalId: otherJournalId }: NodeRow,
  logger: Logger,
): void {
  logger.error(
    { nodeId, journalId, otherJournalId },
    "the database has another journal for this node: if that journal was lost, its unflushed records cannot be recovered. " +
      "If another gateway runs under this node id, give each its own BURSAR_NODE_ID",
  );
}
