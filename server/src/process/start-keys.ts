import type { Config } from "#src/config.ts";
import type { Changed, ChangeWatch } from "#src/db/change-watch.ts";
import type { Storage } from "#src/db/storage.ts";
import { guardLookup } from "#src/failover/guard-lookup.ts";
import { startAccessTokens, UNNAMED_ISSUER } from "#src/key-lookup/access-token-keys.ts";
import { listAllowedOrigins } from "#src/key-lookup/allowed-origins.sql.ts";
import {
  type AllowedOrigins,
  MAX_ORIGINS,
  makeAllowedOrigins,
} from "#src/key-lookup/allowed-origins.ts";
import { findApiKeysByHashes } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import { findUsersBySubjects } from "#src/key-lookup/forwarded-users.sql.ts";
import { type ForwardedUsers, makeForwardedUsers } from "#src/key-lookup/forwarded-users.ts";
import { makeKeyCache } from "#src/key-lookup/key-cache.ts";
import { type KeyUses, startKeyUses } from "#src/key-lookup/key-uses.ts";
import { systemClock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeLoggedReload } from "./logged-reload.ts";
import type { StartedAudit } from "./start-audit.ts";

export interface StartedKeys {
  /** Checks of keys and access tokens. */
  credentials: Pick<LaptopDeps, "keys" | "accessTokens">;
  users: ForwardedUsers;
  keyUses: KeyUses;
  /** Facts for requests of pages and of other forms. */
  forms: { nowMs: () => number; origins: AllowedOrigins };
}

/** Starts the cache of keys, the check of access tokens, and the record of last uses. */
export async function startKeys(
  of: {
    config: Config;
    storage: Storage;
    logger: Logger;
    watch: ChangeWatch;
    facts: StartedAudit;
  },
  parts: AsyncDisposableStack,
  reload: ((changed: Changed) => void)[],
): Promise<StartedKeys> {
  const { config, storage, logger, watch, facts } = of;
  const { database } = storage;
  const { rows } = facts.audit;
  const contact = {
    msSinceContact: () => watch.msSinceContact(),
    leaseTtlMs: config.leaseTtlMs,
    clock: systemClock,
  };
  const keys = makeKeyCache({
    lookup: guardLookup((hashes) => findApiKeysByHashes(database, rows, hashes), facts),
    ...contact,
  });
  const users = makeForwardedUsers({
    lookup: guardLookup((names) => findUsersBySubjects(database, rows, names), facts),
    ...contact,
  });
  // The same on all nodes and after each start, unlike the address of a listener.
  const issuer = config.publicUrl?.replace(/\/+$/, "") ?? UNNAMED_ISSUER;
  const started = await startAccessTokens(facts.audit, () => issuer);
  const origins = makeAllowedOrigins(() => {
    const now = new Date(watch.databaseNowMs());
    return listAllowedOrigins(database, { now, limit: MAX_ORIGINS });
  });
  await origins.reload();
  const logFailures = makeLoggedReload(logger);
  const reloadOrigins = logFailures(() => origins.reload());
  reload.push(
    (changed) => {
      if (affectsKeys(changed)) reloadOrigins();
    },
    (changed) => keys.forget(changed),
    (changed) => users.forget(changed),
    logFailures(() => started.reload()),
  );
  const keyUses = startKeyUses({ database, logger });
  parts.defer(() => keyUses.stop());
  const forms = { nowMs: systemClock.nowMs, origins };
  return { credentials: { keys, accessTokens: started.tokens }, users, keyUses, forms };
}

function affectsKeys(changed: Changed): boolean {
  return (
    changed === "anything" || changed.some(({ kind }) => kind === "api_key" || kind === "workspace")
  );
}
