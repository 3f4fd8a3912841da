// `node scripts/build-json-kernel.mjs` assembles server/src/lib/json-kernel.wat into json-kernel-code.ts.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import makeWabt from "wabt";
import { root } from "./runtime.mjs";

const folder = join(root, "server/src/lib");
export const kernelCodeFile = join(folder, "json-kernel-code.ts");

/** Returns the text of json-kernel-code.ts for the current source. */
export async function makeKernelCode() {
  const wabt = await makeWabt();
  const source = readFileSync(join(folder, "json-kernel.wat"), "utf8");
  const module = wabt.parseWat("json-kernel.wat", source, { simd: true });
  try {
    module.validate();
    const text = Buffer.from(module.toBinary({}).buffer).toString("base64");
    const lines = (text.match(/.{1,90}/g) ?? []).map((line) => `"${line}"`);
    return [
      "/** Code of json-kernel.wat in base64, written by scripts/build-json-kernel.mjs. */",
      "export const jsonKernelCode =",
      `  ${lines.join(" +\n  ")};`,
      "",
    ].join("\n");
  } finally {
    module.destroy();
  }
}

if (import.meta.main) writeFileSync(kernelCodeFile, await makeKernelCode());
