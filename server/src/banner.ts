import picocolors from "picocolors";
import { describeConfig, type LoadedConfig } from "./config.ts";
import type { RunningServer } from "./wiring.ts";

/** What a person who just started the server needs: where it is, whom it calls, and what to type next. */
export function banner(loaded: LoadedConfig, server: RunningServer, isColoured: boolean): string {
  const { bold, cyan, dim, yellow } = picocolors.createColors(isColoured);
  const url = loaded.config.publicUrl?.replace(/\/$/, "") ?? server.url;
  const lines = [
    "",
    `${bold("Bursar")} is ready at ${cyan(url)}`,
    `  reference   ${cyan(`${url}/docs`)}`,
    `  upstream    ${upstreamLine(server)}`,
    `  database    ${server.isDatabaseEmbedded ? `embedded PostgreSQL in ${loaded.config.dataDir}` : "DATABASE_URL"}`,
    ...server.warnings.map((warning) => yellow(`  warning     ${warning}`)),
    "",
    ...setUpLines(server.setUpUrl, cyan, bold),
    dim("Next: an admin key, a workspace with a key, and a first request to Claude."),
    "",
    ...firstCommands(loaded, url),
    "",
  ];
  return `${lines.join("\n")}\n`;
}

function setUpLines(
  url: string | null,
  cyan: (text: string) => string,
  bold: (text: string) => string,
): string[] {
  if (url === null) return [];
  return [
    bold("Nobody owns this installation yet. Open this link within an hour to become its owner:"),
    `  ${cyan(url)}`,
    "  Made anew by `./bursar setup-link` at any time.",
    "",
  ];
}

function upstreamLine(server: RunningServer): string {
  const upstream = server.upstream();
  if (upstream === null) return "configured, but it cannot be used: see the log";
  switch (upstream.source) {
    case "environment":
      return `${upstream.origin}, by ${server.upstreamVariables}: requests cost real money`;
    case "stored":
      return `${upstream.origin}, as stored through the Admin API: requests cost real money`;
    case "simulator":
      return "the built-in simulator: nothing is sent anywhere, nothing costs money";
  }
}

// The commands carry what differs from the defaults, so that they work when pasted into another shell.
function firstCommands(loaded: LoadedConfig, url: string): string[] {
  const moved = describeConfig(loaded).find(({ name }) => name === "BURSAR_DATA_DIR");
  const prefix =
    moved === undefined || moved.source === "default" || moved.source === "bursar.toml"
      ? ""
      : `BURSAR_DATA_DIR=${quote(loaded.config.dataDir)} `;
  const body =
    '{"model":"claude-sonnet-5","max_tokens":200,"messages":[{"role":"user","content":"Hello"}]}';
  return [
    `  export ADMIN_KEY="$(${prefix}./bursar admin-keys create --name first)"`,
    `  ${prefix}./bursar workspaces create Demo; export API_KEY="$(${prefix}./bursar api-keys create --workspace Demo --name demo)"`,
    `  curl ${url}/v1/messages -H "x-api-key: $API_KEY" -H 'content-type: application/json' -d '${body}'`,
  ];
}

function quote(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
