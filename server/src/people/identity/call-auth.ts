/** Outcome of a better-auth call. A refusal commits its writes, such as a counted attempt. */
export type AuthOutcome<Value> =
  | { kind: "done"; value: Value; cookies: string[] }
  | { kind: "refused"; code: string };

/** Code of better-auth's 500 response to malformed passkey data. */
const UNREADABLE_PASSKEY = "FAILED_TO_VERIFY_REGISTRATION";

/** Runs an `auth.api` call that returns its headers. Rethrows every error that is not a refusal. */
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

/** Unwraps the cause, so that a lost database connection is not reported as a bug. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
