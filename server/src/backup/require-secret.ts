import { findSecret } from "#src/db/installation-secret.ts";
import { BackupError } from "./backup-error.ts";

/** Returns the installation's secret. Throws a BackupError if it is not on this machine. */
export async function requireSecret(given: string | undefined, dataDir: string): Promise<string> {
  const secret = await findSecret({ given, dataDir });
  if (secret !== null) return secret;
  throw new BackupError(
    "usage",
    `The installation's secret is neither in BURSAR_SECRET (or BURSAR_SECRET_FILE) nor in ${dataDir}. Run the command with the environment of the server.`,
  );
}
