import { createHmac } from "node:crypto";
import { assert } from "#src/lib/assert.ts";
import { SECRET_PREFIX } from "./channel-secrets.ts";

/** Minimum of Standard Webhooks. Anyone could forge the signature of an empty secret. */
const MIN_SECRET_BYTES = 24;

/**
 * Returns the headers of a signed message (https://www.standardwebhooks.com), with one signature for each secret, newest
 * first. `id` is the message's id, and `atMs` the time of the attempt.
 */
export function signWebhook(
  secrets: readonly string[],
  { id, atMs, body }: { id: string; atMs: number; body: string },
): Record<string, string> {
  assert(secrets.length > 0, "a webhook has a secret");
  const timestamp = String(Math.floor(atMs / 1_000));
  const signatures = secrets.map((secret) => {
    assert(secret.startsWith(SECRET_PREFIX), "a signing secret has its prefix");
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
    assert(key.length >= MIN_SECRET_BYTES, "a signing secret is long enough");
    const content = `${id}.${timestamp}.${body}`;
    return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
