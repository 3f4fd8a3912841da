import { Link } from "@tanstack/react-router";
import { useMay, useMayEverywhere } from "../../session.ts";
import { findScopeId, type Scope } from "../scopes/scope.ts";
import type { Period } from "./words.ts";

interface LimitLinkProps {
  /** Null: the limit was removed. */
  limitId: string | null;
  scope: Scope;
  /** Name of the scope. Null: unknown. */
  scopeName: string | null;
  period: Period;
}

/** Name of a spend limit, as a link to its page. A person without the right to open the page gets the name alone. */
export function LimitLink({ limitId, scope, scopeName, period }: LimitLinkProps) {
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  const text = `${periodNames[period]} limit of ${describeScope(scope, scopeName)}`;
  const isInWorkspace = scope.type === "workspace" || scope.type === "api_key";
  const mayOpen = isInWorkspace ? may("spend_limits:read") : mayEverywhere("spend_limits:read");
  if (limitId === null || !mayOpen) return text;
  return (
    <Link to="/spend-limits/$spendLimitId" params={{ spendLimitId: limitId }} className="link">
      {text}
    </Link>
  );
}

const periodNames: Record<Period, string> = {
  daily: "Daily",
  weekly: "Weekly",
  monthly: "Monthly",
};

function describeScope(scope: Scope, scopeName: string | null): string {
  const name = scopeName ?? findScopeId(scope) ?? "";
  switch (scope.type) {
    case "organization":
      return "the company";
    case "workspace":
      return `the workspace ${name}`;
    case "api_key":
      return `the key ${name}`;
    case "member":
      return `the member ${name}`;
    case "group":
      return `the group ${name}`;
    case "tag":
      return `the tag ${name}`;
    case "group_member":
      return `each member of ${name}`;
  }
}
