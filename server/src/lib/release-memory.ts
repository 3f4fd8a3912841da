/** Smaller memory is left to the garbage collector, which costs less. */
const MIN_RELEASED_BYTES = 16 * 1024;

/**
 * Frees the memory of bytes that no other code uses, before the garbage collector does. The bytes are empty afterwards.
 * Without it, V8 marks its whole heap several times a second while large bodies arrive. Bytes with less than half of
 * their memory stay, because Node's pool of small buffers is shared.
 */
export function releaseMemory(bytes: Buffer): void {
  const { buffer } = bytes;
  if (buffer.byteLength < MIN_RELEASED_BYTES || 2 * bytes.length < buffer.byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Allocates bytes that `releaseMemory` can free. Their content is random. */
export function allocateOwned(length: number): Buffer {
  return length < MIN_RELEASED_BYTES ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length);
}

/** Joins parts that no other code uses, and frees their memory. */
export function joinOwned(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = allocateOwned(length);
  let at = 0;
  for (const part of parts) at += part.copy(whole, at);
  parts.forEach(releaseMemory);
  return whole;
}
