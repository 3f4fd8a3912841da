import { connect as connectPlain, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { UpstreamError } from "./upstream-error.ts";

/** A proxy that opens tunnels (RFC 9110 §9.3.6). */
export interface TunnelProxy {
  /** `http:` or `https:` URL without user and password. */
  origin: string;
  /** Value of `proxy-authorization`. Null: none. */
  authorization: string | null;
  /** Resolves the name of the proxy with each connection. Default: the system's. */
  lookup?: LookupFunction;
}

/** Longest head of the proxy's answer. */
const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = "\r\n\r\n";

/**
 * Opens a tunnel to a host through a proxy. Calls `done` once with its socket, or with an error. Returns the socket to the
 * proxy, which the caller destroys to stop. `authority`: host and port of the target.
 */
export function openTunnel(
  proxy: TunnelProxy,
  authority: string,
  done: (result: Socket | Error) => void,
): Socket {
  const { socket, readyEvent } = connectToProxy(proxy);
  let head = "";
  const finish = (result: Socket | Error) => {
    socket.off("data", onData).off("error", finish).off("close", onClose);
    if (result instanceof Error) {
      socket.on("error", ignore).destroy();
    }
    done(result);
  };
  const onClose = () => finish(makeTunnelError("the proxy closed the connection"));
  const onData = (chunk: Buffer) => {
    head += chunk.toString("latin1");
    const end = head.indexOf(HEAD_END);
    if (end === -1) {
      if (head.length > MAX_HEAD_BYTES) finish(makeTunnelError("the proxy's answer is too long"));
      return;
    }
    const status = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(head)?.[1];
    // A proxy that sends more has not connected the target, which speaks only after the client.
    if (status === "200" && head.length === end + HEAD_END.length) finish(socket);
    else finish(makeTunnelError(`the proxy answered ${status ?? "in an unknown form"}`));
  };
  socket.on("data", onData).once("error", finish).once("close", onClose);
  socket.once(readyEvent, () => socket.write(formatConnect(proxy, authority), "latin1"));
  return socket;
}

function connectToProxy({ origin, lookup }: TunnelProxy): {
  socket: Socket;
  readyEvent: "connect" | "secureConnect";
} {
  const url = new URL(origin);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = url.protocol === "https:";
  const target = {
    host,
    port: Number(url.port || (isTls ? 443 : 80)),
    noDelay: true,
    keepAlive: true,
    ...(lookup !== undefined && { lookup }),
  };
  if (!isTls) return { socket: connectPlain(target), readyEvent: "connect" };
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return { socket: connectTls({ ...target, ...servername }), readyEvent: "secureConnect" };
}

function formatConnect({ authorization }: TunnelProxy, authority: string): string {
  const credential = authorization === null ? "" : `proxy-authorization: ${authorization}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${credential}\r\n`;
}

function makeTunnelError(message: string): UpstreamError {
  return new UpstreamError("PROXY_REFUSED", message);
}

function ignore(): void {}
