import { idPrefixes } from "@bursar/contract/ids.ts";
import { bumpChangeCounter, type ChangeScope } from "#src/db/change-watch.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { insertAuditEvent, lockAuditHead, moveAuditHead } from "./audit.sql.ts";
import type { JsonValue } from "./canonical-json.ts";
import { hashEvent } from "./hash-event.ts";

export interface AuditDeps {
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
}

/**
 * What a change was. `before` is null for something new, `after` for something that is gone. They are what the API
 * shows of the thing: no secret and no hash of one ever stands in them.
 */
export interface AuditEntry {
  event: `${string}.${string}`;
  subject: { type: string; id: string };
  /** The workspace it happened in, or null for the organization as a whole. */
  workspaceId: string | null;
  before: { readonly [key: string]: JsonValue } | null;
  after: { readonly [key: string]: JsonValue } | null;
}

/** A use case that found everything as it was asked to be has changed nothing, and says so. */
export type Audit = AuditEntry | "unchanged";

/**
 * Runs `work` in one transaction that also holds the audit event of what it did, and raises the change counter, so that
 * every node drops what it had cached. The chain's end is locked last and until the commit: changes of one organization
 * follow one another. Throws what `work` throws, and then nothing has happened.
 */
export function auditedTransaction<Result>(
  deps: AuditDeps,
  caller: Caller,
  origin: Origin,
  work: (tx: Tx) => Promise<{ result: Result; audit: Audit }>,
): Promise<Result> {
  return deps.database.transaction().execute(async (tx) => {
    const { result, audit } = await work(tx);
    if (audit !== "unchanged") {
      await appendAuditEvent(tx, deps, {
        entry: audit,
        organizationId: caller.organizationId,
        actor: { type: caller.kind, id: caller.id },
        origin,
      });
      await bumpChangeCounter(tx, changeScopeOf(audit));
    }
    return result;
  });
}

/** Things that no key depends on: what nodes keep of keys stays true when they change. */
const apartFromKeys = new Set([
  "spend_limit",
  "model_price",
  "upstream",
  "admin_key",
  "security_settings",
]);

/** What nodes must forget of keys after the change. Null, which is all of it, for every subject that is not known here. */
function changeScopeOf({ subject: { type, id } }: AuditEntry): ChangeScope | null {
  if (type === "api_key" || type === "workspace" || type === "member") return { kind: type, id };
  return apartFromKeys.has(type) ? { kind: "no_key", id } : null;
}

/** Adds one event to the organization's chain. Use cases call `auditedTransaction`; only what has no caller calls this. */
export async function appendAuditEvent(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes">,
  what: {
    entry: AuditEntry;
    organizationId: string;
    actor: { type: string; id: string };
    origin: Origin;
  },
): Promise<void> {
  const { entry, organizationId, actor, origin } = what;
  const head = await lockAuditHead(tx, organizationId);
  const event = {
    id: newId(idPrefixes.auditEvent, head.now.getTime(), deps.randomBytes),
    organizationId,
    seq: head.seq + 1n,
    event: entry.event,
    actorType: actor.type,
    actorId: actor.id,
    subjectType: entry.subject.type,
    subjectId: entry.subject.id,
    workspaceId: entry.workspaceId,
    before: entry.before,
    after: entry.after,
    requestId: origin.requestId,
    ipAddress: origin.ipAddress,
    userAgent: origin.userAgent,
    createdAt: head.now,
  };
  const hash = hashEvent(head.hash, event);
  await insertAuditEvent(tx, { ...event, previousHash: head.hash, hash });
  await moveAuditHead(tx, { organizationId, seq: event.seq, hash });
}
