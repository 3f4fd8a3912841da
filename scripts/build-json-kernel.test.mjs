import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kernelCodeFile, makeKernelCode } from "./build-json-kernel.mjs";

test("the code of the JSON kernel is assembled from its source", async () => {
  expect(readFileSync(kernelCodeFile, "utf8")).toBe(await makeKernelCode());
});
