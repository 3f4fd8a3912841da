export type InviteStatus = "pending" | "accepted" | "expired" | "revoked";

/** A moment of a row. */
interface Instant {
  getTime(): number;
}

const DAY_MS = 86_400_000;
/** As the Claude Console has it. */
export const INVITE_LASTS_MS = 21 * DAY_MS;

/** Expiry is a fact of the clock, not of a job. */
export function inviteStatusOf(
  invite: { accepted_at: Instant | null; revoked_at: Instant | null; expires_at: Instant },
  nowMs: number,
): InviteStatus {
  if (invite.accepted_at !== null) return "accepted";
  if (invite.revoked_at !== null) return "revoked";
  return invite.expires_at.getTime() <= nowMs ? "expired" : "pending";
}
