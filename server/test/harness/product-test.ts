import { test as base } from "vitest";
import { startServer, stopAllServers } from "./server-process.ts";

/** Tests of a whole server with the simulator, which all tests of a file share. */
export const test = base.extend("server", { scope: "file" }, async ({}, { onCleanup }) => {
  onCleanup(stopAllServers);
  return await startServer();
});
