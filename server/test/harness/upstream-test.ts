import { test as base } from "vitest";
import { startFakeUpstream } from "./fake-upstream.ts";

/** Tests with a fake upstream that all tests of a file share. */
export const test = base.extend("upstream", { scope: "file" }, async ({}, { onCleanup }) => {
  const upstream = await startFakeUpstream();
  onCleanup(() => upstream.close());
  return upstream;
});
