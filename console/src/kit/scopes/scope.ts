import type { ItemOf } from "../../queries.ts";

/** The organization, a workspace, key, member, group or tag. */
export type Scope = ItemOf<"listSpendLimits">["scope"];
/** A scope that every request has. */
export type OwnScope = ItemOf<"listAlerts">["scope"];
/** A scope of rate limits. */
export type RateScope = ItemOf<"listRateLimits">["scope"];

/** A scope with spend of its own. */
export type CountedScope = Exclude<Scope, { type: "group_member" }>;

/** Id of the scope. Null: the organization. */
export function findScopeId(scope: Scope): string | null {
  switch (scope.type) {
    case "organization":
      return null;
    case "workspace":
      return scope.workspace_id;
    case "api_key":
      return scope.api_key_id;
    case "member":
      return scope.member_id;
    case "group":
      return scope.group_id;
    case "tag":
      return scope.tag_id;
    case "group_member":
      return scope.group_id;
  }
}

/** Label of a scope: its kind and the name of the workspace or key. */
export function scopeLabel(type: Scope["type"], name: string): string {
  switch (type) {
    case "organization":
      return "The whole company";
    case "workspace":
      return name;
    case "api_key":
      return `Key ${name}`;
    case "member":
      return `Member ${name}`;
    case "group":
      return `Group ${name}`;
    case "tag":
      return `Tag ${name}`;
    case "group_member":
      return `Each member of ${name}`;
  }
}

/** Null: a scope that not every request has. */
export function toOwnScope(scope: Scope): OwnScope | null {
  const isOwn =
    scope.type === "organization" || scope.type === "workspace" || scope.type === "api_key";
  return isOwn ? scope : null;
}

/** Null: a tag. */
export function toRateScope(scope: Scope): RateScope | null {
  return scope.type === "tag" ? null : scope;
}
