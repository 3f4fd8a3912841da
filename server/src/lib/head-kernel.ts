import { headKernelCode } from "./head-kernel-code.ts";
import { loadKernel } from "./load-kernel.ts";

// Finds the fields of a usual head of HTTP/1.1 in WebAssembly, in a third of the time. The program is head-kernel.wat.

/** Address of the bytes in the memory. */
const WINDOW_AT = 4352;
/** Bytes that one call copies at most. A longer head is rare, and a copy of more bytes would cost each call time. */
const WINDOW_BYTES = 4096;
/** Most fields of a usual head. */
const MAX_FIELDS = 500;

interface Kernel {
  memory: { buffer: ArrayBuffer };
  findFields: (start: number, at: number, end: number, most: number) => number;
}

const { memory, findFields } = loadKernel<Kernel>(headKernelCode);
const window = Buffer.from(memory.buffer, WINDOW_AT, WINDOW_BYTES);

/**
 * Positions that `findUsualFields` found, counted from its `start`. Each name and each value has its start, and the end of
 * the last line follows.
 */
export const positions = new Int32Array(memory.buffer, 0, 2 * MAX_FIELDS + 1);

/**
 * Finds the fields from `from` to the empty line of a head that begins at `start`. Returns the number of positions. 0: the
 * head is incomplete or unusual. Usual names have only letters, `0-9` and `-`. Usual lines are `name: value` in its shortest
 * form, without a tab. A usual head has at most 4 KB.
 */
export function findUsualFields(bytes: Buffer, start: number, from: number): number {
  const length = Math.min(bytes.length - start, WINDOW_BYTES);
  bytes.copy(window, 0, start, start + length);
  return findFields(WINDOW_AT, WINDOW_AT + from - start, WINDOW_AT + length, 2 * MAX_FIELDS);
}

/**
 * Returns the first `length` bytes of the head that `findUsualFields` read last, one character for each. The names of its
 * fields are in lower case.
 */
export function readUsualHead(length: number): string {
  return window.toString("latin1", 0, length);
}
