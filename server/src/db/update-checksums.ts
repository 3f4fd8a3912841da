// `node server/src/db/update-checksums.ts`: lists the migrations of the coming version in migrations/checksums.json.
import { writeFile } from "node:fs/promises";
import { VERSION } from "#src/lib/program-version.ts";
import { CHECKSUMS_FILE, readChecksums, updateChecksums } from "./migration-checksums.ts";
import { readMigrations } from "./migration-files.ts";

const updated = updateChecksums(await readMigrations(), await readChecksums(), VERSION);
await writeFile(CHECKSUMS_FILE, `${JSON.stringify(updated, null, 2)}\n`);
process.stdout.write(`${CHECKSUMS_FILE} is written\n`);
