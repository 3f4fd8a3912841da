import { makeOpenApiDocument } from "@bursar/contract/openapi.ts";
import type { FastifyInstance } from "fastify";
import { sendJson } from "./mount-routes.ts";

/** Mounts `/openapi.json`, which is created at the first request. The console has the reference page at `/docs`. */
export function mountDocs(app: FastifyInstance, version: string): void {
  let document: object | undefined;
  app.get("/openapi.json", (_, reply) => {
    document ??= makeOpenApiDocument(version);
    return sendJson(reply, document);
  });
}
