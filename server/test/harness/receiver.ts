import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** An external server on loopback that receives messages. Stores them in order of arrival. */
export interface Receiver {
  /** `http://127.0.0.1:<port>`. */
  origin: string;
  port: number;
  received: ReceivedMessage[];
  /** Responds to the next requests, until replaced. */
  answer: (response: ServerResponse, message: ReceivedMessage) => void;
  /** Holds all responses until `release`. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

export interface ReceivedMessage {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Starts a receiver that responds with 200. */
export async function startReceiver({ host = "127.0.0.1", port = 0 } = {}): Promise<Receiver> {
  let held: (() => void)[] | null = null;
  const server = createServer((request, response) => void serve(request, response));
  server.listen(port, host);
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  const receiver: Receiver = {
    origin: `http://${host}:${bound}`,
    port: bound,
    received: [],
    answer: answerWith(200),
    hold: () => {
      held ??= [];
    },
    release: () => {
      for (const answer of held ?? []) answer();
      held = null;
    },
    async close() {
      receiver.release();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const message: ReceivedMessage = {
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(chunks).toString("utf8"),
    };
    receiver.received.push(message);
    if (held === null) receiver.answer(response, message);
    else held.push(() => receiver.answer(response, message));
  }

  return receiver;
}

export function answerWith(
  status: number,
  { text = "", headers = {} }: { text?: string; headers?: Record<string, string> } = {},
): Receiver["answer"] {
  return (response) => {
    response.writeHead(status, headers);
    response.end(text);
  };
}
