import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";

// What a firing is called, in a list and in every message about it.

export interface DescribedFiring {
  kind: AlertKind;
  scopeType: "organization" | "workspace" | "api_key";
  /** Of the organization, workspace or key. */
  scopeName: string;
  threshold: string;
  facts: FiringFacts;
}

export interface FiringWords {
  /** What happened, in one sentence. */
  title: string;
  /** What happens next, or what can be done about it. */
  next: string;
}

export function describeFiring(firing: DescribedFiring): FiringWords {
  const who = scopeWords(firing);
  const { threshold, facts } = firing;
  switch (firing.kind) {
    case "spend_limit":
      return { title: spendTitle(who, firing), next: spendNext(facts) };
    case "forecast":
      return {
        title: `${who} will spend ${threshold} of its ${periodWord(facts)}limit at the present pace`,
        next: facts.reached_at
          ? `The limit will be reached about ${timeWords(facts.reached_at)}. Raise it, or spend less.`
          : "Nothing is refused yet. Raise the limit, or spend less.",
      };
    case "unusual_spend":
      return {
        title: `${who} spends ${threshold} what is usual`,
        next: "Nothing is refused because of it. Look at what was requested in this hour.",
      };
    case "key_expiring":
      return {
        title: `${who} expires${facts.expires_at ? ` on ${timeWords(facts.expires_at)}` : ` within ${threshold}`}`,
        next: "From then on its requests are refused. Let it expire later, or make another key.",
      };
    case "key_unused":
      return {
        title: `${who} has not been used for ${threshold}`,
        next: "It still works. Revoke it if nobody needs it.",
      };
    case "key_new_address":
      return {
        title: `${who} is used from a new network${facts.address_range ? `, ${facts.address_range}` : ""}`,
        next: "It still works. If nobody knows that network, rotate the key and cut the old secret off.",
      };
    case "refused_requests":
      return {
        title: `Requests of ${who} are refused: ${threshold}`,
        next: "They go on being refused until the reason is mended. The request log says why.",
      };
    case "upstream_errors":
      return {
        title: `Requests of ${who} fail at Claude: ${threshold}`,
        next: "Requests are passed on as before. Look at the upstream, and at Claude's status.",
      };
  }
}

function scopeWords({ scopeType, scopeName }: DescribedFiring): string {
  const words = { organization: "The organization", workspace: "Workspace", api_key: "API key" };
  return `${words[scopeType]} "${scopeName}"`;
}

function spendTitle(who: string, { threshold, facts }: DescribedFiring): string {
  return threshold.endsWith("%")
    ? `${who} has spent ${threshold} of its ${periodWord(facts)}limit`
    : `${who} has spent ${threshold}${facts.period ? ` in its ${facts.period} period` : ""}`;
}

function spendNext({ enforcement, period_ends_at: endsAt }: FiringFacts): string {
  const until = endsAt ? ` until ${timeWords(endsAt)}` : "";
  if (enforcement === "strict" || enforcement === "soft") {
    return `Requests go on until the limit is reached, and are then refused${until}. Raise the limit if more is needed.`;
  }
  return "Nothing is refused because of it.";
}

function periodWord({ period }: FiringFacts): string {
  return period ? `${period} ` : "";
}

/** `2026-12-01T00:00:00.000Z` → `2026-12-01 00:00 UTC`. */
function timeWords(at: string): string {
  return `${at.slice(0, 16).replace("T", " ")} UTC`;
}
