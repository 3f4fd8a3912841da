import type { CountedScope, OwnScope, RateScope, WireScope } from "@bursar/contract/scope.ts";

/** True for the scopes that every request has. */
export function isOwnScope(scopeType: WireScope["type"]): scopeType is OwnScope["type"] {
  return scopeType === "organization" || scopeType === "workspace" || scopeType === "api_key";
}

/** Converts a scope of a limit, alert or request to the API's form. */
export function toWireScope(of: { scopeType: OwnScope["type"]; scopeId: string }): OwnScope;
export function toWireScope(of: { scopeType: RateScope["type"]; scopeId: string }): RateScope;
export function toWireScope(of: { scopeType: CountedScope["type"]; scopeId: string }): CountedScope;
export function toWireScope(of: { scopeType: WireScope["type"]; scopeId: string }): WireScope;
export function toWireScope(of: { scopeType: WireScope["type"]; scopeId: string }): WireScope {
  switch (of.scopeType) {
    case "organization":
      return { type: "organization" };
    case "workspace":
      return { type: "workspace", workspace_id: of.scopeId };
    case "api_key":
      return { type: "api_key", api_key_id: of.scopeId };
    case "member":
      return { type: "member", member_id: of.scopeId };
    case "group":
      return { type: "group", group_id: of.scopeId };
    case "tag":
      return { type: "tag", tag_id: of.scopeId };
    case "group_member":
      return { type: "group_member", group_id: of.scopeId };
  }
}

/** Id of a scope. Empty for the organization. */
export function scopeIdOf(scope: WireScope): string {
  switch (scope.type) {
    case "organization":
      return "";
    case "workspace":
      return scope.workspace_id;
    case "api_key":
      return scope.api_key_id;
    case "member":
      return scope.member_id;
    case "tag":
      return scope.tag_id;
    default:
      return scope.group_id;
  }
}
