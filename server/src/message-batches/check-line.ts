import { ApiError } from "#src/domain/api-error.ts";
import type { ObjectName } from "#src/domain/object-name.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { WorstCase } from "#src/domain/worst-case.ts";
import { checkModels } from "#src/gateway/check-models.ts";
import { explainWorstCase, showUnknownPart } from "#src/gateway/explain-worst-case.rule.ts";
import type { ObjectReferences } from "#src/gateway/object-references.ts";
import type { ParsedMessage } from "#src/gateway/parse-message.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { SpendScope } from "#src/spend/ledger/charges.ts";
import type { LeaseSync } from "#src/spend/ledger/lease-sync.ts";
import { toUnboundedError, toUnknownError } from "#src/spend/ledger/refuse-hold.ts";

export interface CheckDeps {
  leases: Pick<LeaseSync, "findLimit" | "findUnknownRefusal">;
  /** Owners of the objects that requests name. */
  references: Pick<ObjectReferences, "findUpstreamId">;
}

/** Different objects that the requests of one batch can name. */
const MAX_NAMED = 10_000;
/** Objects of one query. */
const NAMED_AT_ONCE = 500;

/** Objects that the requests of a batch name, each once. */
export class NamedObjects {
  readonly #names = new Map<string, ObjectName>();

  /** Throws a 400 for too many. */
  add(names: readonly ObjectName[]): void {
    for (const name of names) this.#names.set(`${name.kind} ${name.id}`, name);
    if (this.#names.size <= MAX_NAMED) return;
    throw refuseField("requests", `a batch can name ${MAX_NAMED} files and skills at most.`);
  }

  /**
   * Returns the upstream that has all of them. Null: the batch names none. Rejects with a 404 for one that the workspace does
   * not own, and with a 400 for objects of several upstreams.
   */
  async findUpstreamId({ references }: CheckDeps, key: FoundKey): Promise<string | null> {
    const names = [...this.#names.values()];
    const [first] = names;
    if (first === undefined) return null;
    let found = "";
    for (let start = 0; start < names.length; start += NAMED_AT_ONCE) {
      // The first one is in each query, so that all of them agree on its upstream.
      found = await references.findUpstreamId(key, [
        first,
        ...names.slice(start, start + NAMED_AT_ONCE),
      ]);
    }
    return found;
  }
}

/** Returns the check of each request of a batch: the models of the key, and what strict limits forbid. */
export function makeLineCheck(
  { leases }: CheckDeps,
  { key, scope, named }: { key: FoundKey; scope: SpendScope; named: NamedObjects },
): (message: ParsedMessage, worstCase: WorstCase) => void {
  return (message, worstCase) => {
    checkModels(key, message);
    if (message.markers.hasThread) throw makeThreadError();
    named.add(message.objects);
    const { unknownParts } = message;
    const refusing = unknownParts.length === 0 ? null : leases.findUnknownRefusal(scope);
    if (refusing !== null) throw toUnknownError(refusing, unknownParts.map(showUnknownPart));
    const limit = worstCase.kind === "refused" ? leases.findLimit(scope) : null;
    if (limit !== null) throw toUnboundedError(limit, explainWorstCase(worstCase));
  };
}

function makeThreadError(): ApiError {
  return new ApiError(
    "thread_unsupported_request",
    "thread: A batch cannot start or continue threads. Send the whole conversation in messages, without thread.",
    {},
    { unsupported: ["thread"] },
  );
}
