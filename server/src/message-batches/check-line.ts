import type { WorstCase } from "#src/domain/worst-case.ts";
import { checkModels } from "#src/gateway/check-models.ts";
import { explainWorstCase, showUnknownPart } from "#src/gateway/explain-worst-case.rule.ts";
import { type ParsedMessage, refuseUnshareable } from "#src/gateway/parse-message.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import { toUnboundedError, toUnknownError } from "#src/spend/ledger/refuse-hold.ts";

export interface CheckDeps {
  leases: Pick<LeaseSync, "findLimit" | "findUnknownRefusal">;
}

/** Returns the check of each request of a batch: the models of the key, and what strict limits forbid. */
export function makeLineCheck(
  { leases }: CheckDeps,
  { key, scope }: { key: FoundKey; scope: SpendScope },
): (message: ParsedMessage, worstCase: WorstCase) => void {
  return (message, worstCase) => {
    checkModels(key, message);
    refuseUnshareable(message);
    const { unknownParts } = message;
    const refusing = unknownParts.length === 0 ? null : leases.findUnknownRefusal(scope);
    if (refusing !== null) throw toUnknownError(refusing, unknownParts.map(showUnknownPart));
    const limit = worstCase.kind === "refused" ? leases.findLimit(scope) : null;
    if (limit !== null) throw toUnboundedError(limit, explainWorstCase(worstCase));
  };
}
