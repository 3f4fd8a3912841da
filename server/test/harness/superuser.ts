import { SUPERUSER_ROLE } from "#src/db/embedded-postgres/roles.ts";

/** Connection string of the superuser of an embedded PostgreSQL, for statements that the server's role cannot run. */
export function asSuperuser(connectionString: string): string {
  const url = new URL(connectionString);
  url.username = SUPERUSER_ROLE;
  return url.href;
}
