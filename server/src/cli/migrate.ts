import type { Command } from "commander";
import type { LoadedConfig } from "#src/config.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { print } from "./print.ts";

/** `migrate`: brings the schema up to date without starting a server; a start does the same by itself. */
export function addMigrateCommand(program: Command, load: () => LoadedConfig): void {
  program
    .command("migrate")
    .description("bring the database's schema up to date and stop")
    .addHelpText("after", "\nExamples:\n  bursar migrate")
    .action(async () => {
      const { dataDir, databaseUrl } = load().config;
      // The database's driver takes longer to load than any other command takes to run, and only this one needs it.
      const { openStorage } = await import("#src/db/storage.ts");
      const logger = makeLogger("silent");
      const storage = await openStorage({
        dataDir,
        databaseUrl,
        logger,
        onFailure: () => undefined,
      });
      await storage.close();
      const { applied, schemaNumber } = storage.migrated;
      const result = { schema: schemaNumber, applied: applied.map(({ name }) => name) };
      print(program.opts(), result, () => {
        const what =
          result.applied.length === 0 ? "nothing to do" : `applied ${result.applied.join(", ")}`;
        return `Schema ${schemaNumber}: ${what}.`;
      });
    });
}
