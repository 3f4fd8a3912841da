import type { Storage } from "#src/db/storage.ts";
import type { GatewayDeps } from "#src/gateway/handle-request.ts";
import type { Metrics } from "#src/http/metrics.ts";
import type { Logger } from "#src/lib/logger.ts";
import { startRefusalPruning } from "#src/refusals/prune-refusals.ts";
import { startRefusalRecorder } from "#src/refusals/start-recorder.ts";

interface RefusalsOptions {
  storage: Storage;
  /** The operator's organization, for requests without a known key. */
  organizationId: string;
  logger: Logger;
}

export type OnRefused = (
  refused: RefusedRequest,
  metrics: Pick<Metrics, "observeRefusal" | "observeShareRefusal">,
) => void;
type RefusedRequest = Parameters<NonNullable<GatewayDeps["onRefused"]>>[0];

/** Starts to record and count the refusals of this process's gateway, and to delete old ones. */
export function startRefusals(
  { storage, organizationId, logger }: RefusalsOptions,
  parts: AsyncDisposableStack,
): OnRefused {
  const recorder = startRefusalRecorder({ database: storage.database, logger });
  parts.defer(() => recorder.stop());
  const oldRefusals = startRefusalPruning({ database: storage.adminDatabase, logger });
  parts.defer(() => oldRefusals.stop());
  return ({ key, ...refused }, metrics) => {
    metrics.observeRefusal(refused.errorCode);
    const { share } = refused.details;
    if (share !== undefined)
      metrics.observeShareRefusal(share.kind, share.scope?.type ?? "address");
    recorder.record({
      organizationId: key?.organizationId ?? organizationId,
      workspaceId: key?.workspaceId ?? "",
      apiKeyId: key?.id ?? "",
      ...refused,
    });
  };
}
