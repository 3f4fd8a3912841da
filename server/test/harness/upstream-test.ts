import { test as base } from "vitest";
import { startFakeUpstream } from "./fake-upstream.ts";

/** Tests that share a fake upstream in each file. */
export const test = base.extend("upstream", { scope: "file" }, async ({}, { onCleanup }) => {
  const upstream = await startFakeUpstream();
  onCleanup(() => upstream.close());
  return upstream;
});
