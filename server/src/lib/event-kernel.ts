import { assert } from "./assert.ts";
import { eventKernelCode } from "./event-kernel-code.ts";
import { loadKernel } from "./load-kernel.ts";

// Skips events of a stream in WebAssembly. Nearly all events of a response differ only in one JSON string. The program is
// event-kernel.wat.

/** Addresses of the memory. */
const PREFIXES_AT = 128;
const WINDOW_AT = 4352;
const MAX_PREFIXES = 32;
/** A shorter beginning has too few bytes for its comparison. */
const MIN_PREFIX_BYTES = 16;
const MAX_PREFIX_BYTES = 128;
/** Bytes that one call copies at most. Small, because a chunk of mixed events needs a call for each of them. */
export const EVENT_WINDOW_BYTES = 16 * 1024;

interface Kernel {
  memory: { buffer: ArrayBuffer };
  skipEvents: (at: number, end: number, prefixAt: number, prefixBytes: number) => void;
}

/** Beginning of events of a stream, up to a JSON string. */
export interface EventPrefix {
  readonly at: number;
  readonly bytes: number;
}

const { memory, skipEvents: runKernel } = loadKernel<Kernel>(eventKernelCode);
const state = new Int32Array(memory.buffer, 0, 2);
const memoryBytes = new Uint8Array(memory.buffer);
let prefixCount = 0;

/** Adds a beginning of events. At most 32 are possible, of 16 to 128 bytes. */
export function addEventPrefix(prefix: Buffer): EventPrefix {
  const isValid = prefix.length >= MIN_PREFIX_BYTES && prefix.length <= MAX_PREFIX_BYTES;
  assert(isValid && prefixCount < MAX_PREFIXES, "the prefix has room in the kernel");
  const at = PREFIXES_AT + prefixCount++ * MAX_PREFIX_BYTES;
  prefix.copy(memoryBytes, at);
  return { at, bytes: prefix.length };
}

/** Result of `skipEvents`: the offset after the events, and the bytes of their strings without the escapes. */
export const skipped = { end: 0, textBytes: 0 };

/**
 * Skips whole events from `start` that begin with `prefix`, and sets `skipped`. After the beginning they have the rest of a
 * JSON string, two closing brackets and a blank line.
 */
export function skipEvents(bytes: Buffer, start: number, prefix: EventPrefix): void {
  const length = Math.min(bytes.length - start, EVENT_WINDOW_BYTES);
  // `set` is the faster copy, but takes all bytes.
  if (length === bytes.length) memoryBytes.set(bytes, WINDOW_AT);
  else bytes.copy(memoryBytes, WINDOW_AT, start, start + length);
  runKernel(WINDOW_AT, WINDOW_AT + length, prefix.at, prefix.bytes);
  skipped.end = start + (state[0] as number) - WINDOW_AT;
  skipped.textBytes = state[1] as number;
}
