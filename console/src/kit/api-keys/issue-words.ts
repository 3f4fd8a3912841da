import type { KeyIssue } from "@bursar/contract/key-issues.ts";

/** Issues of active keys, each with an advice. */
export const issueWords: Readonly<Record<KeyIssue, { label: string; advice: string }>> = {
  never_expires: { label: "No expiry", advice: "Set an expiry, or rotate these keys." },
  no_spend_limit: {
    label: "No spend limit",
    advice: "Only limits of the workspace and the company apply.",
  },
  expires_within_14_days: {
    label: "Expiry within 14 days",
    advice: "Rotate these keys before programs stop working.",
  },
  unused_90_days: { label: "Unused for 90 days", advice: "Revoke keys that are not needed." },
  wide_permission: {
    label: "Admin permission",
    advice: "These keys manage their workspace. Use few of them.",
  },
  older_than_180_days: {
    label: "Older than 180 days",
    advice: "Rotate keys with secrets older than half a year.",
  },
  exceeds_max_lifetime: {
    label: "Lifetime too long",
    advice: "Set an expiry that the company allows.",
  },
  no_owner: { label: "No owner", advice: "These keys keep working when members leave." },
};
