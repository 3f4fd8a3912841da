import { enforcements, NEW_LIMIT_HOLD } from "@bursar/contract/admin/spend-limits.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const CONTRACT = "virtual:contract";

/**
 * Runtime data of the contract for the console, such as the method and path of every operation. The schemas stay on the
 * server. The console has only their types, so its bundle contains no schema library.
 */
function contractFacts(): Plugin {
  const routes = Object.fromEntries(
    adminRoutes.map(({ operationId, method, path, action }) => [
      operationId,
      action === "public" ? [method, path, true] : [method, path],
    ]),
  );
  const auditEvents = adminRoutes.flatMap(({ audited }) => audited ?? []);
  return {
    name: "bursar-contract",
    resolveId: (id) => (id === CONTRACT ? `\0${CONTRACT}` : null),
    load: (id) =>
      id === `\0${CONTRACT}`
        ? `export const routes = ${JSON.stringify(routes)};\nexport const enforcements = ${JSON.stringify(enforcements)};\nexport const newLimitHold = ${JSON.stringify(NEW_LIMIT_HOLD)};\nexport const auditEvents = ${JSON.stringify([...new Set(auditEvents)].sort())};\n`
        : null,
  };
}

/** All modules of the first load. Without this group they are 65 files, one for each set of importers. */
const firstLoad = { name: "first", tags: ["$initial" as const] };

export default defineConfig({
  root: import.meta.dirname,
  plugins: [contractFacts(), react(), tailwind()],
  build: {
    outDir: process.env["CONSOLE_OUT_DIR"] ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    // The server's Content-Security-Policy allows no style or font in a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: [firstLoad] } } },
  },
});
