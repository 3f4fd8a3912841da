/** How PostgreSQL identifies a client. */
export type Access =
  /** The system reports the user of a process on the socket. Its name has to be one of these. */
  | { kind: "peer"; systemUsers: readonly string[] }
  /** Every process that can enter the folder of the socket: the server's user and root. */
  | { kind: "folder" }
  /** A password, on loopback. */
  | { kind: "password" };

export interface AccessFiles {
  /** Content of pg_hba.conf. */
  hba: string;
  /** Content of pg_ident.conf. */
  ident: string;
}

const HEADING = "# Bursar writes this file at each start.\n";
const MAP = "bursar";

/** Makes the files with which PostgreSQL decides about a connection. No line means no access. */
export function makeAccessFiles(access: Access): AccessFiles {
  switch (access.kind) {
    case "peer":
      return {
        hba: `${HEADING}local all all peer map=${MAP}\n`,
        ident: HEADING + access.systemUsers.map((name) => `${MAP} ${quote(name)} all\n`).join(""),
      };
    case "folder":
      return { hba: `${HEADING}local all all trust\n`, ident: HEADING };
    case "password":
      return { hba: `${HEADING}host all all 127.0.0.1/32 scram-sha-256\n`, ident: HEADING };
  }
}

/** Quotes a name, which can contain spaces, commas and backslashes. */
function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
