import { seal, unseal } from "#src/lib/seal.ts";
import { receiverSealContext } from "./receiver-url.rule.ts";

/** Names and values of headers that each export to a receiver has. */
export type ReceiverHeaders = Readonly<Record<string, string>>;

interface SealedFor {
  id: string;
  url: string;
}

export function sealHeaders(
  sealingKey: Buffer,
  { id, url }: SealedFor,
  headers: ReceiverHeaders,
): Buffer {
  return seal(sealingKey, JSON.stringify(headers), receiverSealContext(id, url));
}

/** Opens the headers of a receiver. Null: they were sealed with another secret, or for another row or origin. */
export function openHeaders(
  sealingKey: Buffer,
  { id, url, headers_sealed }: SealedFor & { headers_sealed: Uint8Array | null },
): ReceiverHeaders | null {
  if (headers_sealed === null) return {};
  try {
    const text = unseal(sealingKey, headers_sealed, receiverSealContext(id, url));
    return JSON.parse(text) as ReceiverHeaders;
  } catch {
    return null;
  }
}
