import type { Command } from "commander";
import type { LoadedConfig } from "#src/config.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { print } from "./print.ts";

/** `migrate`: migrates the schema without starting a server. A server start does the same. */
export function addMigrateCommand(program: Command, load: () => LoadedConfig): void {
  program
    .command("migrate")
    .description("migrate the database schema to this version, then exit")
    .addHelpText("after", "\nExamples:\n  bursar migrate")
    .action(async () => {
      const { dataDir, databaseUrl, postgresMemoryBytes } = load().config;
      // Loading the database driver takes longer than any other command, so only this one loads it.
      const { openStorage } = await import("#src/db/storage.ts");
      const logger = makeLogger("silent");
      const storage = await openStorage({
        dataDir,
        databaseUrl,
        postgresMemoryBytes,
        logger,
        onFailure: () => undefined,
      });
      await storage.close();
      const { applied, schemaNumber } = storage.migrated;
      const result = { schema: schemaNumber, applied: applied.map(({ name }) => name) };
      print(program.opts(), result, () => {
        const what =
          result.applied.length === 0 ? "up to date" : `applied ${result.applied.join(", ")}`;
        return `Schema ${schemaNumber}: ${what}.`;
      });
    });
}
