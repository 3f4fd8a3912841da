// Creates the company of `full-company.ts` in a data folder, and prints its sign-in as JSON.
// Usage: npm run full-company -- <data folder>, then BURSAR_DATA_DIR=<data folder> npm start
import { startServer, stopAllServers } from "../../server/test/harness/server-process.ts";
import { owner } from "./company.ts";
import { createFullCompany } from "./full-company.ts";

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error("the data folder is missing");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
try {
  const { server } = await createFullCompany(await startServer({ dataDir }));
  await server.stop();
  process.stdout.write(`${JSON.stringify({ email: owner.email, password: owner.password })}\n`);
} finally {
  await stopAllServers();
}
