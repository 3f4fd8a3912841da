import type { MemberCaller } from "#src/domain/caller.ts";

/** Who is signed in. */
export interface Sessions {
  /**
   * The person whose session the `Cookie` header names, with the roles of this moment; null where it names none, where
   * the session has ended, and where the person is not active.
   */
  find(cookieHeader: string): Promise<MemberCaller | null>;
}
