import type { AlertMessage } from "./alert-message.ts";
import type { NewFiring } from "./new-firing.rule.ts";

type Ranked = Pick<NewFiring, "kind" | "scopeType" | "threshold">;

/** A reached limit and failing requests stop work. Everything else can wait. */
export function severityOf({
  kind,
  threshold,
}: Pick<Ranked, "kind" | "threshold">): AlertMessage["severity"] {
  if (kind === "key_unused" || kind === "key_new_address") return "info";
  if (kind === "upstream_errors" || kind === "limit_overrun") return "critical";
  const percent = /^(\d+)%$/.exec(threshold)?.[1];
  return kind === "spend_limit" && Number(percent) >= 100 ? "critical" : "warning";
}

const severities = ["critical", "warning", "info"] as const;

/** The highest severity of firings of one kind. */
export function findHighestSeverity(
  kind: Ranked["kind"],
  thresholds: readonly string[],
): AlertMessage["severity"] {
  const found = new Set(thresholds.map((threshold) => severityOf({ kind, threshold })));
  return severities.find((severity) => found.has(severity)) ?? "info";
}

const scopes = [
  "organization",
  "workspace",
  "group",
  "tag",
  "group_member",
  "member",
  "api_key",
] as const;

/** Order of firings in a message: by severity, then by scope, widest first. */
export function compareFirings(a: Ranked, b: Ranked): number {
  const bySeverity = severities.indexOf(severityOf(a)) - severities.indexOf(severityOf(b));
  return bySeverity || scopes.indexOf(a.scopeType) - scopes.indexOf(b.scopeType);
}
