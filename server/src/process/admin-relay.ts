import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";

// One admin socket for all processes of a data folder. Connections are relayed to the socket of a ready process.

export interface AdminRelay {
  close(): Promise<void>;
}

/**
 * Listens on `socketPath` with mode 0600. Every user that can open it acts as the local operator. `choose` returns the
 * socket of a ready process, or null. The caller holds the lock of the data folder, so an existing socket file is
 * stale.
 */
export async function relayAdminSocket(
  socketPath: string,
  choose: () => string | null,
): Promise<AdminRelay> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = choose();
    if (target === null) return client.destroy();
    const gateway = connect({ path: target, allowHalfOpen: true });
    for (const [from, to] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      open.add(from);
      from.on("error", () => undefined); // "close" follows
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    return undefined;
  });
  if (process.platform !== "win32") rmSync(socketPath, { force: true });
  // The umask applies while the file is created. With a later chmod other users could connect for a moment.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path: socketPath }, resolve);
    });
  } finally {
    process.umask(mask);
  }
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
