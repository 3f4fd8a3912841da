import { type AuditSubjectType, auditSubjects } from "@bursar/contract/audit-subjects.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { bumpChangeCounter, type ChangeScope } from "#src/db/change-watch.ts";
import type { Tx } from "#src/db/pool.ts";
import type { Caller, Origin } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { waitForNextTurn } from "#src/lib/slices.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import {
  createAuditHead,
  findActorDisplay,
  insertAuditEvents,
  lockAuditHead,
  moveAuditHead,
  type StoredEvent,
} from "./audit.sql.ts";
import type { JsonValue } from "./canonical-json.ts";
import { type ClaimDeps, runOncePerClaim } from "./claimed-changes.ts";
import {
  type AuditHead,
  type ChainPlace,
  genesisHash,
  hashEvent,
  openHead,
  type SignedHead,
  signHead,
} from "./hash-event.ts";

/** Event that was added to a chain. Its position is the new end of the chain. */
export interface AddedEvent extends ChainPlace {
  organizationId: string;
  previousHash: Uint8Array;
}

export interface AuditDeps extends ClaimDeps {
  randomBytes: RandomBytes;
  /** Signs the keys, roles and sessions that a change writes. */
  rows: RowSigner;
  /** Resolves when events can be added: after a failover, when the log records it. Throws a 503. */
  beforeAppend: () => Promise<void>;
  /** Called with each committed event. See witness.ts. */
  onAudited: (added: AddedEvent) => void;
}

/**
 * Description of a change. `before` is null for a new subject, `after` for a deleted one. Both have fields of the API, and
 * never a secret or the hash of a secret.
 */
export interface AuditEntry {
  event: `${string}.${string}`;
  subject: { type: AuditSubjectType; id: string };
  /** Workspace of the change. Null: the whole organization. */
  workspaceId: string | null;
  before: { readonly [key: string]: JsonValue } | null;
  after: { readonly [key: string]: JsonValue } | null;
  /** New retention of events in days, if the change sets it. Null: for ever. */
  retentionDays?: number | null;
}

/** Changes of one call, each with its own event. "unchanged": the state was already as requested. */
export type Audit = AuditEntry | readonly AuditEntry[] | "unchanged";

/**
 * Runs `work` in one transaction with its audit events. The transaction raises the change counter, so that every node
 * drops its cached data. The chain's end is locked last, until the commit, so changes of one organization run in order.
 * With a claim (`origin.claim`) `work` runs once, and a repeated request gets the stored result: plain data. `work` runs
 * again after a deadlock, so it must not keep state. Rolls back and rethrows what `work` throws.
 */
export function auditedTransaction<Result>(
  deps: AuditDeps,
  caller: Caller,
  origin: Origin,
  work: (tx: Tx) => Promise<{ result: Result; audit: Audit }>,
): Promise<Result> {
  const { organizationId } = caller;
  const actor = { type: caller.kind, id: caller.id };
  return auditedTransactionByActor(deps, { organizationId, actor, origin }, work);
}

/** Actor of a change: a caller, a person whom the server acts for, or the server (`{ type: "system" }`). */
export interface ChangeActor {
  organizationId: string;
  actor: { type: string; id: string };
  origin: Origin;
}

/** `auditedTransaction` for a change without a caller. */
export async function auditedTransactionByActor<Result>(
  deps: AuditDeps,
  { organizationId, actor, origin }: ChangeActor,
  work: (tx: Tx) => Promise<{ result: Result; audit: Audit }>,
): Promise<Result> {
  let added: AddedEvent[] = [];
  const runAttempt = (tx: Tx) => {
    added = [];
    const runAudited = async () => {
      const { result, audit } = await work(tx);
      const entries = audit === "unchanged" ? [] : [audit].flat();
      if (entries.length > 0) {
        added = await appendAuditEvents(tx, deps, { entries, organizationId, actor, origin });
        await bumpChangeCounter(tx, findScopes(entries));
      }
      return result;
    };
    return origin.claim ? runOncePerClaim(tx, deps, origin.claim, runAudited) : runAudited();
  };
  const result = await inSignedTransaction(deps, runAttempt, { deadlockRetries: 3 });
  for (const each of added) deps.onAudited(each);
  return result;
}

/** Scopes of the entries, each once. `no_key` is left out beside others. Null: all keys. */
export function findScopes(entries: readonly AuditEntry[]): ChangeScope[] | null {
  const scopes = new Map<string, ChangeScope>();
  for (const entry of entries) {
    const scope = changeScopeOf(entry);
    if (scope === null) return null;
    scopes.set(`${scope.kind} ${scope.id}`, scope);
  }
  const affected = [...scopes.values()].filter(({ kind }) => kind !== "no_key");
  return affected.length > 0 ? affected : [...scopes.values()].slice(0, 1);
}

/** Keys that nodes drop from their caches after the change. Null: all keys. */
function changeScopeOf({ subject: { type, id } }: AuditEntry): ChangeScope | null {
  const keys = auditSubjects[type];
  return keys === "every_key" ? null : { kind: keys, id };
}

interface ByActor {
  organizationId: string;
  actor: { type: string; id: string };
  origin: Origin;
}

export interface NewEvent extends ByActor {
  entry: AuditEntry;
}

interface NewEvents extends ByActor {
  entries: readonly AuditEntry[];
}

/**
 * Adds one event to the organization's chain. Only for work outside `auditedTransaction`, which must call `onAudited` after
 * its commit.
 */
export async function appendAuditEvent(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey" | "beforeAppend">,
  { entry, ...by }: NewEvent,
): Promise<AddedEvent> {
  return getOnly(await appendAuditEvents(tx, deps, { ...by, entries: [entry] }));
}

/** Adds events in order. Thousands take as many statements as one, so that a large group is changed in a few seconds. */
async function appendAuditEvents(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey" | "beforeAppend">,
  events: NewEvents,
): Promise<AddedEvent[]> {
  await deps.beforeAppend();
  const { now, ...stored } = await lockAuditHead(tx, events.organizationId);
  const head = checkHead(deps.auditKey, stored);
  return appendAllAfterHead(tx, deps, { ...events, head, now });
}

/** Starts the chain of an organization that this transaction creates. All its rows are signed. */
export async function startAuditChain(
  tx: Tx,
  deps: Pick<AuditDeps, "auditKey">,
  organizationId: string,
): Promise<void> {
  const hash = genesisHash(deps.auditKey, organizationId);
  const head = { organizationId, seq: 0n, hash, keyedFrom: 1n, retentionDays: null };
  const mac = signHead(deps.auditKey, { ...head, hasSignedRows: true });
  await createAuditHead(tx, { ...head, mac });
}

/** Adds an event after `head`, which the caller has locked and checked. */
export async function appendAfterHead(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey">,
  { entry, ...by }: NewEvent & { head: SignedHead; now: Date },
): Promise<AddedEvent> {
  return getOnly(await appendAllAfterHead(tx, deps, { ...by, entries: [entry] }));
}

/** Events that are hashed between two turns of the event loop, in about a millisecond. */
const HASHED_AT_ONCE = 32;

async function appendAllAfterHead(
  tx: Tx,
  deps: Pick<AuditDeps, "randomBytes" | "auditKey">,
  {
    entries,
    organizationId,
    actor,
    origin,
    head,
    now,
  }: NewEvents & { head: SignedHead; now: Date },
): Promise<AddedEvent[]> {
  const display = await findActorDisplay(tx, { organizationId, ...actor });
  const { keyedFrom, hasSignedRows } = head;
  const stored: StoredEvent[] = [];
  let { seq, hash, retentionDays } = head;
  for (const [index, entry] of entries.entries()) {
    if (index > 0 && index % HASHED_AT_ONCE === 0) await waitForNextTurn();
    seq += 1n;
    const event = {
      id: newId(idPrefixes.auditEvent, now.getTime(), deps.randomBytes),
      organizationId,
      seq,
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
    const previousHash = hash;
    hash = hashEvent(deps.auditKey, previousHash, event);
    stored.push({ ...event, previousHash, hash });
    if (entry.retentionDays !== undefined) retentionDays = entry.retentionDays;
  }
  await insertAuditEvents(tx, stored);
  const next = { organizationId, seq, hash, keyedFrom, retentionDays };
  await moveAuditHead(tx, { ...next, mac: signHead(deps.auditKey, { ...next, hasSignedRows }) });
  return stored.map((event) => ({
    organizationId,
    seq: event.seq,
    hash: event.hash,
    previousHash: event.previousHash,
  }));
}

function getOnly(added: readonly AddedEvent[]): AddedEvent {
  const [first] = added;
  assert(first !== undefined, "an added entry has an event");
  return first;
}

/**
 * Returns the head with the facts of its signature. Throws if this installation did not sign it. An event after a forged
 * head would make the forgery genuine.
 */
export function checkHead(auditKey: Buffer, head: AuditHead): SignedHead {
  const signed = openHead(auditKey, head);
  assert(
    signed !== null,
    "the end of the audit log is signed by this installation (see `bursar audit verify`)",
  );
  return signed;
}
