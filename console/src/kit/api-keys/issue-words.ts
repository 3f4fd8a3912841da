import type { KeyIssue } from "@bursar/contract/key-issues.ts";

/** What is counted of keys that work, and what to do about it. */
export const issueWords: Readonly<Record<KeyIssue, { label: string; advice: string }>> = {
  never_expires: { label: "Never expire", advice: "Give them an expiry, or rotate them." },
  no_spend_limit: {
    label: "Without a limit of their own",
    advice: "Only the limits of the workspace and the company hold them.",
  },
  expires_within_14_days: {
    label: "Expire within 14 days",
    advice: "Rotate them, or programs stop.",
  },
  unused_90_days: { label: "Unused for 90 days", advice: "Revoke what nobody needs." },
  wide_permission: {
    label: "May administer",
    advice: "They run their workspace: keep them few.",
  },
  older_than_180_days: {
    label: "Older than 180 days",
    advice: "Their secret was made half a year ago: rotate them.",
  },
  no_owner: { label: "Without an owner", advice: "They work on when people leave." },
};
