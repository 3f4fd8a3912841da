// Creates the company of `company.ts` in a data folder, and prints its sign-in and a key as JSON. `npm run dev` runs
// this script. Usage: create-company.ts <data folder>
import { startServer, stopAllServers } from "../../server/test/harness/server-process.ts";
import { createCompany, owner } from "./company.ts";
import { addPeopleAndTags } from "./company-people.ts";
import { fillCompany } from "./full-company.ts";

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error("the data folder is missing");
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));
try {
  const company = await createCompany(await startServer({ dataDir }));
  await addPeopleAndTags(company);
  await fillCompany(company.server);
  const { server, apiKey } = company;
  await server.stop();
  process.stdout.write(JSON.stringify({ email: owner.email, password: owner.password, apiKey }));
} finally {
  await stopAllServers();
}
