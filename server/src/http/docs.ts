import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { makeOpenApiDocument } from "@bursar/contract/openapi.ts";
import Fastify, { type FastifyInstance } from "fastify";
import { sendJson } from "./mount-routes.ts";
import { referencePolicy } from "./security-headers.ts";

// The reference page renders /openapi.json with Scalar. All its files come from this server: it loads no external
// fonts, uses no proxy and sends no telemetry. Its security policy forbids them.

const SCRIPT_MAX_AGE_S = 3600;

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bursar API reference</title>
<link rel="icon" href="/favicon.svg">
</head>
<body>
<div id="reference"></div>
<script src="/docs/scalar.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const configuration = {
  url: "/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  showDeveloperTools: "never",
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  persistAuth: false,
};

const startScript = `Scalar.createApiReference("#reference", ${JSON.stringify(configuration)});\n`;

/** Mounts `/openapi.json` and `/docs`. Both are created at the first request. */
export function mountDocs(app: FastifyInstance, version: string): void {
  let document: object | undefined;
  app.get("/openapi.json", (_, reply) => {
    document ??= makeOpenApiDocument(version);
    return sendJson(reply, document);
  });
  for (const path of ["/docs", "/docs/"]) {
    app.get(path, (_, reply) =>
      reply
        .header("content-security-policy", referencePolicy)
        .type("text/html; charset=utf-8")
        .send(page),
    );
  }
  app.get("/docs/start.js", (_, reply) => reply.type("text/javascript").send(startScript));

  let bundle: Promise<Buffer> | undefined;
  app.get("/docs/scalar.js", async (request, reply) => {
    // A failure is not cached: the next request retries.
    bundle ??= loadBundle().catch((error: unknown) => {
      bundle = undefined;
      throw error;
    });
    const zipped = await bundle;
    const acceptsGzip = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    reply
      .type("text/javascript")
      .header("vary", "accept-encoding")
      .header("cache-control", `private, max-age=${SCRIPT_MAX_AGE_S}`);
    if (acceptsGzip) return reply.header("content-encoding", "gzip").send(zipped);
    return reply.send(await promisify(gunzip)(zipped));
  });
}

/**
 * Loads Scalar's browser script, compressed (5 MB become 1.4 MB). The package exports it only through its own plugin,
 * whose page starts with an inline script. So the plugin runs in a separate app that serves the script only.
 */
async function loadBundle(): Promise<Buffer> {
  const { default: scalar } = await import("@scalar/fastify-api-reference");
  const apart = Fastify();
  await apart.register(scalar, { routePrefix: "/docs", configuration: { url: "/openapi.json" } });
  const response = await apart.inject("/docs/js/scalar.js");
  await apart.close();
  return promisify(gzip)(response.rawPayload);
}
