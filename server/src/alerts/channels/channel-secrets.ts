import type { RandomBytes } from "#src/lib/ids.ts";
import { seal, unseal } from "#src/lib/seal.ts";

// The target and the signing secrets of a channel. The database stores both sealed for their channel: a copy in another row
// cannot be opened.

/** Target of a channel of any kind but e-mail. */
export type ChannelTarget =
  | { kind: "slack"; url: string }
  | { kind: "pagerduty"; routing_key: string; region: "us" | "eu" }
  | { kind: "webhook"; url: string };

export function sealTarget(sealingKey: Buffer, channelId: string, target: ChannelTarget): Buffer {
  return seal(sealingKey, JSON.stringify(target), targetSealContext(channelId));
}

/** Throws if `BURSAR_SECRET` has changed. */
export function openTarget(
  sealingKey: Buffer,
  channelId: string,
  sealed: Uint8Array,
): ChannelTarget {
  return JSON.parse(unseal(sealingKey, sealed, targetSealContext(channelId))) as ChannelTarget;
}

export const SECRET_PREFIX = "whsec_";
const SECRET_BYTES = 32;

/** A new secret in the format of Standard Webhooks. */
export function makeSigningSecret(randomBytes: RandomBytes): string {
  return SECRET_PREFIX + Buffer.from(randomBytes(SECRET_BYTES)).toString("base64");
}

export function sealSigningSecret(sealingKey: Buffer, channelId: string, secret: string): Buffer {
  return seal(sealingKey, secret, secretSealContext(channelId));
}

export function openSigningSecret(
  sealingKey: Buffer,
  channelId: string,
  sealed: Uint8Array,
): string {
  return unseal(sealingKey, sealed, secretSealContext(channelId));
}

export function targetSealContext(channelId: string): string {
  return `alert channel target ${channelId}`;
}

export function secretSealContext(channelId: string): string {
  return `alert channel secret ${channelId}`;
}
