import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createOlderCluster } from "#test/harness/older-cluster.ts";
import {
  sendMessage,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";
import type { Recording } from "./releases/recording.ts";

// Upgrades the embedded PostgreSQL of each released version. `upgrade.test.ts` upgrades what is in the database, also on
// other versions of PostgreSQL.

const RELEASES = join(import.meta.dirname, "releases");
const LONG_MS = 180_000;

const releases = readdirSync(RELEASES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

afterAll(stopAllServers);

test.each(releases)(
  "an embedded database of version %s keeps its keys, and its server's role is a superuser no longer",
  { timeout: LONG_MS },
  async (release) => {
    const folder = join(RELEASES, release);
    const recording = JSON.parse(readFileSync(join(folder, "recording.json"), "utf8")) as Recording;
    const dataDir = join(await temporaryFolder(), "data");
    await createOlderCluster(dataDir, readFileSync(join(folder, "data.sql"), "utf8"));
    cpSync(join(folder, "data-folder"), dataDir, { recursive: true });
    let server = await startServer({ dataDir, env: { BURSAR_SECRET: recording.secret } });
    const readRole = () =>
      server.sql(`SELECT rolname AS name, rolsuper AS "isSuperuser",
          (SELECT count(*)::integer FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname IN ('public', 'graphile_worker') AND relowner <> r.oid) AS others
        FROM pg_roles r WHERE rolname = current_user`);
    for (const start of ["first", "second"]) {
      if (start === "second") server = await server.restart();
      expect(await readRole(), start).toEqual([{ name: "bursar", isSuperuser: false, others: 0 }]);
      for (const key of recording.keys.working)
        expect((await sendMessage(server.url, key)).status).toBe(200);
      await server.stop();
    }
  },
);
