import { Link } from "@tanstack/react-router";
import { useMay, useMayEverywhere } from "../../session.ts";
import type { Scope } from "../scopes/scope.ts";
import { nameLimit, type Period } from "./words.ts";

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
  const text = nameLimit({ scope, scopeName, period });
  const isInWorkspace = scope.type === "workspace" || scope.type === "api_key";
  const mayOpen = isInWorkspace ? may("spend_limits:read") : mayEverywhere("spend_limits:read");
  if (limitId === null || !mayOpen) return text;
  return (
    <Link to="/spend-limits/$spendLimitId" params={{ spendLimitId: limitId }} className="link">
      {text}
    </Link>
  );
}
