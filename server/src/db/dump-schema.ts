// `node server/src/db/dump-schema.ts`: writes schema.sql from the migrations on an empty database.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireProcessLock } from "#src/lib/process-lock.ts";
import { describeSchema } from "./describe-schema.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { migrate } from "./migrate.ts";

const SCHEMA_FILE = join(import.meta.dirname, "schema.sql");

const folder = await mkdtemp(join(tmpdir(), "bursar-schema-"));
const lock = await acquireProcessLock(folder);
try {
  const postgres = await startEmbeddedPostgres({ lock, isThrowAway: true });
  try {
    await migrate({ connectionString: postgres.connectionString });
    await writeFile(SCHEMA_FILE, await describeSchema(postgres.connectionString));
  } finally {
    await postgres.stop();
  }
} finally {
  await lock.release();
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(`${SCHEMA_FILE} is written\n`);
