import type { PublicCall } from "#src/access/call.ts";
import { checkStepUp } from "#src/access/step-up.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail } from "#src/mail/queue-mail.ts";
import { beginAttempt, linkMailAttempt } from "#src/people/identity/attempts.ts";
import { findMember } from "#src/people/leaving/members.sql.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { type NoteEvent, signInTransaction } from "#src/people/sign-in/audit-member.ts";
import { linkGone, refusalOf } from "#src/people/sign-in/refusals.ts";
import type { SignedIn } from "#src/people/sign-in/sign-in.ts";
import { checkDomain, checkUnlinked } from "./admit-person.ts";
import { applyClaims } from "./apply-claims.ts";
import { directoryNotFound } from "./directories.ts";
import { formatPendingCookie, makePendingToken, readPendingToken } from "./pending-token.ts";
import {
  findEnabledDirectory,
  findLinking,
  insertIdentity,
  type ProvedRow,
  saveMailToken,
  takeLinking,
} from "./sign-in.sql.ts";
import {
  attemptOf,
  type DirectorySignInDeps,
  requirePublicSite,
  startDirectorySession,
} from "./start-directory-session.ts";

// Links a person of a directory to the member with the same address. The browser that came from the provider must belong to the
// member too. A session that began another way proves it, or a message to the address.

/** Sends a message whose link confirms the waiting link, in this browser only. Throws a 401 without one. */
export async function requestLinkMail(deps: DirectorySignInDeps, call: PublicCall): Promise<void> {
  const { origin } = call;
  const { tokenHash } = readPending(deps, call);
  await beginAttempt(deps.database, deps.nowMs(), attemptOf(origin));
  const now = new Date(deps.nowMs());
  const linking = await findLinking(deps.database, { tokenHash, now });
  if (linking === null) throw signInGone();
  const { email, organization_id: organizationId, directory_id, directory_name } = linking;
  await beginAttempt(deps.database, deps.nowMs(), linkMailAttempt(email));
  const mailToken = makePendingToken(deps.randomBytes);
  await signInTransaction(deps, async (tx, note) => {
    await saveMailToken(tx, { tokenHash, mailTokenHash: hashSecret(mailToken) });
    const message = layoutMessage({
      title: `Link ${directory_name}`,
      paragraphs: [
        `Someone signed in with ${directory_name} as ${email}. The link below joins that sign-in to your account. Open it in the same browser within ten minutes.`,
      ],
      action: {
        label: `Link ${directory_name}`,
        url: `${deps.publicUrl()}/login/link#token=${mailToken}`,
      },
      notes: ["If that was not you, ignore this message and tell an Owner or Admin."],
    });
    await queueMail(tx, deps, {
      organizationId,
      to: email,
      kind: "directory_link",
      subject: `Link ${directory_name} to your account`,
      aboutId: linking.member_id,
      ...message,
    });
    await note({
      member: { id: linking.member_id, organizationId },
      origin,
      event: "directory.link_requested",
      after: { directory_id },
      byStranger: true,
    });
  });
}

/**
 * Confirms the waiting link of this browser. The token of the message also signs in. Without one, the browser needs a session
 * of the member with a recent step-up. Throws a 401 without a waiting link of this member.
 */
export async function confirmLink(
  deps: DirectorySignInDeps,
  call: PublicCall,
  mailToken: string | null,
): Promise<SignedIn> {
  const { site, tokenHash } = readPending(deps, call);
  if (mailToken !== null) {
    await beginAttempt(deps.database, deps.nowMs(), attemptOf(call.origin));
    return signInTransaction(deps, async (tx, note) => {
      const of = { tokenHash, now: new Date(deps.nowMs()), mailTokenHash: hashSecret(mailToken) };
      const proved = await takeLinking(tx, of);
      if (proved === null) throw linkGone();
      await link({ tx, note }, deps, call, { proved, by: "a message" });
      return startDirectorySession({ tx, note }, deps, call, { site, tokenHash, proved });
    });
  }
  const member = await deps.sessions.find(call.browser.cookies, () => call.origin.ipAddress);
  if (member === null) throw new ApiError("session_expired", "Sign in first, then link.");
  checkStepUp(member, deps.nowMs());
  return signInTransaction(deps, async (tx, note) => {
    const of = { tokenHash, now: new Date(deps.nowMs()), memberId: member.id };
    const proved = await takeLinking(tx, of);
    if (proved === null) throw signInGone();
    await link({ tx, note }, deps, call, { proved, by: "a session" });
    await applyClaims({ tx, note }, deps, call.origin, proved);
    call.browser.setCookies([formatPendingCookie(site, null)]);
    return { type: "signed_in" };
  });
}

/** Links the person, if directory and member still allow it. */
async function link(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: DirectorySignInDeps,
  { origin }: PublicCall,
  { proved, by }: { proved: ProvedRow; by: "a message" | "a session" },
): Promise<void> {
  const { directory_id, member_id, subject } = proved;
  const directory = await findEnabledDirectory(tx, directory_id, true);
  if (directory === null) throw directoryNotFound();
  const { organization_id: organizationId, issuer } = directory;
  await lockPeople(tx, organizationId);
  const member = await findMember(tx, { organizationId, id: member_id });
  if (member?.status !== "active") throw signInGone();
  checkDomain(directory, member.email);
  await checkUnlinked(tx, { directoryId: directory_id, memberId: member_id });
  const now = new Date(deps.nowMs());
  await insertIdentity(tx, { directory_id, issuer, subject, member_id, now });
  await note({
    member: { id: member_id, organizationId },
    origin,
    event: "directory.linked",
    after: { directory_id, by },
  });
}

function readPending(deps: DirectorySignInDeps, call: PublicCall) {
  const site = requirePublicSite(deps, call);
  const token = readPendingToken(call.browser, site);
  if (token === null) throw signInGone();
  return { site, tokenHash: hashSecret(token) };
}

function signInGone(): ApiError {
  return refusalOf("INVALID_TWO_FACTOR_COOKIE");
}
