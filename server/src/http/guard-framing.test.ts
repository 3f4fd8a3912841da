import { once } from "node:events";
import type { RequestListener } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientCall } from "#src/http1/client-call.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { listen } from "./listen.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Starts a listener that responds to each request at once. `served` has their targets. */
async function start(reader: "node" | "sockets") {
  const served: string[] = [];
  const onRequest: RequestListener = (request, response) => {
    served.push(request.url ?? "");
    response.end();
  };
  const sockets = {
    turnEnd: makeTurnEnd(),
    handles: (_: string, target: string) => target.startsWith("/v1/"),
    handle: (call: ClientCall) => {
      served.push(call.target);
      call.writeHead(200, FieldLines.fromList(["content-length", "0"]));
      call.end();
    },
  };
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    tls: null,
    onRequest,
    onCheckContinue: onRequest,
    sockets: reader === "sockets" ? sockets : null,
  });
  closing.push(() => listener.close(Promise.resolve()));
  return { served, port: Number(new URL(listener.url).port) };
}

/** Sends bytes and reads until the server closes the connection. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text, "latin1");
  let received = "";
  socket.on("data", (chunk) => {
    received += String(chunk);
  });
  await once(socket, "close");
  return received;
}

const HIDDEN = "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";
const BODY = "5\r\nhello\r\n0\r\n\r\n";
const shapes: [string, string][] = [
  ["two Host fields", "GET {} HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"],
  ["the same Host twice", "GET {} HTTP/1.1\r\nHost: a\r\nHOST: a\r\n\r\n"],
  ["HTTP/2.0 on a plain line", "GET {} HTTP/2.0\r\nhost: a\r\n\r\n"],
  [
    "a coding before chunked",
    `POST {} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n${BODY}`,
  ],
  [
    "a coding before chunked in a field of its own",
    `POST {} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n${BODY}`,
  ],
  [
    "chunked twice",
    `POST {} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n${BODY}`,
  ],
  [
    "a transfer coding in HTTP/1.0",
    `POST {} HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${BODY}`,
  ],
  [
    "two Host fields before 100 Continue",
    "POST {} HTTP/1.1\r\nhost: a\r\nhost: b\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
  ],
];

describe.each(["node", "sockets"] as const)("over %s", (reader) => {
  test.each(shapes)("%s is a 400, and nothing after it is served", async (_, shape) => {
    for (const target of ["/", "/v1/messages"]) {
      const { port, served } = await start(reader);
      const text = await exchange(port, shape.replace("{}", target) + HIDDEN);
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(text).toMatch(/\r\nconnection: close\r\n/i);
      expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
      expect(text).toContain('"error_code":"invalid_http"');
      expect(served).toEqual([]);
    }
  });

  test("a fault after a valid request gets the second response", async () => {
    const { port, served } = await start(reader);
    const valid = "GET /v1/first HTTP/1.1\r\nhost: a\r\n\r\n";
    const text = await exchange(
      port,
      `${valid}GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n${HIDDEN}`,
    );
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 400"]);
    expect(served).toEqual(["/v1/first"]);
  });

  test("HTTP/1.0 and chunked bodies are served", async () => {
    const { port, served } = await start(reader);
    await exchange(port, "GET /old HTTP/1.0\r\nhost: a\r\n\r\n");
    const chunked =
      "POST /v1/chunked HTTP/1.1\r\nhost: a\r\nconnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n";
    await exchange(port, chunked + BODY);
    expect(served).toEqual(["/old", "/v1/chunked"]);
  });
});
