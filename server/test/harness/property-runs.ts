/** Share of the runs over DATABASE_URL. */
const RUNS_DIVISOR = 5;

/**
 * Number of runs of a property over a database. The embedded PostgreSQL runs all of them. Over DATABASE_URL a fifth shows
 * that the server accepts the statements.
 */
export function countPropertyRuns(runs: number): number {
  return process.env["DATABASE_URL"] ? Math.ceil(runs / RUNS_DIVISOR) : runs;
}
