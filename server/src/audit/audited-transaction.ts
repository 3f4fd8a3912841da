import { type AuditSubjectType, auditSubjects } from "@bursar/contract/audit-subjects.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { bumpChangeCounter, type ChangeScope } from "#src/db/change-watch.ts";
import type { Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import {
  createAuditHead,
  findActorDisplay,
  insertAuditEvent,
  lockAuditHead,
  moveAuditHead,
} from "./audit.sql.ts";
import type { JsonValue } from "./canonical-json.ts";
import { type ClaimDeps, onceUnderClaim } from "./claimed-changes.ts";
import { type AuditHead, type ChainPlace, genesisHash, hashEvent, signHead } from "./hash-event.ts";
import { isSameBytes } from "./sign.ts";

/** An event that has been added to a chain: its place is the chain's new end. */
export interface AddedEvent extends ChainPlace {
  organizationId: string;
  previousHash: Uint8Array;
}

export interface AuditDeps extends ClaimDeps {
  randomBytes: RandomBytes;
  /** Told of each event once it is committed: see witness.ts. */
  onAudited: (added: AddedEvent) => void;
}

/**
 * What a change was. `before` is null for something new, `after` for something that is gone. They are what the API
 * shows of the thing: no secret and no hash of one ever stands in them.
 */
export interface AuditEntry {
  event: `${string}.${string}`;
  subject: { type: AuditSubjectType; id: string };
  /** The workspace it happened in, or null for the organization as a whole. */
  workspaceId: string | null;
  before: { readonly [key: string]: JsonValue } | null;
  after: { readonly [key: string]: JsonValue } | null;
  /** Days that events are kept from now on (null: for ever), where the change is about that. */
  retentionDays?: number | null;
}

/**
 * What one call changed: one thing, or several of a kind, each with an event of its own. A use case that found everything
 * as it was asked to be has changed nothing, and says so.
 */
export type Audit = AuditEntry | readonly AuditEntry[] | "unchanged";

/**
 * Runs `work` in one transaction that also holds the audit event of what it did, and raises the change counter, so that
 * every node drops what it had cached. The chain's end is locked last and until the commit: changes of one organization
 * follow one another. Under a claim (`origin.claim`) it runs once, and gives a repeated request what it gave the first:
 * `work` therefore returns plain data. After a deadlock `work` runs again, so it begins anew each time. Throws what `work`
 * throws, and then nothing has happened.
 */
export function auditedTransaction<Result>(
  deps: AuditDeps,
  caller: Caller,
  origin: Origin,
  work: (tx: Tx) => Promise<{ result: Result; audit: Audit }>,
): Promise<Result> {
  const { organizationId } = caller;
  const actor = { type: caller.kind, id: caller.id };
  return auditedTransactionOf(deps, { organizationId, actor, origin }, work);
}

/** Who makes a change: a caller, or the server by itself (`{ type: "system" }`) or later on somebody's behalf. */
export interface Maker {
  organizationId: string;
  actor: { type: string; id: string };
  origin: Origin;
}

/** As `auditedTransaction`, where nobody is calling. */
export async function auditedTransactionOf<Result>(
  deps: AuditDeps,
  { organizationId, actor, origin }: Maker,
  work: (tx: Tx) => Promise<{ result: Result; audit: Audit }>,
): Promise<Result> {
  let added: AddedEvent[] = [];
  const workAndNote = (tx: Tx) => {
    added = [];
    const workAndAudit = async () => {
      const { result, audit } = await work(tx);
      const entries = audit === "unchanged" ? [] : [audit].flat();
      for (const entry of entries) {
        added.push(await appendAuditEvent(tx, deps, { entry, organizationId, actor, origin }));
      }
      const [first, ...others] = entries;
      if (first) await bumpChangeCounter(tx, others.length === 0 ? changeScopeOf(first) : null);
      return result;
    };
    return origin.claim ? onceUnderClaim(tx, deps, origin.claim, workAndAudit) : workAndAudit();
  };
  const result = await inTransaction(deps.database, workAndNote, { deadlockRetries: 3 });
  for (const each of added) deps.onAudited(each);
  return result;
}

/** Keys that nodes drop from their caches after the change. Null: all of them. */
function changeScopeOf({ subject: { type, id } }: AuditEntry): ChangeScope | null {
  const keys = auditSubjects[type];
  return keys === "every_key" ? null : { kind: keys, id };
}

export interface NewEvent {
  entry: AuditEntry;
  organizationId: string;
  actor: { type: string; id: string };
  origin: Origin;
}

/**
 * Adds one event to the organization's chain. Use cases call `auditedTransaction`; only what has no caller calls this, and
 * tells `onAudited` itself after the commit.
 */
export async function appendAuditEvent(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey">,
  what: NewEvent,
): Promise<AddedEvent> {
  const { now, ...head } = await lockAuditHead(tx, what.organizationId);
  checkHead(deps.auditKey, head);
  return append(tx, deps, { ...what, head, now });
}

/** Begins the chain of an organization that was made in this transaction. */
export async function startAuditChain(
  tx: Tx,
  deps: Pick<AuditDeps, "auditKey">,
  organizationId: string,
): Promise<void> {
  const hash = genesisHash(deps.auditKey, organizationId);
  const head = { organizationId, seq: 0n, hash, keyedFrom: 1n, retentionDays: null };
  await createAuditHead(tx, { ...head, mac: signHead(deps.auditKey, head) });
}

/** Adds an event after `head`, which is locked and taken as it is. */
export async function append(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey">,
  what: NewEvent & { head: Omit<AuditHead, "mac">; now: Date },
): Promise<AddedEvent> {
  const { entry, organizationId, actor, origin, head, now } = what;
  const display = await findActorDisplay(tx, { organizationId, ...actor });
  const event = {
    id: newId(idPrefixes.auditEvent, now.getTime(), deps.randomBytes),
    organizationId,
    seq: head.seq + 1n,
    event: entry.event,
    actorType: actor.type,
    actorId: actor.id,
    actorName: display.name,
    actorEmail: display.email,
    subjectType: entry.subject.type,
    subjectId: entry.subject.id,
    workspaceId: entry.workspaceId,
    before: entry.before,
    after: entry.after,
    requestId: origin.requestId,
    ipAddress: origin.ipAddress,
    userAgent: origin.userAgent,
    createdAt: now,
  };
  const hash = hashEvent(deps.auditKey, head.hash, event);
  await insertAuditEvent(tx, { ...event, previousHash: head.hash, hash });
  const { keyedFrom } = head;
  const retentionDays =
    entry.retentionDays === undefined ? head.retentionDays : entry.retentionDays;
  const next = { organizationId, seq: event.seq, hash, keyedFrom, retentionDays };
  await moveAuditHead(tx, { ...next, mac: signHead(deps.auditKey, next) });
  return { organizationId, seq: event.seq, hash, previousHash: head.hash };
}

/** Nothing is signed behind an end that this installation has not signed: that would make a forgery genuine. */
export function checkHead(auditKey: Buffer, { mac, ...head }: AuditHead): void {
  assert(
    mac !== null && isSameBytes(mac, signHead(auditKey, head)),
    "the end of the audit log is signed by this installation (see `bursar audit verify`)",
  );
}
