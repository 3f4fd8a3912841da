// `node scripts/build-kernels.mjs` assembles server/src/lib/*-kernel.wat into *-kernel-code.ts.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import makeWabt from "wabt";
import { root } from "./runtime.mjs";

const folder = join(root, "server/src/lib");
export const kernels = ["json", "event", "head"];

export const codeFileOf = (kernel) => join(folder, `${kernel}-kernel-code.ts`);

/** Returns the text of the code file of a kernel for its current source. */
export async function makeKernelCode(kernel) {
  const wabt = await makeWabt();
  const name = `${kernel}-kernel.wat`;
  const module = wabt.parseWat(name, readFileSync(join(folder, name), "utf8"), { simd: true });
  try {
    module.validate();
    const text = Buffer.from(module.toBinary({}).buffer).toString("base64");
    const lines = (text.match(/.{1,90}/g) ?? []).map((line) => `"${line}"`);
    return [
      `/** Code of ${name} in base64, written by scripts/build-kernels.mjs. */`,
      `export const ${kernel}KernelCode =`,
      `  ${lines.join(" +\n  ")};`,
      "",
    ].join("\n");
  } finally {
    module.destroy();
  }
}

if (import.meta.main) {
  for (const kernel of kernels) writeFileSync(codeFileOf(kernel), await makeKernelCode(kernel));
}
