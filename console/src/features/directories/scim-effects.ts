import { formatPlural, formatRelative } from "../../ui/format.ts";
import type { ScimToken } from "./queries.ts";

// Effects of a SCIM token that ends, as sentences.

interface Revoked {
  token: Pick<ScimToken, "last_used_at">;
  /** Other valid tokens of the directory. */
  otherTokens: number;
  /** Members and groups that the directory provides. */
  provided: { members: number; groups: number };
  nowMs: number;
}

/** Effects of a revocation. */
export function describeRevokedToken({ token, otherTokens, provided, nowMs }: Revoked): string[] {
  return [
    describeUse(token, nowMs),
    ...(otherTokens > 0
      ? [`${formatPlural(otherTokens, "other token stays", "other tokens stay")} valid.`]
      : [
          `No other token is valid. ${nameProvided(provided)} no longer follow the provider.`,
          "People who leave stay active here until the provider has another token.",
        ]),
    "This cannot be undone. Create another token and enter it at the provider.",
  ];
}

/** Effects of a rotation whose old token ends at once. */
export function describeRotatedToken(
  token: Pick<ScimToken, "last_used_at">,
  nowMs: number,
): string[] {
  return [
    describeUse(token, nowMs),
    "The provider gets a 401 until the new token is entered there.",
  ];
}

function describeUse({ last_used_at: at }: Pick<ScimToken, "last_used_at">, nowMs: number): string {
  return at === null
    ? "The provider has not used this token yet."
    : `The provider last used this token ${formatRelative(at, nowMs)}.`;
}

function nameProvided({ members, groups }: Revoked["provided"]): string {
  return `${formatPlural(members, "provided member")} and ${formatPlural(groups, "provided group")}`;
}
