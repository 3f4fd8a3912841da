import { parentPort } from "node:worker_threads";
import { makeEntraAuthorizer } from "#src/upstreams/providers/foundry/entra-credentials.ts";

// Sends its parent the headers of a call, with the machine's credentials in the environment of this thread.

const authorize = makeEntraAuthorizer({ authentication: "machine" }, null, { proxy: null });
parentPort?.postMessage(await authorize());
