import { Link } from "@tanstack/react-router";
import { useMay } from "../../session.ts";
import { findScopeId, type Scope } from "../scopes/scope.ts";
import type { Period } from "./words.ts";

interface LimitLinkProps {
  scope: Scope;
  /** Name of the scope. Null: unknown. */
  scopeName: string | null;
  period: Period;
}

/**
 * Name of a spend limit, as a link to the limits of its scope. A person without the right to open that page gets the name
 * alone.
 */
export function LimitLink({ scope, scopeName, period }: LimitLinkProps) {
  const may = useMay();
  const text = `${period} limit of ${describeScope(scope, scopeName)}`;
  switch (scope.type) {
    case "api_key":
      if (!may("api_keys:read")) return text;
      return (
        <Link to="/api-keys/$keyId" params={{ keyId: scope.api_key_id }} className="link">
          {text}
        </Link>
      );
    case "workspace":
      if (!may("spend_limits:read", scope.workspace_id)) return text;
      return (
        <Link
          to="/workspaces/$workspaceId/limits"
          params={{ workspaceId: scope.workspace_id }}
          className="link"
        >
          {text}
        </Link>
      );
    case "member":
      if (!may("members:read")) return text;
      return (
        <Link to="/members/$memberId" params={{ memberId: scope.member_id }} className="link">
          {text}
        </Link>
      );
    case "group":
    case "group_member":
      if (!may("groups:read")) return text;
      return (
        <Link to="/groups/$groupId" params={{ groupId: scope.group_id }} className="link">
          {text}
        </Link>
      );
    case "organization":
    case "tag":
      if (!may("spend_limits:read")) return text;
      return (
        <Link to="/spend-limits" className="link">
          {text}
        </Link>
      );
  }
}

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
