import { nameText } from "@bursar/contract/fields.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import { MEMBER_NOT_ACTIVE } from "#src/people/identity/auth-settings.ts";
import { lockPeople } from "#src/people/leaving/people-lock.sql.ts";
import { normalizeEmail } from "#src/people/members/email-address.rule.ts";
import type { NoteEvent } from "#src/people/sign-in/audit-member.ts";
import { refusalOf } from "#src/people/sign-in/refusals.ts";
import { createDirectoryMember } from "./create-directory-member.ts";
import type { DirectoryRow } from "./directories.sql.ts";
import { isAllowedDomain, type PersonClaims } from "./person-claims.rule.ts";
import { findProvidedPerson } from "./provided-person.sql.ts";
import {
  findPersonBySubject,
  hasIdentity,
  insertIdentity,
  listPeopleWithEmail,
  recordIdentityUse,
} from "./sign-in.sql.ts";

interface AdmitDeps {
  nowMs: () => number;
  randomBytes: (size: number) => Uint8Array;
}

interface Admission {
  directory: DirectoryRow;
  claims: PersonClaims;
  origin: Origin;
}

/** `linking`: the address belongs to a member, who has to confirm the link first. */
export type Admitted = { kind: "member" | "linking"; memberId: string };

/**
 * Finds the member whom the provider has identified, or creates the member at the first sign-in. Throws a 403 for a person
 * whom the directory does not admit. Throws a 409 for an address of another person of the directory.
 */
export async function admitPerson(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: AdmitDeps,
  admission: Admission,
): Promise<Admitted> {
  const { directory, claims } = admission;
  await lockPeople(tx, directory.organization_id);
  const known = await findPersonBySubject(tx, {
    directoryId: directory.id,
    issuer: directory.issuer,
    subject: claims.subject,
  });
  if (known === null) {
    return (
      (await linkProvided({ tx, note }, deps, admission)) ??
      createFromClaims({ tx, note }, deps, admission)
    );
  }
  if (known.status !== "active") throw refusalOf(MEMBER_NOT_ACTIVE);
  checkDomain(directory, known.email);
  const now = new Date(deps.nowMs());
  await recordIdentityUse(tx, { directoryId: directory.id, subject: claims.subject, now });
  return { kind: "member", memberId: known.id };
}

/** Links a member whom the directory created by SCIM, without a confirmation. Null: there is none. */
async function linkProvided(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: AdmitDeps,
  { directory, claims, origin }: Admission,
): Promise<Admitted | null> {
  const { id: directoryId, issuer, organization_id: organizationId } = directory;
  const { subject, email } = claims;
  const person = await findProvidedPerson(tx, { directoryId, subject, email });
  if (person === null) return null;
  checkDomain(directory, person.email);
  await checkUnlinked(tx, { directoryId, memberId: person.id });
  await insertIdentity(tx, {
    ...{ directory_id: directoryId, issuer, subject, member_id: person.id },
    now: new Date(deps.nowMs()),
  });
  await note({
    member: { id: person.id, organizationId },
    origin,
    event: "directory.linked",
    after: { directory_id: directoryId, by: "SCIM" },
  });
  return { kind: "member", memberId: person.id };
}

async function createFromClaims(
  { tx, note }: { tx: Tx; note: NoteEvent },
  deps: AdmitDeps,
  { directory, claims, origin }: Admission,
): Promise<Admitted> {
  const { organization_id: organizationId } = directory;
  const email = readEmail(claims);
  checkDomain(directory, email);
  const people = await listPeopleWithEmail(tx, { organizationId, email });
  const present = people.find(({ status }) => status === "active");
  if (present !== undefined) {
    await checkUnlinked(tx, { directoryId: directory.id, memberId: present.id });
    return { kind: "linking", memberId: present.id };
  }
  if (people.length > 0) throw refusalOf(MEMBER_NOT_ACTIVE);
  const name = readName(claims, email);
  const made = await createDirectoryMember(tx, deps, { directory, email, name });
  const { id, role, inviteId: invite_id } = made;
  const { id: directory_id, issuer } = directory;
  await insertIdentity(tx, {
    ...{ directory_id, issuer, subject: claims.subject, member_id: id },
    now: made.createdAt,
  });
  await note({
    member: { id, organizationId },
    origin,
    event: "member.created",
    after: { email, name, role, directory_id, invite_id },
  });
  for (const { event, after } of made.joined) {
    await note({ member: { id, organizationId }, origin, event, after });
  }
  return { kind: "member", memberId: id };
}

/** Throws a 409 if the member is linked to another person of the directory. */
export async function checkUnlinked(
  tx: Tx,
  of: { directoryId: string; memberId: string },
): Promise<void> {
  if (!(await hasIdentity(tx, of))) return;
  throw new ApiError(
    "address_taken",
    "The member with this address is linked to another person of the directory. Ask an Owner or Admin to unlink the directory from the member.",
  );
}

function readEmail({ email, isEmailUnverified }: PersonClaims): string {
  if (email !== null) return normalizeEmail(email);
  throw refuse(
    isEmailUnverified
      ? "The provider has not verified your e-mail address. Verify the address there, and sign in again."
      : "The provider does not send your e-mail address. Its administrator has to add the claim `email`.",
  );
}

export function checkDomain({ allowed_domains, name }: DirectoryRow, email: string): void {
  if (isAllowedDomain(email, allowed_domains)) return;
  throw refuse(
    `Addresses of your domain cannot sign in through ${name}. An Owner can allow the domain.`,
  );
}

function readName({ name }: PersonClaims, email: string): string {
  const parsed = nameText.safeParse(name);
  return parsed.success ? parsed.data : (email.split("@", 1)[0] ?? email);
}

function refuse(message: string): ApiError {
  return new ApiError("directory_sign_in_refused", message);
}
