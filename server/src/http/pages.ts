import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { checkMetricsAccess, type MetricsAccess } from "./check-metrics-access.ts";
import { mountConsole, readConsole } from "./console.ts";
import type { Metrics } from "./metrics.ts";
import { sendJson } from "./mount-routes.ts";
import { plainPolicy } from "./security-headers.ts";

/** Ability of the process to serve requests. */
export interface Readiness {
  /** `degraded`: requests are served, but something is missing. */
  status: "ready" | "degraded" | "not ready";
  /** Reason of a status other than `ready`, as a code. Null: ready. */
  reason: ReadinessReason | null;
  /** State of each part, in a few words. */
  checks: Record<string, string>;
}

export type ReadinessReason =
  | "draining"
  | "node_fenced"
  | "journal_failed"
  | "journal_full"
  | "leases_expired"
  | "database_away";

/** Reasons that only a restart of the process ends. */
const finalReasons: readonly (ReadinessReason | null)[] = ["node_fenced"];

export interface PageDeps extends MetricsAccess {
  /** Folder of the built console. Without a build, `/` shows a plain page. */
  consoleFolder: string;
  /** Serves the API reference and the OpenAPI document. */
  hasReference: boolean;
  readiness: () => Promise<Readiness>;
  metrics: Pick<Metrics, "text" | "contentType">;
}

/** Logo of the product. Browsers also request the .ico on every page. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f5b4f"/>' +
  '<path d="M8 24.5h16M9.5 21V13.5M16 21V13.5M22.5 21V13.5M7.5 11.5 16 6.5l8.5 5z" fill="none" stroke="#fff" ' +
  'stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>';
const ICON_MAX_AGE_S = 86_400;

/** Mounts the public pages. They contain no data of the organization. */
export async function mountPages(app: FastifyInstance, deps: PageDeps): Promise<void> {
  const build = await readConsole(deps.consoleFolder);
  if (build === null) await mountPlainPage(app, deps);
  else mountConsole(app, build, deps);
  for (const path of ["/favicon.svg", "/favicon.ico"]) {
    app.get(path, (_, reply) =>
      reply
        .type("image/svg+xml")
        .header("cache-control", `public, max-age=${ICON_MAX_AGE_S}`)
        .send(icon),
    );
  }
  app.get("/healthz", async (_, reply) => {
    const { reason } = await deps.readiness();
    return finalReasons.includes(reason)
      ? sendJson(reply.code(503), { status: "failed", reason })
      : sendJson(reply, { status: "ok" });
  });
  app.get("/readyz", async (_, reply) => {
    const readiness = await deps.readiness();
    return sendJson(reply.code(readiness.status === "not ready" ? 503 : 200), readiness);
  });
  app.get("/metrics", async (request, reply) => {
    checkMetricsAccess(deps, request.raw);
    return reply.type(deps.metrics.contentType).send(await deps.metrics.text());
  });
}

/**
 * Mounts the page at `/` for a server without a built console. The page lists the alternatives. `/docs` leads to the
 * OpenAPI document.
 */
async function mountPlainPage(
  app: FastifyInstance,
  { hasReference }: Pick<PageDeps, "hasReference">,
): Promise<void> {
  if (hasReference) app.get("/docs", (_, reply) => reply.redirect("/openapi.json"));
  const page = await readFile(new URL("./plain-page.html", import.meta.url));
  app.get("/", (_, reply) =>
    reply
      .header("content-security-policy", plainPolicy)
      .type("text/html; charset=utf-8")
      .send(page),
  );
}
