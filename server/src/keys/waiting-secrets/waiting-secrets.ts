import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { type MailDeps, queueMail } from "#src/mail/queue-mail.ts";
import {
  deleteWaitingSecret,
  insertWaitingSecret,
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

/**
 * Hands a new secret over in the transaction that creates it. The caller gets the secret of its own key and of a
 * workspace's key. For a key of another member the secret waits for the owner, who gets a message.
 */
export async function handOverSecret(
  tx: Tx,
  deps: WaitingSecretDeps,
  caller: Caller,
  of: { key: KeyOfSecret; secret: string; reason: "created" | "rotated" },
): Promise<Handover> {
  const { key, secret, reason } = of;
  await deleteWaitingSecret(tx, key.id);
  const memberId = key.owner_member_id;
  const isOwn = caller.kind === "member" && caller.id === memberId;
  if (memberId === null || isOwn) return { secret, waiting: null };
  const nowMs = deps.nowMs();
  const id = newId(idPrefixes.waitingSecret, nowMs, deps.randomBytes);
  const expiresAt = new Date(nowMs + LASTS_MS);
  await insertWaitingSecret(tx, {
    id,
    organization_id: caller.organizationId,
    api_key_id: key.id,
    member_id: memberId,
    secret_sealed: seal(deps.sealingKey, secret, waitingSecretSealContext(id)),
    reason,
    created_by_type: caller.kind,
    created_by_id: caller.id,
    created_at: new Date(nowMs),
    expires_at: expiresAt,
  });
  assert(key.owner_email !== null, "the owner of a key has an address");
  const { organizationId } = caller;
  const url = `${deps.publicUrl()}/waiting-secrets/${id}`;
  await queueOwnerMail(tx, deps, {
    key,
    organizationId,
    url,
    to: key.owner_email,
    reason,
    expiresAt,
  });
  return { secret: null, waiting: { id, url, expiresAt } };
}

async function queueOwnerMail(
  tx: Tx,
  deps: WaitingSecretDeps,
  of: {
    key: KeyOfSecret;
    organizationId: string;
    url: string;
    to: string;
    reason: "created" | "rotated";
    expiresAt: Date;
  },
): Promise<void> {
  const { key, organizationId, url, to, reason, expiresAt } = of;
  const what = reason === "created" ? "An API key was created" : "An API key was rotated";
  const until = expiresAt.toISOString().slice(0, 10);
  await queueMail(tx, deps, {
    ...layoutMessage({
      title: `${what} for you`,
      paragraphs: [
        `${what} in your name: ${key.name}. The link shows its secret once, until ${until} (UTC).`,
      ],
      action: { label: "Show the secret", url },
      notes: [
        "Only you can see the secret. The link needs your sign-in, and works for no one else.",
      ],
    }),
    organizationId,
    to,
    kind: "notice",
    subject: `${what} for you`,
    aboutId: key.id,
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
    await deleteWaitingSecret(tx, row.api_key_id);
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
