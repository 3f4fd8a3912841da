import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { type KeyDocument, readProviderKeys } from "./discover-provider.ts";
import { TOLERANCE_SECONDS } from "./logout-token.rule.ts";
import type { Providers } from "./providers.ts";

/** Verifies tokens that arrive without a sign-in. */
export interface TokenVerifier {
  /** Returns the claims. Null: signature, issuer, audience, algorithm or time is wrong. Throws a ProviderFault. */
  verify(token: string, of: TokenOf): Promise<JWTPayload | null>;
}

export interface TokenOf {
  issuer: string;
  audience: string;
  /** Highest age, seconds. */
  maxAgeSeconds: number;
  nowMs: number;
}

const MAX_PROVIDERS = 100;
const LASTS_MS = 3_600_000;
/** Strangers can send tokens with any key id, so the keys are not read each time. */
const MIN_AGE_MS = 30_000;

/** Types of a logout token. Absent or `JWT`: providers before the final specification. */
const types = new Set([undefined, "jwt", "logout+jwt"]);

export function makeTokenVerifier(client: GuardedClient, providers: Providers): TokenVerifier {
  const cache = new LRUCache<string, { keys: KeyDocument; readAtMs: number }>({
    max: MAX_PROVIDERS,
    ttl: LASTS_MS,
  });
  const readKeys = async ({ issuer, nowMs }: TokenOf) => {
    const { metadata } = await providers.get(issuer);
    const read = { keys: await readProviderKeys(client, metadata), readAtMs: nowMs };
    cache.set(issuer, read);
    return read;
  };
  return {
    async verify(token, of) {
      const { issuer, audience, maxAgeSeconds, nowMs } = of;
      const { metadata } = await providers.get(issuer);
      const verifyWith = (keys: KeyDocument) =>
        jwtVerify(token, createLocalJWKSet(keys as JSONWebKeySet), {
          issuer,
          audience,
          algorithms: metadata.id_token_signing_alg_values_supported,
          maxTokenAge: maxAgeSeconds,
          clockTolerance: TOLERANCE_SECONDS,
          currentDate: new Date(nowMs),
        });
      const cached = cache.get(issuer);
      let read = cached ?? (await readKeys(of));
      try {
        return await checkType(verifyWith(read.keys));
      } catch (error) {
        const isKeyUnknown = error instanceof errors.JWKSNoMatchingKey;
        const canRead = cached !== undefined && nowMs - cached.readAtMs > MIN_AGE_MS;
        if (!isKeyUnknown || !canRead) return refuse(error);
        read = await readKeys(of);
        return checkType(verifyWith(read.keys)).catch(refuse);
      }
    },
  };
}

async function checkType(verified: ReturnType<typeof jwtVerify>): Promise<JWTPayload | null> {
  const { payload, protectedHeader } = await verified;
  return types.has(protectedHeader.typ?.toLowerCase()) ? payload : null;
}

function refuse(error: unknown): null {
  if (error instanceof errors.JOSEError) return null;
  throw error;
}
