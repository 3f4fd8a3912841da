import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codeFileOf, kernels, makeKernelCode } from "./build-kernels.mjs";

test.each(kernels)("the code of the %s kernel is assembled from its source", async (kernel) => {
  expect(readFileSync(codeFileOf(kernel), "utf8")).toBe(await makeKernelCode(kernel));
});
