/**
 * What PostgreSQL's programs see of the environment: none of the PG… and locale variables of the person who starts
 * Bursar (PGDATA and PGHOST would redirect them), and none of its secrets.
 */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  const kept = process.platform === "win32" ? ["PATH", "SystemRoot", "TEMP", "TMP"] : ["PATH"];
  const environment: NodeJS.ProcessEnv = { LC_ALL: "C", TZ: "UTC" };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
