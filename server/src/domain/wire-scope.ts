import type { WireScope } from "@bursar/contract/scope.ts";

/** Converts a scope of a limit, alert or request to the API's form. */
export function toWireScope(of: { scopeType: WireScope["type"]; scopeId: string }): WireScope {
  switch (of.scopeType) {
    case "organization":
      return { type: "organization" };
    case "workspace":
      return { type: "workspace", workspace_id: of.scopeId };
    case "api_key":
      return { type: "api_key", api_key_id: of.scopeId };
  }
}
