import { refuseField } from "#src/domain/refuse-field.ts";
import { connectionHeaders, parseSecretHeaders } from "#src/domain/secret-headers.ts";
import { seal } from "#src/lib/seal.ts";
import type { AllowedTargets } from "#src/lib/target-address.ts";
import { parseProxyUrl } from "./proxy-url.rule.ts";
import { findTargetFault } from "./upstream-target.ts";
import {
  formatCredentialHint,
  headersSealContext,
  proxySealContext,
  upstreamSealContext,
} from "./upstream-url.rule.ts";
import type { UpstreamRow } from "./upstreams.sql.ts";

// Secrets of a stored upstream. Each is sealed for its row and the origin that gets it.

interface SealDeps {
  /** Derived from `BURSAR_SECRET`: see lib/seal.ts. */
  sealingKey: Buffer;
}

type SealedFor = Pick<UpstreamRow, "id" | "base_url">;

export function sealCredential(
  { sealingKey }: SealDeps,
  { id, base_url }: SealedFor,
  credential: string | null,
): Pick<UpstreamRow, "credential_sealed" | "credential_hint"> {
  if (credential === null) return { credential_sealed: null, credential_hint: null };
  return {
    credential_sealed: seal(sealingKey, credential, upstreamSealContext(id, base_url)),
    credential_hint: formatCredentialHint(credential),
  };
}

/** Headers that the connection, the credential or the dialect of a request sets. */
const reserved = [...connectionHeaders, "accept-encoding", "proxy-authorization", "x-api-key"];

/** Throws a 400 for two headers with one name, and for those that the server sets. */
export function sealExtraHeaders(
  { sealingKey }: SealDeps,
  { id, base_url }: SealedFor,
  headers: Readonly<Record<string, string>> | null,
): Pick<UpstreamRow, "extra_headers_sealed" | "extra_header_names"> {
  const parsed = parseSecretHeaders(headers ?? {}, { field: "extra_headers", reserved });
  const names = Object.keys(parsed);
  if (names.length === 0) return { extra_headers_sealed: null, extra_header_names: [] };
  const text = JSON.stringify(parsed);
  return {
    extra_headers_sealed: seal(sealingKey, text, headersSealContext(id, base_url)),
    extra_header_names: names,
  };
}

/** Throws a 400 for a URL that is malformed, or in a private network that the operator has not allowed. */
export function sealProxy(
  { sealingKey, privateUpstreams }: SealDeps & { privateUpstreams: AllowedTargets },
  id: string,
  text: string | null,
): Pick<UpstreamRow, "proxy_url" | "proxy_credential_sealed"> {
  if (text === null) return { proxy_url: null, proxy_credential_sealed: null };
  const parsed = parseProxyUrl(text);
  if (parsed === null) {
    throw refuseField("proxy_url", "expected a URL such as http://proxy.example.com:3128.");
  }
  const { url, credential } = parsed;
  const fault = findTargetFault(url, privateUpstreams);
  if (fault !== null) throw refuseField("proxy_url", fault);
  return {
    proxy_url: url,
    proxy_credential_sealed:
      credential === null ? null : seal(sealingKey, credential, proxySealContext(id, url)),
  };
}
