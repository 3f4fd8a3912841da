import type { OwnedKind, OwnedThing } from "@bursar/contract/admin/owned-things.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import { denied } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { findActiveMember } from "#src/access/member-lookup.sql.ts";
import { replaceRecipient } from "#src/alerts/channels/replace-recipient.ts";
import { type AuditEntry, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller, MemberCaller } from "#src/domain/caller.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import {
  canGrantOrganizationRole,
  hasOrganizationPermission,
  listPermittedWorkspaces,
} from "#src/domain/rights.ts";
import { setAdminKeyContacts, setApiKeyContacts } from "#src/keys/key-contacts.sql.ts";
import { findMember, type MemberRow } from "#src/people/leaving/members.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { memberNotFound } from "#src/people/members/member-not-found.ts";
import { replaceReviewer } from "#src/reviews/replace-reviewer.ts";
import type { ReviewDeps } from "#src/reviews/start-review.ts";
import { listOwned } from "./owned-things.sql.ts";
import { listKinds, MAX_THINGS } from "./owned-things.ts";

interface HandOver {
  new_owner_id: string;
  kinds?: OwnedKind[] | undefined;
}

/** The member who leaves, and the one who takes over with the rights that the check needs. */
interface Pair {
  from: MemberRow;
  to: MemberRow;
  successor: MemberCaller;
}

/**
 * Makes another member responsible for all things of a member, or for those of some kinds. Returns them. Throws a 404 for an
 * unknown member, and a 403 for a member above the caller or a kind that the caller cannot change. Throws a 400 for the
 * same member twice, and a 409 for a new owner who is not active or lacks a right.
 */
export function handOver(
  deps: ReviewDeps,
  { caller, origin }: Call,
  memberId: string,
  { new_owner_id: newOwnerId, kinds }: HandOver,
): Promise<OwnedThing[]> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockPeople(tx, organizationId);
    const pair = await getPair(tx, caller, { memberId, newOwnerId });
    const owned = await listOwned(tx, {
      organizationId,
      memberId,
      kinds: chooseKinds(caller, kinds),
      now: new Date(deps.nowMs()),
      limit: MAX_THINGS,
    });
    const things = await move(tx, deps, pair, { organizationId, owned });
    if (things.length === 0) return { result: things, audit: "unchanged" };
    return { result: things, audit: auditOf(pair, things) };
  });
}

async function getPair(
  tx: Tx,
  caller: Caller,
  { memberId, newOwnerId }: { memberId: string; newOwnerId: string },
): Promise<Pair> {
  const { organizationId } = caller;
  const from = await findMember(tx, { organizationId, id: memberId });
  if (from === null) throw memberNotFound(memberId);
  if (!canGrantOrganizationRole(caller, from.role)) {
    throw new ApiError(
      "role_too_high",
      `This member is ${roleNames[from.role]}, which is above your role. Ask an Owner.`,
    );
  }
  if (newOwnerId === memberId) {
    throw refuseField("new_owner_id", "this is the same member. Choose another one.");
  }
  const to = await findMember(tx, { organizationId, id: newOwnerId });
  if (to === null) throw memberNotFound(newOwnerId);
  const found = await findActiveMember(tx, newOwnerId);
  if (found === null) {
    throw new ApiError(
      "new_owner_inactive",
      `${to.name} is ${to.status} and can take over nothing. Choose an active member.`,
    );
  }
  return { from, to, successor: { kind: "member", ...found, sessionId: "", steppedUpAtMs: null } };
}

/** Throws a 403 for a kind that the caller cannot change. */
function chooseKinds(caller: Caller, wanted: readonly OwnedKind[] | undefined): OwnedKind[] {
  const permitted = listKinds(caller);
  const forbidden = wanted?.find((kind) => !permitted.includes(kind));
  if (forbidden !== undefined) {
    throw denied(`Your rights do not include changes of every ${forbidden.replace("_", " ")}.`);
  }
  return permitted.filter((kind) => wanted?.includes(kind) ?? true);
}

/** Moves the things, and returns those that still named the member. */
async function move(
  tx: Tx,
  deps: ReviewDeps,
  { from, to, successor }: Pair,
  { organizationId, owned }: { organizationId: string; owned: readonly OwnedThing[] },
): Promise<OwnedThing[]> {
  const moved: OwnedThing[] = [];
  const keys = owned.filter(({ duty }) => duty === "contact");
  for (const thing of keys) checkCanSee(successor, thing);
  const listIds = (kind: OwnedKind) =>
    keys.filter((thing) => thing.kind === kind).map(({ id }) => id);
  for (const thing of owned) {
    const { id, kind } = thing;
    const hasMoved =
      kind === "access_review"
        ? await replaceReviewer(tx, deps, { organizationId, id, fromId: from.id, toId: to.id })
        : kind === "alert_channel"
          ? await replaceRecipient(tx, deps, {
              ...{ organizationId, id },
              ...{ fromEmail: from.email, toEmail: to.email },
            })
          : true;
    if (hasMoved) moved.push(thing);
  }
  await setApiKeyContacts(tx, { organizationId, ids: listIds("api_key"), memberId: to.id });
  await setAdminKeyContacts(tx, { organizationId, ids: listIds("admin_key"), memberId: to.id });
  return moved;
}

/** Throws a 409 if the new contact cannot see the key. */
function checkCanSee(successor: MemberCaller, { kind, name, workspace_id }: OwnedThing): void {
  if (kind === "admin_key") {
    if (hasOrganizationPermission(successor, "admin_keys:read")) return;
    throw new ApiError(
      "new_owner_lacks_right",
      `The new owner cannot see the admin key "${name}". Choose an Owner or an Admin.`,
      {},
      { resource: "admin_key" },
    );
  }
  const visible = listPermittedWorkspaces(successor, "api_keys:read");
  if (visible === null || (workspace_id !== null && visible.includes(workspace_id))) return;
  throw new ApiError(
    "new_owner_lacks_right",
    `The new owner cannot see the API key "${name}". Choose a member with a role in its workspace.`,
    {},
    { resource: "api_key" },
  );
}

function auditOf({ from, to }: Pair, things: readonly OwnedThing[]): AuditEntry {
  return {
    event: "member.handed_over",
    subject: { type: "member", id: from.id },
    workspaceId: null,
    before: { owner_id: from.id, email: from.email, status: from.status },
    after: {
      owner_id: to.id,
      email: to.email,
      things: things.map(({ kind, duty, id, name }) => ({ kind, duty, id, name })),
    },
  };
}
