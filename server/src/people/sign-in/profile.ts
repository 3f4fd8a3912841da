import type { BrowserCall } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { getMemberCaller } from "#src/domain/caller.ts";
import { lockProfile, renameMember } from "./profile.sql.ts";
import type { SignInDeps } from "./sign-in-deps.ts";
import { auditOfSelf } from "./signed-in.ts";

export interface Profile {
  member_id: string;
  email: string;
  name: string;
}

/** Renames the member. The address, which is the sign-in name, stays. */
export function updateProfile(deps: SignInDeps, call: BrowserCall, name: string): Promise<Profile> {
  const member = getMemberCaller(call);
  return auditedTransaction(deps, member, call.origin, async (tx) => {
    const before = await lockProfile(tx, member.id);
    const result = { member_id: member.id, email: before.email, name };
    if (before.name === name) return { result, audit: "unchanged" };
    await renameMember(tx, { id: member.id, name });
    return {
      result,
      audit: auditOfSelf(member, "profile.updated", {
        before: { name: before.name },
        after: { name },
      }),
    };
  });
}
