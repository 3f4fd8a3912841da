import { createHmac } from "node:crypto";
import { assert } from "#src/lib/assert.ts";
import { SECRET_PREFIX } from "./channel-secrets.ts";

/** The least that Standard Webhooks asks of a secret. An empty one would sign for everybody. */
const MIN_SECRET_BYTES = 24;

/**
 * The headers of a signed message (https://www.standardwebhooks.com): a signature of each secret, the newest first. The
 * time is that of the attempt, the id that of the message.
 */
export function signWebhook(
  secrets: readonly string[],
  { id, atMs, body }: { id: string; atMs: number; body: string },
): Record<string, string> {
  assert(secrets.length > 0, "a webhook has a secret");
  const timestamp = String(Math.floor(atMs / 1_000));
  const signatures = secrets.map((secret) => {
    assert(secret.startsWith(SECRET_PREFIX), "a secret of a webhook is one");
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
    assert(key.length >= MIN_SECRET_BYTES, "a secret of a webhook is long enough");
    const content = `${id}.${timestamp}.${body}`;
    return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
