import { afterAll, beforeAll, beforeEach } from "vitest";
import {
  type ServerOptions,
  type ServerProcess,
  startServer,
  stopAllServers,
} from "#test/harness/server-process.ts";
import { type RecordedRequest, startRecordingRelay } from "./recording-relay.ts";

export interface ServerForClients {
  server: ServerProcess;
  /** Address for clients. Requests to it are recorded. */
  url: string;
  /** Returns Messages requests of the running test, by time of their response. */
  takeMessages(): RecordedRequest[];
}

/** Starts a server for the tests of a file, with the simulator by default. Its members exist once the tests run. */
export function useServer(options: ServerOptions = {}): ServerForClients {
  const used: Partial<ServerForClients & { close(): Promise<void> }> = {};
  beforeAll(async () => {
    const server = await startServer(options);
    Object.assign(used, { server }, await startRecordingRelay(server.url));
  });
  beforeEach(() => {
    used.takeMessages?.();
  });
  afterAll(async () => {
    await used.close?.();
    await stopAllServers();
  });
  return used as ServerForClients;
}
