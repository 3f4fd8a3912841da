import {
  type AuditDeps,
  type AuditEntry,
  auditedTransactionByActor,
} from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Origin } from "#src/domain/caller.ts";
import type { Background } from "#src/lib/background.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { hashSecret } from "#src/lib/secret-hash.ts";
import { addressAttempt, beginAttempt, refundAttempt } from "#src/people/identity/attempts.ts";
import { directoryNotFound } from "./directories.ts";
import { ProviderFault } from "./discover-provider.ts";
import {
  deleteExpiredLogouts,
  endPendingSignIns,
  endProviderSessions,
  findAnyDirectory,
  useLogoutToken,
} from "./logout.sql.ts";
import { MAX_AGE_SECONDS, readLogout } from "./logout-token.rule.ts";
import { makeProviders } from "./providers.ts";
import type { TokenVerifier } from "./verify-token.ts";

// OpenID Connect Back-Channel Logout 1.0. A provider sends a signed token when a person signs out there. Each request reads
// its session from the database, so an ended one is refused by every node.

export interface LogoutDeps extends AuditDeps {
  /** Sends requests to providers. */
  client: GuardedClient;
  background: Background;
}

interface Report {
  directoryId: string;
  token: string;
}

/** Ends sessions when a provider reports a logout. Loads the library for tokens with the first report. */
export function makeProviderLogout(
  deps: LogoutDeps,
): (origin: Origin, report: Report) => Promise<void> {
  const loadVerifier = async () => {
    const { makeTokenVerifier } = await import("./verify-token.ts");
    return makeTokenVerifier(deps.client, makeProviders(deps.client));
  };
  let loading: Promise<TokenVerifier> | undefined;
  return (origin, report) => {
    const verify = async (...of: Parameters<TokenVerifier["verify"]>) => {
      loading ??= loadVerifier();
      return (await loading).verify(...of);
    };
    return logOutByProvider({ ...deps, verifier: { verify } }, origin, report);
  };
}

/**
 * Ends the sessions that the token names. Throws a 404 for an unknown directory, and a 400 for an invalid or used token. Throws
 * a 429, and a 503 if the provider's keys cannot be read.
 */
async function logOutByProvider(
  deps: LogoutDeps & { verifier: TokenVerifier },
  origin: Origin,
  { directoryId, token }: Report,
): Promise<void> {
  const attempt = addressAttempt("directory_logout", origin.ipAddress);
  await beginAttempt(deps.database, deps.nowMs(), attempt);
  const directory = await findAnyDirectory(deps.database, directoryId);
  if (directory === null || directory.client_id === null) throw directoryNotFound();
  const { id, issuer, client_id: audience, organization_id: organizationId } = directory;
  const of = { issuer, audience, maxAgeSeconds: MAX_AGE_SECONDS, nowMs: deps.nowMs() };
  const claims = await withFaultAsRefusal(() => deps.verifier.verify(token, of));
  if (claims === null) throw refuse("The signature, issuer, audience or time is wrong.");
  const logout = readLogout(claims);
  if (typeof logout === "string") throw refuse(logout);
  const by = { organizationId, actor: { type: "directory", id }, origin };
  await auditedTransactionByActor(deps, by, async (tx) => {
    const isNew = await useLogoutToken(tx, {
      directory_id: id,
      token_id_hash: hashSecret(logout.tokenId),
      expires_at: new Date(logout.expiresAtMs),
    });
    if (!isNew) throw refuse("The token was used before.");
    const target = { ...logout, directoryId: id };
    await endPendingSignIns(tx, target);
    const ended = await endProviderSessions(tx, target);
    const audit = ended.map(
      ({ memberId, sessions }): AuditEntry => ({
        event: "directory.signed_out",
        subject: { type: "member", id: memberId },
        workspaceId: null,
        before: null,
        after: { directory_id: id, ended_sessions: sessions },
      }),
    );
    return { result: undefined, audit: audit.length === 0 ? "unchanged" : audit };
  });
  await refundAttempt(deps.database, attempt);
  deps.background.run(() => deleteExpiredLogouts(deps.database, new Date(deps.nowMs())));
}

async function withFaultAsRefusal<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProviderFault)) throw error;
    throw new ApiError("directory_unavailable", `The provider failed. ${error.reason}`);
  }
}

function refuse(reason: string): ApiError {
  return new ApiError("directory_logout_invalid", `The logout token is invalid. ${reason}`);
}
