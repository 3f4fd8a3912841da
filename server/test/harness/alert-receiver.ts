import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An http server on loopback that keeps what alert channels send to it: a Slack and a webhook, by their paths. */
export interface AlertReceiver {
  origin: string;
  /** In the order they came, also those whose answers are held back. */
  received: ReceivedAlert[];
  /** Until `release`, nothing is answered. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

export interface ReceivedAlert {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  atMs: number;
}

export async function startAlertReceiver(): Promise<AlertReceiver> {
  let held: ServerResponse[] | null = null;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { url: path = "", headers } = request;
      const body = Buffer.concat(chunks).toString("utf8");
      receiver.received.push({ path, headers, body, atMs: Date.now() });
      if (held === null) response.end();
      else held.push(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const receiver: AlertReceiver = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    hold: () => {
      held ??= [];
    },
    release: () => {
      for (const response of held ?? []) response.end();
      held = null;
    },
    close: async () => {
      receiver.release();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return receiver;
}
