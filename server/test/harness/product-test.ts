import { test as base } from "vitest";
import { startServer, stopAllServers } from "./server-process.ts";

/** Tests that share a server with the simulator in each file. */
export const test = base.extend("server", { scope: "file" }, async ({}, { onCleanup }) => {
  onCleanup(stopAllServers);
  return await startServer();
});
