// The console of `npm run dev`: Vite with hot reload, for the console's addresses. The server serves all others.
// Usage: dev-console.mjs <port> <address of the server>
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { consolePages } from "@bursar/contract/console-pages.ts";
import { createServer } from "vite";
import { consolePolicy, securityHeaders } from "../server/src/http/security-headers.ts";
import { root } from "./runtime.mjs";

const [port = "", serverUrl = ""] = process.argv.slice(2);
const host = "127.0.0.1";
/** Allows only the scripts and styles that Vite writes into the page. */
const nonce = randomBytes(16).toString("base64");
const policy = consolePolicy
  .replace("script-src 'self'", `script-src 'self' 'nonce-${nonce}'`)
  .replace("style-src 'self'", `style-src 'self' 'nonce-${nonce}'`)
  .replace("connect-src 'self'", `connect-src 'self' ws://localhost:${port} ws://${host}:${port}`);
/** Paths that Vite serves: the pages of the console, its sources, and Vite's own. */
const viteFolders = new Set([
  ...consolePages,
  "",
  "sign-in.html",
  "src",
  "@vite",
  "@fs",
  "@id",
  "@react-refresh",
  "node_modules",
]);

const vite = await createServer({
  root: join(root, "console"),
  configFile: join(root, "console", "vite.config.ts"),
  clearScreen: false,
  logLevel: "warn",
  html: { cspNonce: nonce },
  server: {
    host,
    port: Number(port),
    strictPort: true,
    headers: { ...securityHeaders, "content-security-policy": policy },
    fs: { allow: [root] },
    proxy: {
      "/": {
        target: serverUrl,
        bypass: ({ url = "" }) => {
          const [folder = ""] = url.slice(1).split(/[/?]/);
          return viteFolders.has(folder) ? url : null;
        },
        // While the server restarts, a closed connection makes the console wait.
        configure: (proxy) =>
          proxy.on("error", (_, __, response) => (response.socket ?? response).destroy()),
      },
    },
  },
});
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => void vite.close().then(() => process.exit(0)));
}
await vite.listen();
