import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import type { Metrics } from "./metrics.ts";
import { sendJson } from "./mount-routes.ts";
import { landingPolicy } from "./security-headers.ts";

/** Whether the process should get requests, and what keeps it from it, each in a few words. */
export interface Readiness {
  isReady: boolean;
  checks: Record<string, string>;
}

export interface PageDeps {
  /** The plain page at `/`: an HTML file. */
  landingPagePath: string;
  readiness: () => Promise<Readiness>;
  metrics: Pick<Metrics, "text" | "contentType">;
}

/** What is open to everybody who reaches the server: it says nothing about the organization. */
export async function mountPages(app: FastifyInstance, deps: PageDeps): Promise<void> {
  const landingPage = await readFile(deps.landingPagePath);
  app.get("/", (_, reply) =>
    reply
      .header("content-security-policy", landingPolicy)
      .type("text/html; charset=utf-8")
      .send(landingPage),
  );
  app.get("/healthz", (_, reply) => sendJson(reply, { status: "ok" }));
  app.get("/readyz", async (_, reply) => {
    const { isReady, checks } = await deps.readiness();
    return sendJson(reply.code(isReady ? 200 : 503), {
      status: isReady ? "ready" : "not ready",
      checks,
    });
  });
  app.get("/metrics", async (_, reply) =>
    reply.type(deps.metrics.contentType).send(await deps.metrics.text()),
  );
}
