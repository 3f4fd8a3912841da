export type InviteStatus = "pending" | "accepted" | "expired" | "revoked";

/** A timestamp of a row. */
interface Instant {
  getTime(): number;
}

const DAY_MS = 86_400_000;
/** Lifetime of an invite, as in the Claude Console. */
export const INVITE_LASTS_MS = 21 * DAY_MS;

/** Derives the status. Expiry depends on the clock, not on a job. */
export function inviteStatusOf(
  invite: { accepted_at: Instant | null; revoked_at: Instant | null; expires_at: Instant },
  nowMs: number,
): InviteStatus {
  if (invite.accepted_at !== null) return "accepted";
  if (invite.revoked_at !== null) return "revoked";
  return invite.expires_at.getTime() <= nowMs ? "expired" : "pending";
}
