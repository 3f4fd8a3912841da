import { jsonKernelCode } from "./json-kernel-code.ts";
import { loadKernel } from "./load-kernel.ts";

// Skips JSON values in WebAssembly, which compares 16 bytes of a string at a time. The program is json-kernel.wat. The
// text passes through a window of the kernel's memory, so that a prompt of 32 MB needs no second copy.

/** Addresses of the memory. */
const MISSING_TEXT_AT = 544;
const TEXTS_AT = 1024;
const WINDOW_AT = 5120;
/** Short texts in the kernel, such as keys and names of types. Longer ones are not looked up. */
const TEXTS = 256;
const TEXT_BYTES = 16;
/** Size of the window. The kernel can load 80 bytes beyond it. */
export const KERNEL_WINDOW_BYTES = 2 * 65_536 - WINDOW_AT - 80;
/** Mode of the kernel before a value. */
const AT_VALUE = 0;
/** Result of the kernel: the value has ended. */
const ENDED = 0;

interface Kernel {
  memory: { buffer: ArrayBuffer };
  skip: (at: number, end: number, mode: number, open: number, room: number) => number;
  readText: (at: number, end: number) => number;
  readKey: (at: number, end: number, isFirst: number) => number;
}

const { memory, skip, readText, readKey } = loadKernel<Kernel>(jsonKernelCode);
const state = new Int32Array(memory.buffer, 0, 3);
const memoryBytes = new Uint8Array(memory.buffer);
/** Strings of the short texts in the kernel. */
const texts = new Array<string>(TEXTS).fill("");

/** Part of a text in the window. The number of its owner instead of the text, so that no body stays in memory. */
const loaded = { owner: 0, start: 0, end: 0 };
let lastOwner = 0;

/** Returns a number for a reader of one text. The window belongs to one owner at a time. */
export function newKernelOwner(): number {
  return ++lastOwner;
}

/** Result of a read: the offset after it, and for a short text its string. Valid until the next read. */
export const found = { end: 0, text: "" };

/**
 * Skips one value of UTF-8 text and returns the offset after it. `room` is the highest number of open brackets.
 * Returns -1 for an invalid value. Also for two rare valid ones: a number at the end of the text, and one longer than the window.
 */
export function skipInKernel(owner: number, bytes: Buffer, start: number, room: number): number {
  let at = start;
  let mode = AT_VALUE;
  let open = 0;
  if (!isLoaded(owner, at)) load(owner, bytes, at);
  for (;;) {
    const toText = loaded.start - WINDOW_AT;
    const result = skip(at - toText, loaded.end - toText, mode, open, room);
    at = (state[0] as number) + toText;
    if (result === ENDED) return at;
    // An error, or the end of the window. In a later window an error is found again.
    if (loaded.end === bytes.length || at === loaded.start) return -1;
    mode = state[1] as number;
    open = state[2] as number;
    load(owner, bytes, at);
  }
}

/**
 * Reads a string of at most 15 bytes without an escape, and sets `found`. False for all other values, and near the end of
 * the window.
 */
export function readTextInKernel(owner: number, bytes: Buffer, start: number): boolean {
  if (!isLoaded(owner, start)) load(owner, bytes, start);
  const toText = loaded.start - WINDOW_AT;
  const result = readText(start - toText, loaded.end - toText);
  if (result < 0) return false;
  found.end = (state[0] as number) + toText;
  found.text = textOf(result);
  return true;
}

/**
 * Reads from `start` in an object to the value of the next key, and sets `found`. Returns "end" after the closing bracket,
 * and "unread" where `readTextInKernel` would return false, or for an error.
 */
export function readKeyInKernel(
  owner: number,
  bytes: Buffer,
  start: number,
  isFirst: boolean,
): "key" | "end" | "unread" {
  if (!isLoaded(owner, start)) load(owner, bytes, start);
  const toText = loaded.start - WINDOW_AT;
  const result = readKey(start - toText, loaded.end - toText, isFirst ? 1 : 0);
  if (result === -1) return "unread";
  found.end = (state[0] as number) + toText;
  if (result < 0) return "end";
  found.text = textOf(result);
  return "key";
}

/** String of a short text, which replaces another if it is new. */
function textOf(result: number): string {
  if (result < TEXTS) return texts[result] as string;
  const at = TEXTS_AT + (result - TEXTS) * TEXT_BYTES;
  memoryBytes.copyWithin(at, MISSING_TEXT_AT, MISSING_TEXT_AT + TEXT_BYTES);
  const unused = memoryBytes.indexOf(0, at);
  const text = Buffer.from(memory.buffer, at, unused - at).toString("utf8");
  texts[result - TEXTS] = text;
  return text;
}

function isLoaded(owner: number, at: number): boolean {
  return owner === loaded.owner && at >= loaded.start && at < loaded.end;
}

function load(owner: number, bytes: Buffer, start: number): void {
  const end = Math.min(bytes.length, start + KERNEL_WINDOW_BYTES);
  bytes.copy(memoryBytes, WINDOW_AT, start, end);
  loaded.owner = owner;
  loaded.start = start;
  loaded.end = end;
}
