import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";

/** A firing that an evaluation found. An equal firing is recorded once. */
export interface NewFiring {
  organizationId: string;
  alertId: string;
  kind: AlertKind;
  scopeType: "organization" | "workspace" | "api_key" | "member" | "group" | "tag" | "group_member";
  scopeId: string;
  /** Workspace of the scope. Null for the organization. */
  workspaceId: string | null;
  /** Identifies one occurrence: a period and its raises, the expiry of a key, or an hour of unusual spend. */
  episode: string;
  /** Short text for users, such as `75%`, `$100.00` or `14 days`. */
  threshold: string;
  facts: FiringFacts;
}
