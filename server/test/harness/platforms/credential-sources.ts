import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { onTestFinished } from "vitest";
import { listenTcp } from "../raw-upstream.ts";
import { LOCAL_CERTIFICATE, LOCAL_CERTIFICATE_KEY } from "../test-certificate.ts";

// Servers on loopback that give credentials to machines, until the end of the test.

export interface SourceRequest {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** Answer of a source. A string is sent as it is, an object as JSON. Null: none, and the connection stays open. */
export type SourceAnswer = {
  status?: number;
  headers?: Record<string, string>;
  body: string | object;
} | null;

export interface CredentialSource {
  origin: string;
  host: string;
  requests: SourceRequest[];
}

/** Starts a metadata server or a token service without TLS. */
export async function startSource(
  answer: (request: SourceRequest) => SourceAnswer,
): Promise<CredentialSource> {
  const requests: SourceRequest[] = [];
  const host = await listen(createServer(makeListener(requests, answer)));
  return { origin: `http://${host}`, host, requests };
}

/** Starts the token service of Microsoft Entra for the tenant `tenant-1`, which needs TLS. */
export async function startEntra(): Promise<CredentialSource & { library: object }> {
  const requests: SourceRequest[] = [];
  const source = { origin: "", host: "" };
  const listener = makeListener(requests, ({ method }) => {
    if (method === "POST") {
      return { body: { token_type: "Bearer", expires_in: 3600, access_token: "entra-token" } };
    }
    return {
      body: {
        issuer: `${source.origin}/tenant-1/v2.0`,
        token_endpoint: `${source.origin}/tenant-1/oauth2/v2.0/token`,
        authorization_endpoint: `${source.origin}/tenant-1/oauth2/v2.0/authorize`,
        jwks_uri: `${source.origin}/keys`,
      },
    };
  });
  const tls = { key: LOCAL_CERTIFICATE_KEY, cert: LOCAL_CERTIFICATE };
  source.host = (await listen(createTlsServer(tls, listener))).replace("127.0.0.1", "localhost");
  source.origin = `https://${source.host}`;
  const library = {
    authorityHost: source.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: LOCAL_CERTIFICATE },
  };
  return Object.assign(source, { requests, library });
}

/** Starts a proxy that refuses each tunnel. `targets` has their authorities and credentials. */
export async function startRefusingProxy() {
  const targets: string[] = [];
  const port = await listenTcp((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (head: Buffer) => {
      const [, authority = ""] = /^CONNECT (\S+) /.exec(head.toString("latin1")) ?? [];
      const [, credential = "none"] = /proxy-authorization: (.*)\r\n/.exec(head.toString()) ?? [];
      targets.push(`${authority} ${credential}`);
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
  });
  const proxy = { origin: `http://127.0.0.1:${port}`, authorization: "Basic dXNlcjpwYXNz" };
  return { proxy, targets };
}

function makeListener(
  requests: SourceRequest[],
  answer: (request: SourceRequest) => SourceAnswer,
): RequestListener {
  return (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url: path = "", headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      const sent = answer(request);
      if (sent === null) return;
      const isText = typeof sent.body === "string";
      response.writeHead(sent.status ?? 200, {
        "content-type": isText ? "text/plain" : "application/json",
        ...sent.headers,
      });
      response.end(isText ? sent.body : JSON.stringify(sent.body));
    });
  };
}

async function listen(server: Server & { closeAllConnections(): void }): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
