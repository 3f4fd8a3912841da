import { hash } from "node:crypto";
import type { PromptBlock } from "./count-tokens.ts";

// Imitates the prompt cache of the API. A prefix up to a breakpoint is written the first time, and read when it is
// repeated in time. Only hashes are stored.

/** Tokens of one prompt by their cache result. The parts sum to the prompt. */
export interface CachedPrompt {
  input: number;
  cacheRead: number;
  cacheWrite5m: number;
  cacheWrite1h: number;
}

export interface PromptCache {
  /** Looks a prompt up and stores its prefixes. */
  use(model: string, blocks: readonly PromptBlock[], nowMs: number): CachedPrompt;
}

/** Minimum size of a cached prefix, as for most models of the API. */
export const MIN_CACHED_TOKENS = 1_024;
/** Number of blocks before a breakpoint in which an older prefix is searched. */
const LOOKBACK_BLOCKS = 20;
const TTL_MS = { "5m": 5 * 60_000, "1h": 60 * 60_000 };

interface Entry {
  ttlMs: number;
  expiresAtMs: number;
}

/** Creates a cache with at most `maxPrefixes`. The least recently used are removed first. */
export function makePromptCache(maxPrefixes = 10_000): PromptCache {
  const prefixes = new Map<string, Entry>();

  function isStored(key: string, nowMs: number): boolean {
    const entry = prefixes.get(key);
    return entry !== undefined && entry.expiresAtMs > nowMs;
  }

  function storePrefix(key: string, ttlMs: number, nowMs: number): void {
    prefixes.delete(key);
    prefixes.set(key, { ttlMs, expiresAtMs: nowMs + ttlMs });
    if (prefixes.size <= maxPrefixes) return;
    for (const oldest of prefixes.keys()) {
      prefixes.delete(oldest);
      return;
    }
  }

  return {
    use(model, blocks, nowMs) {
      const { keys, ends, total } = prefixesOf(model, blocks);
      const breakpoints = keys
        .map((_, i) => i)
        .filter((i) => {
          return blocks[i]?.ttl != null && (ends[i] ?? 0) >= MIN_CACHED_TOKENS;
        });
      const hit = findHit(breakpoints, (i) => isStored(keys[i] ?? "", nowMs));
      const used = {
        input: total,
        cacheRead: hit === -1 ? 0 : (ends[hit] ?? 0),
        cacheWrite5m: 0,
        cacheWrite1h: 0,
      };
      const hitKey = keys[hit];
      if (hitKey !== undefined) storePrefix(hitKey, prefixes.get(hitKey)?.ttlMs ?? 0, nowMs); // a read renews the entry
      let from = used.cacheRead;
      for (const i of breakpoints) {
        const ttl = blocks[i]?.ttl === "1h" ? "1h" : "5m";
        if (i > hit) {
          if (ttl === "1h") used.cacheWrite1h += (ends[i] ?? 0) - from;
          else used.cacheWrite5m += (ends[i] ?? 0) - from;
          from = ends[i] ?? from;
          storePrefix(keys[i] ?? "", TTL_MS[ttl], nowMs);
        }
      }
      used.input = total - from;
      return used;
    },
  };
}

/** Keys of the prefixes up to the last breakpoint, and the tokens up to the end of each. */
function prefixesOf(model: string, blocks: readonly PromptBlock[]) {
  const last = blocks.findLastIndex((block) => block.ttl !== null);
  const keys: string[] = [];
  const ends: number[] = [];
  let key = model;
  let end = 0;
  for (const [i, block] of blocks.entries()) {
    end += block.tokens;
    if (i > last) continue;
    key = hash("sha1", `${key}\n${block.identity()}`, "base64");
    keys.push(key);
    ends.push(end);
  }
  return { keys, ends, total: end };
}

/** Finds the longest stored prefix at a breakpoint or shortly before one, or -1. */
function findHit(breakpoints: readonly number[], isStored: (index: number) => boolean): number {
  for (const breakpoint of breakpoints.toReversed()) {
    const first = Math.max(0, breakpoint - LOOKBACK_BLOCKS);
    for (let i = breakpoint; i >= first; i--) if (isStored(i)) return i;
  }
  return -1;
}
