import type { getServerAddress } from "@bursar/contract/admin/server-address.ts";
import type { RouteOutput } from "@bursar/contract/route.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { type CheckedAddress, checkServerAddress } from "#src/lib/check-server-address.ts";

export interface ServerAddressDeps extends Pick<AuditDeps, "nowMs"> {
  publicUrl: () => string;
  /** False: the server listens for other machines, and `BURSAR_PUBLIC_URL` is not set. */
  hasKnownAddress: boolean;
}

type Wire = RouteOutput<typeof getServerAddress>;

const FRESH_MS = 60_000;

/** Makes the read of this server's address. Callers within a minute share one check. */
export function makeServerAddress({ publicUrl, hasKnownAddress, nowMs }: ServerAddressDeps) {
  let last: { atMs: number; checked: Promise<CheckedAddress> } | null = null;
  return async (): Promise<Wire> => {
    const type = "server_address";
    if (!hasKnownAddress) {
      return { type, url: null, state: "unknown", addresses: [], certificate: null };
    }
    const url = publicUrl();
    const isFresh = last !== null && nowMs() - last.atMs < FRESH_MS;
    if (last === null || !isFresh) last = { atMs: nowMs(), checked: checkServerAddress(url) };
    const { state, addresses, certificate } = await last.checked;
    return {
      type,
      url,
      state,
      addresses: [...addresses],
      certificate: certificate && {
        sha256: certificate.sha256,
        expires_at: new Date(certificate.expiresAtMs).toISOString(),
      },
    };
  };
}
