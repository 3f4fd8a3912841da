// Health check of a container: exits with 0 while the server of the data folder is ready (`/readyz`), else with 1.
import { readFileSync } from "node:fs";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { join } from "node:path";

const TIMEOUT_MS = 4_000;

try {
  const { status, text } = await askReadiness(readAddress());
  console.log(text);
  process.exit(status === 200 ? 0 : 1);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** Address of the listener. The server writes the file when it listens, with any host, port and TLS. */
function readAddress() {
  const dataDir = process.env.BURSAR_DATA_DIR || "data";
  return JSON.parse(readFileSync(join(dataDir, "server.json"), "utf8")).url;
}

function askReadiness(url) {
  const get = url.startsWith("https:") ? getHttps : getHttp;
  // The certificate names the public host, and this connection stays on the machine.
  const options = { rejectUnauthorized: false, timeout: TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    const request = get(`${url}/readyz`, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode, text }));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error(`${url} did not answer in time`)));
    request.on("error", reject);
  });
}
