/** What came of a call of better-auth. A refusal is an answer: what was written for it, a counted attempt say, stays. */
export type AuthOutcome<Value> =
  | { kind: "done"; value: Value; cookies: string[] }
  | { kind: "refused"; code: string };

/** Its answer with 500 to whatever an authenticator should not have sent. */
const UNREADABLE_PASSKEY = "FAILED_TO_VERIFY_REGISTRATION";

/** Runs one `auth.api` call that was asked for its headers. Throws what is no refusal. */
export async function callAuth<Value>(
  call: Promise<{ headers?: Headers | null | undefined; response: Value }>,
): Promise<AuthOutcome<Value>> {
  try {
    const { headers, response } = await call;
    return { kind: "done", value: response, cookies: headers?.getSetCookie() ?? [] };
  } catch (error) {
    const { isAPIError } = await import("better-auth/api");
    if (!isAPIError(error)) throw error;
    const code = error.body?.code ?? String(error.status);
    if (error.statusCode >= 500 && code !== UNREADABLE_PASSKEY) throw causeOf(error);
    return { kind: "refused", code };
  }
}

/** A lost connection to the database must not look like a fault of ours. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
