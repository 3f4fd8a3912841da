import {
  type AuditDeps,
  type AuditEntry,
  auditedTransactionByActor,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Origin } from "#src/domain/caller.ts";
import type { DirectoryRow } from "#src/people/directory/directories.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { holdDirectory } from "./listed-members.sql.ts";
import { ScimFault } from "./scim-fault.ts";

/** Context of a request by a directory. */
export interface FeedCall {
  directory: DirectoryRow;
  tokenId: string;
  origin: Origin;
}

export interface Change {
  tx: Tx;
  deps: AuditDeps;
  call: FeedCall;
  now: Date;
  /** Events of the change, in order. */
  audit: AuditEntry[];
}

/** Runs a change by the directory. Its people cannot change meanwhile. Throws a 401 for a deleted directory. */
export function changePeople<Result>(
  deps: AuditDeps,
  call: FeedCall,
  work: (change: Change) => Promise<Result>,
): Promise<Result> {
  const { id, organization_id: organizationId } = call.directory;
  const by = { organizationId, actor: { type: "directory", id }, origin: call.origin };
  return auditedTransactionByActor(deps, by, async (tx) => {
    // The directory first, like a sign-in and a deletion of the directory.
    if (!(await holdDirectory(tx, id))) {
      throw new ScimFault(401, null, "The directory was deleted.");
    }
    await lockPeople(tx, organizationId);
    const audit: AuditEntry[] = [];
    const result = await work({ tx, deps, call, now: new Date(deps.nowMs()), audit });
    return { result, audit: audit.length === 0 ? "unchanged" : audit };
  });
}
