import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Browser } from "#src/access/call.ts";
import { readCookie } from "#src/access/session-cookie.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { newId, type RandomBytes } from "#src/lib/ids.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { deleteOldest } from "./delete-oldest.sql.ts";
import { findDevice, insertDevice, recordDeviceUse } from "./devices.sql.ts";
import { cookiePrefixOf, type Site } from "./site.ts";

// Browsers in which the member has signed in before. The cookie grants no access. The cookie only keeps failed attempts by
// strangers from slowing the member down (people/identity/attempts.ts).

const LASTS_MS = 365 * 86_400_000;
const TOKEN_BYTES = 32;
const MAX_DEVICES = 20;

interface DeviceDeps {
  nowMs: () => number;
  randomBytes: RandomBytes;
}

/** Returns the browser's device if it is known to the member with this address, or null. */
export async function findKnownDevice(
  db: Database | Tx,
  deps: DeviceDeps,
  of: { browser: Browser; site: Site } & ({ email: string } | { memberId: string }),
): Promise<string | null> {
  const token = readCookie(of.browser.cookies, cookieNameOf(of.site));
  const device = await findDevice(db, {
    tokenHash: hashSecret(token ?? ""),
    usedSince: new Date(deps.nowMs() - LASTS_MS),
  });
  if (device === null) return null;
  const isOfPerson = "email" in of ? device.email === of.email : device.user_id === of.memberId;
  return isOfPerson ? device.id : null;
}

/** Registers the browser as known to the member. A known one keeps its id. Returns the cookies to set. */
export async function rememberDevice(
  tx: Tx,
  deps: DeviceDeps,
  of: { site: Site; memberId: string; knownId: string | null },
): Promise<string[]> {
  const now = new Date(deps.nowMs());
  if (of.knownId !== null) {
    await recordDeviceUse(tx, { id: of.knownId, now });
    return [];
  }
  const token = Buffer.from(deps.randomBytes(TOKEN_BYTES)).toString("base64url");
  await insertDevice(tx, {
    id: newId(idPrefixes.device, now.getTime(), deps.randomBytes),
    user_id: of.memberId,
    token_hash: hashSecret(token),
    created_at: now,
    last_used_at: now,
  });
  await deleteOldest(tx, "auth_device", { memberId: of.memberId, keep: MAX_DEVICES });
  const attributes = ["Path=/", `Max-Age=${LASTS_MS / 1000}`, "HttpOnly", "SameSite=Strict"];
  if (of.site.isSecure) attributes.push("Secure");
  return [[`${cookieNameOf(of.site)}=${token}`, ...attributes].join("; ")];
}

function cookieNameOf(site: Site): string {
  return `${cookiePrefixOf(site)}_device`;
}
