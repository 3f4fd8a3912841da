import type { Socket } from "node:net";
import type { DatabasePlace } from "#src/db/storage.ts";
import { acceptConnections } from "#src/http/listen.ts";

/** Data that the supervisor passes to one of several processes. */
export interface ProcessShare {
  /** 1 is the first. */
  index: number;
  database: DatabasePlace;
  /** Address of the supervisor's listener. */
  url: string;
  /** Registers the function that accepts connections from the supervisor. */
  acceptInto(accept: (connection: Socket) => void): void;
  /** Returns the metrics of all processes, given those of this one. */
  collectMetrics(own: string): Promise<string>;
}

/** Part of one of several processes in the supervisor's port. */
export function joinListener(share: ProcessShare, served: Parameters<typeof acceptConnections>[0]) {
  const acceptor = acceptConnections(served);
  share.acceptInto(acceptor.accept);
  return { url: share.url, close: acceptor.close };
}
