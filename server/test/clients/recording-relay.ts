import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

/** One request that a client sent, and the status of its answer. */
export interface RecordedRequest {
  method: string;
  /** Path and query. */
  path: string;
  status: number;
}

export interface RecordingRelay {
  url: string;
  /** Returns Messages requests since the last call, by time of their response. */
  takeMessages(): RecordedRequest[];
  close(): Promise<void>;
}

/** Messages of the Claude API, of Bedrock's InvokeModel, and of Vertex AI. */
const MESSAGE_PATHS =
  /^\/v1\/messages(?:\?|$)|\/invoke(?:-with-response-stream)?$|:(?:rawP|streamRawP)redict/;

/** Passes requests on to `target` and records them, including refused ones. */
export async function startRecordingRelay(target: string): Promise<RecordingRelay> {
  const recorded: RecordedRequest[] = [];
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const onward = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      recorded.push({ method, path, status: answer.statusCode ?? 0 });
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      pipeline(answer, outgoing, () => undefined);
    });
    onward.on("error", () => outgoing.destroy());
    pipeline(incoming, onward, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeMessages: () => recorded.splice(0).filter(({ path }) => MESSAGE_PATHS.test(path)),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
