import { spawn, spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { killOnExit, pidOf, stopChild } from "../children.ts";
import { monotonicMs } from "../monotonic.ts";
import { listDescendants } from "../proc.ts";
import { findFreePort, waitUntilReady } from "./ports.ts";
import type { StartOptions, Target } from "./target.ts";

const READY_WITHIN_MS = 5_000;
// Debian and others install nginx outside an ordinary user's PATH.
const PROGRAMS = ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"];

/** Finds an installed nginx. Null without one. */
export function findNginx(): { program: string; version: string } | null {
  for (const program of PROGRAMS) {
    const { status, stderr } = spawnSync(program, ["-v"], { encoding: "utf8" });
    if (status === 0) return { program, version: stderr.trim().replace(/^.*nginx\//, "") };
  }
  return null;
}

/**
 * Starts nginx as a plain reverse proxy: one worker by default, no logs, no response buffering, keep-alive to the upstream.
 */
export async function startNginx(program: string, options: StartOptions): Promise<Target> {
  const port = await findFreePort();
  const configFile = join(options.folder, "nginx.conf");
  writeFileSync(configFile, nginxConfig(port, options));
  chmodSync(options.folder, 0o755); // the worker of a root process runs as another user
  const errorLog = join(options.folder, "error.log");
  const startMs = monotonicMs();
  const child = killOnExit(
    spawn(program, ["-p", options.folder, "-c", configFile, "-e", errorLog], { stdio: "inherit" }),
  );
  const pid = pidOf(child);
  const isAlive = () => child.exitCode === null;
  await waitUntilReady({ port, path: "/v1/models", timeoutMs: READY_WITHIN_MS, isAlive });
  return {
    name: "nginx",
    port,
    headers: { "x-api-key": "sk-ant-api03-nginx" },
    pids: [pid, ...listDescendants(pid)],
    database: null,
    readyMs: monotonicMs() - startMs,
    createLimitedKeys: null,
    countRecorded: null,
    stop: () => stopChild(child, { signal: "SIGTERM", graceMs: 5_000 }),
  };
}

function nginxConfig(port: number, { upstreamPort, folder, processes = 1 }: StartOptions): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path "${join(folder, kind)}";`)
    .join("\n");
  return `daemon off;
worker_processes ${processes};
worker_rlimit_nofile 16384;
pid "${join(folder, "nginx.pid")}";
error_log "${join(folder, "error.log")}" error;
events { worker_connections 8192; }
http {
${temporary}
  access_log off;
  keepalive_requests 1000000000;
  client_body_buffer_size 256k;
  client_max_body_size 32m;
  upstream mock {
    server 127.0.0.1:${upstreamPort};
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`;
}
