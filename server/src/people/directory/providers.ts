import { LRUCache } from "lru-cache";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import type { Provider } from "./code-flow.ts";
import { discoverProvider } from "./discover-provider.ts";

/** Discovered providers. */
export interface Providers {
  /** Reads the provider's discovery document, or returns the cached one. Throws a ProviderFault. */
  get(issuer: string): Promise<Provider>;
}

const MAX_PROVIDERS = 100;
const LASTS_MS = 3_600_000;
/** Strangers can begin sign-ins, so a provider that fails is not asked each time. */
const FAILURE_LASTS_MS = 5_000;

export function makeProviders(client: GuardedClient): Providers {
  const cache = new LRUCache<string, Promise<Provider>>({ max: MAX_PROVIDERS, ttl: LASTS_MS });
  return {
    get(issuer) {
      const cached = cache.get(issuer);
      if (cached !== undefined) return cached;
      const found = discoverProvider(client, issuer).then(
        (metadata): Provider => ({
          metadata,
          keys: undefined,
        }),
      );
      cache.set(issuer, found);
      found.catch(() => cache.set(issuer, found, { ttl: FAILURE_LASTS_MS }));
      return found;
    },
  };
}
