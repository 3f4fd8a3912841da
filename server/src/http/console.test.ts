import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { consolePages, movedConsolePages } from "@bursar/contract/console-pages.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import type { FastifyInstance } from "fastify";
import { afterAll, describe, expect } from "vitest";
import { serverTest as test } from "#test/harness/admin-test.ts";
import { makeAdminApp } from "./app.ts";

const DOCUMENT = "<!doctype html><title>Console</title>";
const OWN_DOCUMENTS: Record<string, string> = {
  overview: `${DOCUMENT}<p>Overview`,
  login: `${DOCUMENT}<p>Sign in`,
  "api-keys": `${DOCUMENT}<p>API keys`,
};
const SCRIPT = "export const answer = 42;\n";
let folder: string;
let app: FastifyInstance;

test.beforeAll(async ({ h }) => {
  folder = await mkdtemp(join(tmpdir(), "bursar-console-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), DOCUMENT);
  await writeFile(join(folder, "assets", "main-abc.js"), SCRIPT);
  await writeFile(join(folder, "assets", "main-abc.js.gz"), gzipSync(SCRIPT));
  await writeFile(join(folder, "assets", "notes.txt"), "not a file of a page");
  await mkdir(join(folder, "documents"));
  for (const [page, document] of Object.entries(OWN_DOCUMENTS)) {
    await writeFile(join(folder, "documents", `${page}.html`), document);
  }
  await writeFile(join(folder, "assets", "reference-abc.js"), SCRIPT);
  app = await makeAdminApp({ ...h.deps, consoleFolder: folder });
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

const get = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ method: "GET", url, headers });

test("serves the document of each page, or the common one, at current and earlier addresses, uncached, with a strict policy", async () => {
  const pages = [
    ...consolePages.map((page) => `/${page}`),
    ...movedConsolePages.map(([page]) => page),
  ];
  for (const url of ["/", ...pages.flatMap((page) => [page, `${page}/a/b?c=d`])]) {
    const answer = await get(url);
    const page = /^\/([^/]*)/.exec(url)?.[1] || "overview";
    const isBelow = url.split("/").length > 2;
    const below = isBelow ? OWN_DOCUMENTS[`${page}.below`] : undefined;
    const document = below ?? OWN_DOCUMENTS[page] ?? DOCUMENT;
    expect([url, answer.statusCode, answer.payload]).toEqual([url, 200, document]);
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.headers["cache-control"]).toBe("no-store");
    const policy = String(answer.headers["content-security-policy"]);
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).not.toContain("unsafe");
  }
});

describe("other paths stay unchanged", () => {
  test.each([
    ["/v1/admin/workspaces", 401],
    ["/v1/nothing", 404],
    ["/v1", 404],
    ["/nothing", 404],
    ["/assets/", 404],
    ["/assets/nothing.js", 404],
    ["/assets/notes.txt", 404],
    ["/assets/../index.html", 404],
    ["/assets/%2e%2e%2findex.html", 404],
    ["/assets/login.html", 404],
    ["/documents/login.html", 404],
    ["/openapi.json", 200],
    ["/healthz", 200],
  ])("%s returns %i without the console's document", async (url, status) => {
    const answer = await get(url, { accept: "text/html" });
    expect(answer.statusCode).toBe(status);
    expect(answer.payload).not.toContain(DOCUMENT);
  });

  test("console addresses share no prefix with the API or other pages", () => {
    const taken = new Set(adminRoutes.map((route) => route.path.split("/")[1]));
    for (const name of ["v1", "api", "assets", "healthz", "readyz", "metrics"]) taken.add(name);
    const moved = movedConsolePages.map(([page]) => page.split("/")[1] ?? "");
    expect([...consolePages, ...moved].filter((page) => taken.has(page))).toEqual([]);
  });

  test("a form posted to a console page is a 404", async () => {
    const answer = await app.inject({ method: "POST", url: "/login" });
    expect(answer.statusCode).toBe(404);
  });
});

describe("a file of the console", () => {
  test("is cached permanently, because its name changes with its content", async () => {
    const answer = await get("/assets/main-abc.js");
    expect(answer.payload).toBe(SCRIPT);
    expect(answer.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(answer.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.headers["content-encoding"]).toBeUndefined();
  });

  test("is compressed for clients that accept it", async () => {
    const answer = await get("/assets/main-abc.js", { "accept-encoding": "gzip, br" });
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(answer.headers["vary"]).toBe("accept-encoding");
    expect(answer.rawPayload).toEqual(gzipSync(SCRIPT));
  });
});

test("without the reference, its page and its files are 404, and guides stay", async ({ h }) => {
  const hidden = await makeAdminApp({ ...h.deps, consoleFolder: folder, hasReference: false });
  const data = "/assets/reference-abc.js";
  for (const url of ["/docs", "/docs/", "/docs/a", data, "/openapi.json"]) {
    expect([url, (await hidden.inject(url)).statusCode]).toEqual([url, 404]);
  }
  expect((await hidden.inject("/guides/alerts")).payload).toBe(DOCUMENT);
  await hidden.close();
  expect((await get(data)).payload).toBe(SCRIPT);
});

test("without a build, the plain page says so", async ({ h }) => {
  const answer = await h.as(null).get("/");
  expect(answer.status).toBe(200);
  expect(answer.text).toContain("The console is not built on this machine");
  expect((await h.as(null).get("/login")).status).toBe(404);
});
