import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { mapInParts } from "#src/lib/slices.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { type MailDeps, queueMail } from "#src/mail/queue-mail.ts";
import {
  deleteWaitingSecrets,
  insertWaitingSecrets,
  type ListedWaitingSecret,
  listWaitingSecrets as listRows,
  lockWaitingSecret,
} from "./waiting-secrets.sql.ts";

// A key of a person counts as that person, so only that person may have its secret. A secret that someone else creates waits,
// sealed, until the signed-in owner reads it once.

export interface WaitingSecretDeps extends AuditDeps, MailDeps {
  /** Public address of the console, without a trailing slash. */
  publicUrl: () => string;
}

const LASTS_MS = 7 * 86_400_000;

/** Key with a new secret. */
export interface KeyOfSecret {
  id: string;
  name: string;
  owner_member_id: string | null;
  owner_email: string | null;
}

export interface Waiting {
  id: string;
  /** Page of the console that shows the secret to its signed-in owner. */
  url: string;
  expiresAt: Date;
}

/** Receiver of a new secret: the caller, or the owner of the key through a waiting secret. */
export type Handover = { secret: string; waiting: null } | { secret: null; waiting: Waiting };

/** A key with its new secret. */
interface MadeSecret<Key extends KeyOfSecret> {
  key: Key;
  secret: string;
}

type Reason = "created" | "rotated";

/**
 * Hands new secrets over in the transaction that creates them. All keys have the same owner. The caller gets the secrets of its
 * own keys and of a workspace's keys. For keys of another member the secrets wait for the owner, who gets one message.
 */
export async function handOverSecrets<Key extends KeyOfSecret>(
  tx: Tx,
  deps: WaitingSecretDeps,
  caller: Caller,
  { made, reason }: { made: readonly MadeSecret<Key>[]; reason: Reason },
): Promise<({ key: Key } & Handover)[]> {
  await deleteWaitingSecrets(
    tx,
    made.map(({ key }) => key.id),
  );
  const memberId = made[0]?.key.owner_member_id ?? null;
  const isOwn = caller.kind === "member" && caller.id === memberId;
  if (memberId === null || isOwn) {
    return made.map(({ key, secret }) => ({ key, secret, waiting: null }));
  }
  const now = new Date(deps.nowMs());
  const expiresAt = new Date(now.getTime() + LASTS_MS);
  const waiting = made.map(({ key, secret }) => {
    const id = newId(idPrefixes.waitingSecret, now.getTime(), deps.randomBytes);
    return { key, secret, id, url: `${deps.publicUrl()}/waiting-secrets/${id}` };
  });
  const handed = await mapInParts(waiting, async (part) => {
    const rows = part.map(({ key, secret, id }) => ({
      id,
      organization_id: caller.organizationId,
      api_key_id: key.id,
      member_id: memberId,
      secret_sealed: seal(deps.sealingKey, secret, waitingSecretSealContext(id)),
      reason,
      created_by_type: caller.kind,
      created_by_id: caller.id,
      created_at: now,
      expires_at: expiresAt,
    }));
    await insertWaitingSecrets(tx, rows);
    return part.map(({ key, id, url }) => ({ key, secret: null, waiting: { id, url, expiresAt } }));
  });
  await queueOwnerMail(tx, deps, caller.organizationId, { waiting, reason, expiresAt });
  return handed;
}

/** Hands one new secret over, as `handOverSecrets` does. */
export async function handOverSecret(
  tx: Tx,
  deps: WaitingSecretDeps,
  caller: Caller,
  { reason, ...made }: MadeSecret<KeyOfSecret> & { reason: Reason },
): Promise<Handover> {
  const [handed] = await handOverSecrets(tx, deps, caller, { made: [made], reason });
  assert(handed !== undefined, "each secret is handed over");
  const { key: _, ...handover } = handed;
  return handover;
}

/** Maximum number of names in a message. */
const MAX_NAMES = 10;

/** Sends the owner one message. Several secrets are on the page of the owner's account. */
async function queueOwnerMail(
  tx: Tx,
  deps: WaitingSecretDeps,
  organizationId: string,
  of: { waiting: readonly { key: KeyOfSecret; url: string }[]; reason: Reason; expiresAt: Date },
): Promise<void> {
  const { waiting, reason, expiresAt } = of;
  const [first] = waiting;
  const to = first?.key.owner_email ?? null;
  assert(first !== undefined && to !== null, "the owner of a key has an address");
  const isOne = waiting.length === 1;
  const what = isOne ? `An API key was ${reason}` : `${waiting.length} API keys were ${reason}`;
  const shown = waiting.slice(0, MAX_NAMES).map(({ key }) => key.name);
  const more = waiting.length - shown.length;
  const names = `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const until = expiresAt.toISOString().slice(0, 10);
  await queueMail(tx, deps, {
    ...layoutMessage({
      title: `${what} for you`,
      paragraphs: [
        `${what} in your name: ${names}. The link shows ${isOne ? "its" : "each"} secret once, until ${until} (UTC).`,
      ],
      action: isOne
        ? { label: "Show the secret", url: first.url }
        : { label: "Show the secrets", url: `${deps.publicUrl()}/account` },
      notes: [
        `Only you can see the ${isOne ? "secret" : "secrets"}. The link needs your sign-in, and works for no one else.`,
      ],
    }),
    organizationId,
    to,
    kind: "notice",
    subject: `${what} for you`,
    ...(isOne && { aboutId: first.key.id }),
  });
}

export function listWaitingSecrets(
  deps: WaitingSecretDeps,
  { caller }: Call,
): Promise<ListedWaitingSecret[]> {
  const { organizationId, id: memberId } = caller;
  return listRows(deps.database, { organizationId, memberId, now: new Date(deps.nowMs()) });
}

/** Returns the secret and deletes it. Throws a 404 for a secret of someone else, or one that was shown or has expired. */
export function revealWaitingSecret(
  deps: WaitingSecretDeps,
  { caller, origin }: Call,
  id: string,
): Promise<{ apiKeyId: string; secret: string }> {
  const { organizationId, id: memberId } = caller;
  const now = new Date(deps.nowMs());
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await lockWaitingSecret(tx, { organizationId, memberId, now, id });
    if (row === null) {
      throw new ApiError(
        "resource_not_found",
        "This secret was already shown, has expired or was replaced. Rotate the API key for a new one.",
        {},
        { resource: "waiting_secret" },
      );
    }
    const secret = unseal(deps.sealingKey, row.secret_sealed, waitingSecretSealContext(id));
    await deleteWaitingSecrets(tx, [row.api_key_id]);
    return {
      result: { apiKeyId: row.api_key_id, secret },
      audit: {
        event: "api_key.secret_shown",
        subject: { type: "api_key", id: row.api_key_id },
        workspaceId: row.workspace_id,
        before: null,
        after: { partial_key_hint: row.hint, reason: row.reason },
      },
    };
  });
}

export function waitingSecretSealContext(id: string): string {
  return `waiting secret ${id}`;
}
