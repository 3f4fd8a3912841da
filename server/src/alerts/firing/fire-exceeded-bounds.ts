import type { Tx } from "#src/db/pool.ts";
import { listAlertsOfKind } from "./alerts-of-kind.sql.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

export interface ExceededBoundFacts {
  organizationId: string;
  kind: "model" | "tool";
  /** Name of the model, or type of the tool. */
  name: string;
  /** Tokens per second of a model, or tokens of the calls that read results of a tool. */
  observed: bigint;
  allowed: bigint;
  requestId: string;
  /** Date in UTC. */
  day: string;
}

/** Fires the alerts of the organization about a model or tool beyond its bound, once for each of them and day. */
export async function fireExceededBound(
  tx: Tx,
  deps: AlertingDeps,
  of: ExceededBoundFacts,
): Promise<void> {
  const { organizationId, kind, name } = of;
  const alerts = await listAlertsOfKind(tx, { organizationId, kind: "bound_exceeded" });
  await recordFirings(
    tx,
    deps,
    alerts.map(({ alertId, scopeType, scopeId, workspaceId }) => ({
      ...{ organizationId, alertId, scopeType, scopeId, workspaceId },
      kind: "bound_exceeded",
      episode: `${kind} ${name} ${of.day}`,
      threshold: "beyond bound",
      facts: {
        exceeded_bound: {
          kind,
          name,
          observed_tokens: Number(of.observed),
          allowed_tokens: Number(of.allowed),
          request_id: of.requestId,
        },
      },
    })),
  );
}
