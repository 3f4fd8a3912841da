import { passkey } from "@better-auth/passkey";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { APIError, type BetterAuthOptions, type BetterAuthPlugin, betterAuth } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { getAdapter } from "better-auth/db/adapter";
import { twoFactor } from "better-auth/plugins/two-factor";
import { z } from "zod";
import { hashSessionToken } from "#src/access/session-cookie.ts";
import { SESSION_MS } from "#src/access/sessions.ts";
import { assert } from "#src/lib/assert.ts";
import { newId, systemRandomBytes } from "#src/lib/ids.ts";
import {
  AUTH_SECRET_VERSION,
  type AuthDeps,
  type AuthRequest,
  BACKUP_CODES,
  COMPANY_SIGN_IN_REQUIRED,
  deriveAuthSecret,
  ISSUER,
  MEMBER_NOT_ACTIVE,
  RESET_SECONDS,
} from "./auth-settings.ts";
import { needsCompanySignIn } from "./company-sign-in.sql.ts";
import { makePasswordHashing } from "./hash-password.ts";
import { hashSessionTokens } from "./hashed-session-tokens.ts";
import { passwordLength } from "./password-rules.rule.ts";

import { findMemberStatus } from "./people.sql.ts";
import { cookiePrefixOf, type Site, sessionCookieOf } from "./site.ts";

const TWO_FACTOR_SECONDS = 600;
const NOT_VERIFIED = "USER_NOT_VERIFIED";

/** Creates better-auth for one request. Other modules call `makeAuth`, which loads this module. */
export async function configureAuth(deps: AuthDeps, request: AuthRequest) {
  const { tx, site } = request;
  const password = passwordHashing(deps, request);
  const options = {
    ...baseOptions(deps, request),
    databaseHooks: { session: { create: { before: startSessionHook(deps, request) } } },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
      resetPasswordTokenExpiresIn: RESET_SECONDS,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: async ({ token }: { token: string }) => request.onResetToken?.(token),
      password,
    },
    plugins: [twoFactorPlugin(), passkeyPlugin(site), ownEndpoints],
  } satisfies BetterAuthOptions;
  const adapter = await getAdapter({
    ...options,
    database: { db: tx, type: "postgres", transaction: false },
  });
  const hashToken = (token: string) => hashSessionToken(sessionCookieOf(site), token);
  return betterAuth({ ...options, database: () => hashSessionTokens(adapter, hashToken) });
}

/**
 * Hashing for better-auth. The results of proofs and of new passwords exist already, because a hash takes too long for a
 * transaction. A hash that replaced the proved one meanwhile is compared here.
 */
function passwordHashing(deps: AuthDeps, { isProved, proof, newPasswordHash }: AuthRequest) {
  const hashing = makePasswordHashing(deps.passwordCost);
  return {
    hash: async (password: string) => {
      if (newPasswordHash !== undefined) return newPasswordHash;
      // better-auth hashes the password of an unknown address for its time, which the proof has taken.
      return proof ? "" : hashing.hash(password);
    },
    verify: async (of: { hash: string; password: string }) => {
      if (isProved) return true;
      return proof?.hash === of.hash ? proof.isCorrect : hashing.verify(of);
    },
  };
}

function baseOptions(deps: AuthDeps, { site }: AuthRequest) {
  const prefixes: Record<string, string> = {
    session: idPrefixes.session,
    passkey: idPrefixes.passkey,
  };
  return {
    appName: ISSUER,
    baseURL: site.origin,
    // As a list: better-auth prefers a list from the environment to a single secret.
    secrets: [{ version: AUTH_SECRET_VERSION, value: deriveAuthSecret(deps.sealingKey) }],
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    // All relevant outcomes are in the response, and better-auth's log lines may contain addresses.
    logger: { disabled: true },
    user: {
      modelName: "auth_user",
      fields: { emailVerified: "email_verified", ...timestamps },
    },
    account: { modelName: "auth_account", fields: accountColumns },
    session: {
      modelName: "auth_session",
      fields: {
        userId: "user_id",
        expiresAt: "expires_at",
        ipAddress: "ip_address",
        userAgent: "user_agent",
        ...timestamps,
      },
      additionalFields: {
        startedAt: { type: "date", required: false, input: false, fieldName: "started_at" },
        lastUsedAt: { type: "date", required: false, input: false, fieldName: "last_used_at" },
        steppedUpAt: { type: "date", required: false, input: false, fieldName: "stepped_up_at" },
      },
      expiresIn: SESSION_MS / 1000,
      disableSessionRefresh: true,
      // Routes that need a fresh proof ask for step-up.
      freshAge: 0,
    },
    verification: {
      modelName: "auth_verification",
      fields: { expiresAt: "expires_at", ...timestamps },
      storeIdentifier: "hashed",
    },
    advanced: {
      useSecureCookies: false, // its prefix would be __Secure-
      cookiePrefix: cookiePrefixOf(site),
      cookies: { session_token: { name: sessionCookieOf(site) } },
      defaultCookieAttributes: {
        secure: site.isSecure,
        httpOnly: true,
        sameSite: "strict",
        path: "/",
      },
      ipAddress: { disableIpTracking: true }, // it would trust any header, so the hook sets the address
      database: {
        validateSchema: false, // the migrations are ours and tested
        generateId: ({ model }: { model: string }) =>
          newId(prefixes[model] ?? "auth_", deps.nowMs(), deps.randomBytes),
      },
    },
  } satisfies BetterAuthOptions;
}

const timestamps = { createdAt: "created_at", updatedAt: "updated_at" };
const accountColumns = {
  userId: "user_id",
  providerId: "provider_id",
  accountId: "account_id",
  accessToken: "access_token",
  refreshToken: "refresh_token",
  idToken: "id_token",
  accessTokenExpiresAt: "access_token_expires_at",
  refreshTokenExpiresAt: "refresh_token_expires_at",
  ...timestamps,
};

/** Runs before every new session. Refuses members who are not active, and those who need a directory. */
function startSessionHook(deps: AuthDeps, { tx, origin, isCompanySignIn }: AuthRequest) {
  return async (session: { userId: string } & Record<string, unknown>) => {
    if ((await findMemberStatus(tx, session.userId)) !== "active") {
      throw new APIError("FORBIDDEN", { code: MEMBER_NOT_ACTIVE, message: "not active" });
    }
    const now = new Date(deps.nowMs());
    const of = { memberId: session.userId, now };
    if (!isCompanySignIn && (await needsCompanySignIn(tx, of))) {
      throw new APIError("FORBIDDEN", { code: COMPANY_SIGN_IN_REQUIRED, message: "no directory" });
    }
    const data = {
      ...session,
      ipAddress: origin.ipAddress,
      userAgent: origin.userAgent,
      // A session that replaces another one keeps its times.
      startedAt: session["startedAt"] ?? now,
      steppedUpAt: session["steppedUpAt"] ?? now,
      lastUsedAt: now,
    };
    return { data };
  };
}

function twoFactorPlugin() {
  return twoFactor({
    issuer: ISSUER,
    twoFactorCookieMaxAge: TWO_FACTOR_SECONDS,
    // Members of a directory have no password. The routes require step-up instead.
    allowPasswordless: true,
    backupCodeOptions: { amount: BACKUP_CODES },
    // The lockout of better-auth would also lock out the member. `attempts.ts` limits attempts and distinguishes
    // devices.
    accountLockout: { enabled: false },
    schema: {
      user: { fields: { twoFactorEnabled: "two_factor_enabled" } },
      twoFactor: {
        modelName: "auth_two_factor",
        fields: {
          userId: "user_id",
          backupCodes: "backup_codes",
          failedVerificationCount: "failed_verification_count",
          lockedUntil: "locked_until",
        },
      },
    },
  });
}

/** A passkey is a whole sign-in without a second factor, so its device must verify a fingerprint, face or PIN. */
function passkeyPlugin(site: Site) {
  const requireUserVerified = (isVerified: boolean | undefined) => {
    if (!isVerified) {
      throw new APIError("BAD_REQUEST", { code: NOT_VERIFIED, message: "user not verified" });
    }
  };
  return passkey({
    rpID: site.hostname,
    rpName: ISSUER,
    origin: site.origin,
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    advanced: { webAuthnChallengeCookie: "passkey" },
    registration: {
      afterVerification: ({ verification }) => {
        requireUserVerified(verification.registrationInfo?.userVerified);
      },
    },
    authentication: {
      afterVerification: ({ verification }) => {
        requireUserVerified(verification.authenticationInfo.userVerified);
      },
    },
    schema: {
      passkey: {
        modelName: "auth_passkey",
        fields: {
          publicKey: "public_key",
          userId: "user_id",
          credentialID: "credential_id",
          deviceType: "device_type",
          backedUp: "backed_up",
          createdAt: "created_at",
        },
      },
    },
  });
}

/** Endpoints for better-auth functions that have no API call. */
const ownEndpoints = {
  id: "bursar",
  endpoints: {
    /** Signs in a member just created by set-up or an invite, without a proof of identity. */
    startSession: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ userId: z.string() }) },
      async (ctx) => {
        const user = await ctx.context.internalAdapter.findUserById(ctx.body.userId);
        assert(user, "a new member exists");
        const session = await ctx.context.internalAdapter.createSession(user.id);
        assert(session, "a session was made");
        await setSessionCookie(ctx, { session, user });
        return { sessionId: session.id };
      },
    ),
    /** Begins a sign-in that waits for the member's second factor, like a correct password does. */
    startSecondFactor: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ userId: z.string() }) },
      async (ctx) => {
        const { internalAdapter, secret } = ctx.context;
        const cookie = ctx.context.createAuthCookie("two_factor", { maxAge: TWO_FACTOR_SECONDS });
        const identifier = `2fa-${Buffer.from(systemRandomBytes(24)).toString("base64url")}`;
        const expiresAt = new Date(Date.now() + TWO_FACTOR_SECONDS * 1000);
        await internalAdapter.createVerificationValue({
          value: ctx.body.userId,
          identifier,
          expiresAt,
        });
        await internalAdapter.createVerificationValue({
          value: "0",
          identifier: `2fa-attempts-${identifier}`,
          expiresAt,
        });
        await ctx.setSignedCookie(cookie.name, identifier, secret, cookie.attributes);
        return {};
      },
    ),
    /** Returns the member whose second factor the browser's cookie waits for. */
    findPendingSignIn: createAuthEndpoint.serverOnly({ method: "POST" }, async (ctx) => {
      const cookie = ctx.context.createAuthCookie("two_factor");
      const token = await ctx.getSignedCookie(cookie.name, ctx.context.secret);
      const found = token && (await ctx.context.internalAdapter.findVerificationValue(token));
      return { userId: found && found.expiresAt > new Date() ? found.value : null };
    }),
    /** Returns the member whose password the token of a link sets. */
    findPasswordReset: createAuthEndpoint.serverOnly(
      { method: "POST", body: z.object({ token: z.string() }) },
      async (ctx) => {
        const identifier = `reset-password:${ctx.body.token}`;
        const found = await ctx.context.internalAdapter.findVerificationValue(identifier);
        return { userId: found && found.expiresAt > new Date() ? found.value : null };
      },
    ),
  },
} satisfies BetterAuthPlugin;
