import type { AlertKind, FiringFacts } from "@bursar/contract/admin/alerts.ts";

/** An alert has gone off, as whoever found it hands it on; where the same one is on record, it is not recorded again. */
export interface NewFiring {
  organizationId: string;
  alertId: string;
  kind: AlertKind;
  scopeType: "organization" | "workspace" | "api_key";
  scopeId: string;
  /** Of the scope; null where it is the organization. */
  workspaceId: string | null;
  /** What happens once: a period with the limit's last raise, the expiry of a key, the hour of an unusual spend. */
  episode: string;
  /** In a few characters, as people read it: `75%`, `$100.00`, `14 days`. */
  threshold: string;
  facts: FiringFacts;
}
