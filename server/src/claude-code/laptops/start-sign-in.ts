import { idPrefixes } from "@bursar/contract/ids.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { beginAttempt, deviceRequestAttempt } from "#src/people/identity/attempts.ts";
import { findLoginNotice, insertDeviceAuthorization } from "./device-authorizations.sql.ts";
import { OauthError } from "./oauth-error.ts";
import { makeUserCode } from "./user-code.rule.ts";

export interface SignInStartDeps extends AuditDeps {
  publicUrl: () => string;
  /** Organization of this server. A sign-in has no member yet. */
  operatorOrganizationId: string;
}

export interface SignInRequest {
  ipAddress: string | null;
  userAgent: string | null;
}

export interface StartedSignIn {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  /** Seconds. */
  expires_in: number;
  interval: number;
  /** Text of the company. The client shows it beside the code. */
  login_notice?: string;
}

export const DEVICE_CODE_MS = 600_000;
export const POLL_SECONDS = 5;
const DEVICE_CODE_BYTES = 32;
const USER_CODE_BYTES = 32;
const MAX_VERSION_LENGTH = 40;
/** Codes of open sign-ins are 2^34 / 600,000 apart on average, so a second try is rare. */
const MAX_TRIES = 5;

/** Starts a sign-in of a client (RFC 8628, 3.1). Throws `slow_down` after 30 of one address in ten minutes. */
export async function startSignIn(
  deps: SignInStartDeps,
  { ipAddress, userAgent }: SignInRequest,
): Promise<StartedSignIn> {
  const nowMs = deps.nowMs();
  await chargeRequest(deps, ipAddress);
  const deviceCode = Buffer.from(deps.randomBytes(DEVICE_CODE_BYTES)).toString("base64url");
  for (let tried = 0; tried < MAX_TRIES; tried++) {
    const userCode = makeUserCode(deps.randomBytes(USER_CODE_BYTES));
    if (userCode === null) continue;
    const isInserted = await insertDeviceAuthorization(deps.database, {
      id: newId(idPrefixes.deviceAuthorization, nowMs, deps.randomBytes),
      device_code_hash: hashSecret(deviceCode),
      user_code_hash: hashSecret(userCode),
      client_version: readVersion(userAgent),
      address: ipAddress,
      created_at: new Date(nowMs),
      expires_at: new Date(nowMs + DEVICE_CODE_MS),
    });
    if (!isInserted) continue;
    const page = `${deps.publicUrl()}/device`;
    const notice = await findLoginNotice(deps.database, deps.operatorOrganizationId);
    return {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?code=${userCode}`,
      expires_in: DEVICE_CODE_MS / 1000,
      interval: POLL_SECONDS,
      ...(notice !== null && { login_notice: notice }),
    };
  }
  assert(false, "a free code is found within a few tries");
}

async function chargeRequest(deps: AuditDeps, ipAddress: string | null): Promise<void> {
  try {
    await beginAttempt(deps.database, deps.nowMs(), deviceRequestAttempt(ipAddress));
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "too_many_attempts")) throw error;
    const retryAfter = Number(error.headers["retry-after"]);
    throw new OauthError("slow_down", "Too many sign-ins were started from this address.", {
      status: 429,
      retryAfter,
    });
  }
}

/** Version of `claude-code/2.1.332`. */
function readVersion(userAgent: string | null): string | null {
  const version = /^claude-code\/([\w.+-]+)/.exec(userAgent ?? "")?.[1];
  return version?.slice(0, MAX_VERSION_LENGTH) ?? null;
}
