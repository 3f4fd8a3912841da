// Checks the port before an installation of a minute. The server checks it again with the complete configuration.
// Plain JavaScript for old Nodes.
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** Exits with a message when another program uses the port. Skipped when a bursar.toml may name another port. */
export async function checkPort(root) {
  if (existsSync(join(root, "bursar.toml"))) return;
  const port = Number(process.env.BURSAR_PORT || 8484);
  const host = process.env.BURSAR_HOST || "127.0.0.1";
  if (!Number.isInteger(port) || port < 0 || port >= 65_535) return;
  if (!(await isTaken({ host, port }))) return;
  console.error(
    `Port ${port} of ${host} is in use by another program. Stop that program, or start with another port, such as BURSAR_PORT=${port + 1}.`,
  );
  process.exit(1);
}

/** Whether another program listens on the address. */
export function isTaken(address) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error.code === "EADDRINUSE"));
    server.listen(address, () => server.close(() => resolve(false)));
  });
}
