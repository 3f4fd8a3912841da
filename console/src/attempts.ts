import { useRef } from "react";
import { type Answer, call, type Input, type Operation } from "./api-client.ts";

/**
 * Returns a function that sends a change. A repeated input has the same idempotency key, so that a retry cannot change
 * data twice. Another input, or a success, starts a new key.
 */
export function useAttempts<O extends Operation>(
  operation: O,
): (input: Input<O>) => Promise<Answer<O>> {
  const attempt = useRef<{ input: string; key: string } | null>(null);
  return async (input) => {
    const text = JSON.stringify(input);
    if (attempt.current?.input !== text) {
      attempt.current = { input: text, key: makeIdempotencyKey() };
    }
    const answer = await call(operation, input, { idempotencyKey: attempt.current.key });
    attempt.current = null;
    return answer;
  };
}

/** `crypto.randomUUID` needs a secure origin, but the console can run on plain HTTP in a private network. */
export function makeIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
