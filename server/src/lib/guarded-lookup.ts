import { lookup as lookUpName } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import type { Resolve } from "./guarded-client.ts";
import { type AllowedTargets, classifyAddress, isAllowedAddress } from "./target-address.ts";

// Name lookup of connections to a user-defined host. Each connection resolves the name and checks all its addresses, so a
// later change of the name reaches no private address. Node skips the lookup for a host that is an address.

export interface GuardedLookupOptions {
  allowed: AllowedTargets;
  /** Name of the setting that allows private addresses. */
  setting: string;
  resolve?: Resolve;
}

/** Code of the error of a lookup that was refused. */
export const PRIVATE_ADDRESS = "PRIVATE_ADDRESS";

/** Returns why a connection to this address of a host is refused, as a sentence, or null. */
export function findAddressFault(
  { allowed, setting }: Pick<GuardedLookupOptions, "allowed" | "setting">,
  host: string,
  address: string,
): string | null {
  const kind = classifyAddress(address);
  if (kind === "metadata") {
    return `${host} is the metadata service of a cloud, which has credentials.`;
  }
  const isAllowed = allowed.hosts.has(host.toLowerCase()) || isAllowedAddress(allowed, address);
  return kind === "public" || isAllowed
    ? null
    : `${host} is in a private network, which ${setting} does not allow.`;
}

/** Makes the lookup of `net.connect`, which fails with PRIVATE_ADDRESS if one of the addresses is not allowed. */
export function makeGuardedLookup(options: GuardedLookupOptions): LookupFunction {
  const resolve = options.resolve ?? ((host) => lookUpName(host, { all: true }));
  return (host, { all }, done) => {
    resolve(host).then(
      (addresses) => {
        const faults = addresses.map(({ address }) => findAddressFault(options, host, address));
        const fault = faults.find((each) => each !== null);
        const [first] = addresses;
        if (fault !== undefined || first === undefined) {
          const error = new Error(fault ?? `${host} has no address.`);
          done(Object.assign(error, { code: first ? PRIVATE_ADDRESS : "ENOTFOUND" }), "");
        } else if (all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, ""),
    );
  };
}
