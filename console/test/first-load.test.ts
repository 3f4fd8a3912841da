import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { root } from "../../server/test/harness/server-process.ts";

const MAX_FIRST_LOAD_BYTES = 250_000;
/** The entry with all its modules, the runtime of the bundler, and the styles. */
const FIRST_LOAD_FILES = 3;

test("the first visit loads at most 250 kB: gzipped scripts and styles, and all fonts", () => {
  const built = join(root, "console", "dist");
  const document = readFileSync(join(built, "index.html"));
  const loaded = [...document.toString().matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)];
  const texts = loaded
    .map(([, path = ""]) => path)
    .filter((path) => !path.endsWith(".woff2"))
    .map((path) => readFileSync(join(built, path)));
  const fonts = readdirSync(join(built, "assets")).filter((name) => name.endsWith(".woff2"));
  expect(fonts.length).toBe(2);
  expect(texts.length).toBe(FIRST_LOAD_FILES);
  const bytes =
    [document, ...texts].reduce((sum, text) => sum + gzipSync(text).length, 0) +
    fonts.reduce((sum, font) => sum + readFileSync(join(built, "assets", font)).length, 0);
  expect(bytes).toBeLessThanOrEqual(MAX_FIRST_LOAD_BYTES);
});
