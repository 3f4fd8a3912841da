import { test as base } from "vitest";
import { startAlerting } from "./alert-channels.ts";

/** Tests of alerts and their channels. All tests of a file share the server, the receiver and the organization. */
export const test = base.extend("a", { scope: "file" }, async ({}, { onCleanup }) => {
  const a = await startAlerting();
  onCleanup(() => a.close());
  return a;
});
