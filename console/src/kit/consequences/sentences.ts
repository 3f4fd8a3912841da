import { formatCount, formatPlural } from "../../ui/format.ts";

// Sentences that several changes share.

/** Requests of the last hour, before a change that refuses further ones. */
export function describeRecentRequests(requests: number): string {
  return requests === 0
    ? "No request in the last hour."
    : `${formatPlural(requests, "request")} in the last hour. Further ones are refused.`;
}

const LISTED_NAMES = 5;

/** `ci, deploy and 3 more`. The caller states the number of all. */
export function listNames(names: readonly string[]): string {
  const listed = names.slice(0, LISTED_NAMES);
  const more = names.length - listed.length;
  return more === 0 ? listed.join(", ") : `${listed.join(", ")} and ${formatCount(more)} more`;
}
