import { LRUCache } from "lru-cache";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { LaptopDeps } from "#src/key-lookup/authenticate-laptop.ts";
import type { Clock } from "#src/lib/clock.ts";
import { hashSecret, hashSecretToText } from "#src/lib/secret-hash.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import {
  type DeviceAuthorizationRow,
  findByDeviceCode,
  useDeviceCode,
} from "./device-authorizations.sql.ts";
import { issueTokens, type TokenAnswer } from "./issue-tokens.ts";
import { describeMember, extendLaptop, findSecretOfLaptop } from "./laptops.sql.ts";
import { NO_END } from "./laptops.ts";
import { OauthError } from "./oauth-error.ts";
import { POLL_SECONDS } from "./start-sign-in.ts";

export type RedeemDeps = AuditDeps & LaptopDeps & { clock: Clock };

/** Form of a device code. Other texts need no query. */
const DEVICE_CODE = /^[\w-]{43}$/;
/** A poll may come somewhat early, because its client counts from the response of the previous one. */
const LEAST_POLL_MS = (POLL_SECONDS - 1) * 1000;
const MAX_POLLING = 10_000;

export type RedeemDeviceCode = (deviceCode: string) => Promise<TokenAnswer>;

/**
 * Makes the poll of a client (RFC 8628, 3.4). Rejects with `authorization_pending`, `slow_down`, `access_denied`,
 * `expired_token` or `invalid_grant`.
 */
export function makeRedeemDeviceCode(deps: RedeemDeps): RedeemDeviceCode {
  const polledMs = new LRUCache<string, number>({ max: MAX_POLLING });

  function checkPace(deviceCode: string): void {
    const name = hashSecretToText(deviceCode);
    const nowMs = deps.clock.monotonicMs();
    const lastMs = polledMs.get(name);
    if (lastMs !== undefined && nowMs - lastMs < LEAST_POLL_MS) {
      throw new OauthError("slow_down", `Ask every ${POLL_SECONDS} seconds.`);
    }
    polledMs.set(name, nowMs);
  }

  return async (deviceCode) => {
    if (!DEVICE_CODE.test(deviceCode)) throw refuseCode();
    checkPace(deviceCode);
    const row = await findByDeviceCode(deps.database, hashSecret(deviceCode));
    if (row === null || row.status === "used") throw refuseCode();
    if (row.status === "denied") {
      throw new OauthError("access_denied", "The sign-in was denied in the browser.");
    }
    if (row.expires_at.getTime() <= deps.nowMs()) throw refuseExpired();
    if (row.status === "pending") {
      throw new OauthError("authorization_pending", "The sign-in is not approved yet.");
    }
    return redeem(deps, row);
  };
}

/** Issues the tokens of an approved sign-in, once. */
async function redeem(deps: RedeemDeps, row: DeviceAuthorizationRow): Promise<TokenAnswer> {
  const nowMs = deps.nowMs();
  const found = await inSignedTransaction(deps, (tx) => openLaptop(tx, row, new Date(nowMs)));
  const { secret, member } = found;
  const subject = {
    organizationId: secret.organization_id,
    memberId: secret.member_id,
    laptopId: secret.id,
    key: Buffer.from(secret.hash).toString("base64url"),
    groupIds: member.groups.map(({ id }) => id),
    groupNames: member.groups.map(({ name }) => name),
    billingGroupTag: member.billingGroupTag,
  };
  const refreshToken = deps.accessTokens.issueRefresh(subject, secret.generation, nowMs);
  return issueTokens(deps.accessTokens, subject, { refreshToken, email: member.email, nowMs });
}

async function openLaptop(tx: Tx, row: DeviceAuthorizationRow, now: Date) {
  const { laptop_id: laptopId } = row;
  if (laptopId === null || !(await useDeviceCode(tx, row.id))) throw refuseCode();
  const until = row.laptop_ends_at ?? NO_END;
  if (!(await extendLaptop(tx, { laptopId, until, now }))) throw refuseExpired();
  const secret = await findSecretOfLaptop(tx, laptopId);
  if (secret === null) throw refuseExpired();
  return { secret, member: await describeMember(tx, secret.member_id) };
}

function refuseCode(): OauthError {
  return new OauthError("invalid_grant", "The device code is unknown or was used.", {
    status: 400,
  });
}

function refuseExpired(): OauthError {
  return new OauthError("expired_token", "The device code has expired. Start the sign-in again.");
}
