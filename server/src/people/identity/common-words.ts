import { readFile } from "node:fs/promises";
import type { WordRanks } from "./password-strength.rule.ts";

let loading: Promise<WordRanks> | undefined;

/** Common passwords and words with their ranks. The first new password loads them: 3 MB, 20 ms. */
export function loadCommonWords(): Promise<WordRanks> {
  loading ??= readCommonWords().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function readCommonWords(): Promise<WordRanks> {
  const text = await readFile(new URL("./common-passwords.txt", import.meta.url), "utf8");
  const words = text.split("\n").filter((line) => line !== "" && !line.startsWith("# "));
  return new Map(words.map((word, rank) => [word, rank]));
}
