import type { Logger } from "#src/lib/logger.ts";
import type { Journal } from "./journal-contract.ts";
import type { NodeRow } from "./node.sql.ts";

/** Whether the node's row belongs to another journal than this one. */
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
    "the database knows this node by another journal: if that one was lost, what waited in it cannot be recovered; " +
      "if another gateway runs under this node id, give each its own BURSAR_NODE_ID",
  );
}
