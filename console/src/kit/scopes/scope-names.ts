import { useMemo } from "react";
import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { useWorkspaceNames } from "../workspaces/queries.ts";
import { findScopeId, type Scope, scopeLabel } from "./scope.ts";

interface Scoped {
  id: string;
  scope: Scope;
  scope_name?: string;
}

/** Returns a function for labels of scopes. Keys are loaded only if one of them has a limit. */
export function useScopeNames(limits: readonly Scoped[] = []): (scope: Scope) => string {
  const workspaceName = useWorkspaceNames();
  const may = useMay();
  const hasKeys = limits.some(({ scope }) => scope.type === "api_key");
  const keys = useList("listApiKeys", {}, { isEnabled: hasKeys && may("api_keys:read") });
  const keyNames = useMemo(
    () => new Map(keys.data?.items.map(({ id, name }) => [id, name])),
    [keys.data],
  );
  return (scope) => {
    switch (scope.type) {
      case "organization":
        return scopeLabel("organization", "");
      case "workspace":
        return scopeLabel("workspace", workspaceName(scope.workspace_id).name);
      case "api_key":
        return scopeLabel("api_key", keyNames.get(scope.api_key_id) ?? scope.api_key_id);
      default:
        return scopeLabel(scope.type, findName(limits, scope) ?? findScopeId(scope) ?? "");
    }
  };
}

/** Name of a scope in the response with its limit. */
function findName(limits: readonly Scoped[], scope: Scope): string | undefined {
  const id = findScopeId(scope);
  return limits.find((limit) => findScopeId(limit.scope) === id)?.scope_name;
}

const scopeOrder: Record<Scope["type"], number> = {
  organization: 0,
  workspace: 1,
  group: 2,
  tag: 3,
  group_member: 4,
  member: 5,
  api_key: 6,
};

/** Position of a scope. The widest has the lowest. */
export function scopeRank(scope: Scope): number {
  return scopeOrder[scope.type];
}

/** Sorts the widest scope first. */
export function byScope(a: Scoped, b: Scoped): number {
  return scopeRank(a.scope) - scopeRank(b.scope) || a.id.localeCompare(b.id);
}

/** Here for callers that have names too. */
export { scopeLabel };
