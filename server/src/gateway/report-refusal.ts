import type { ApiError } from "#src/domain/api-error.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import type { Exchange } from "./exchange.ts";
import type { RefusedRequest } from "./refuse.ts";
import type { SettleDeps } from "./settle.ts";

interface RefusalDeps extends Pick<SettleDeps, "labels" | "prices"> {
  onRefused?: (refused: RefusedRequest) => void;
  clientAddress: (call: ClientCall) => string | null;
  databaseNowMs: () => number;
}

/** Reports a refusal with its cause. Refused models never become new names in reports. */
export function reportRefusal(
  deps: RefusalDeps,
  { call, requestId, key, requestedModel }: Exchange,
  { error, status }: { error: ApiError; status: number },
): void {
  deps.onRefused?.({
    requestId,
    key,
    errorCode: error.code,
    httpStatus: status,
    model:
      key === null || requestedModel === null
        ? ""
        : deps.labels.labelOf(requestedModel, deps.prices.get(key.organizationId), false),
    address: deps.clientAddress(call),
    atMs: deps.databaseNowMs(),
    details: error.details,
  });
}
