import { toUsageHeaders } from "#src/domain/own-caps.ts";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { PersonSpend } from "#src/spend/ledger/person-spend.ts";
import type { Exchange } from "./exchange.ts";

// Headers by which Claude Code shows the use of a person's own caps. Only laptops get them.

export interface LaptopUsageDeps {
  personSpend: Pick<PersonSpend, "prepare" | "findCaps">;
}

/** Starts a read of the person's spend, whose result is there before the upstream answers. Never waits. */
export function prepareUsage(deps: LaptopUsageDeps, laptop: LaptopClaims, key: FoundKey): void {
  deps.personSpend.prepare(personOf(laptop, key));
}

/** Returns the headers for a message that was answered. Null: none. */
export function findUsageHeaders(
  deps: LaptopUsageDeps,
  { laptop, key }: Pick<Exchange, "laptop" | "key">,
): Readonly<Record<string, string>> | null {
  if (laptop === null || key === null) return null;
  const caps = deps.personSpend.findCaps(personOf(laptop, key));
  return caps === null ? null : toUsageHeaders(caps);
}

function personOf({ memberId, organizationId }: LaptopClaims, { id: apiKeyId }: FoundKey) {
  return { organizationId, memberId, apiKeyId };
}
