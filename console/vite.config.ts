import { enforcements } from "@bursar/contract/admin/spend-limits.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const CONTRACT = "virtual:contract";

/**
 * What the console needs of the contract at run time, as plain data: the method and path of every operation. The schemas
 * stay on the server; the browser gets their types only (src/contract.d.ts), and none of the schema library.
 */
function contractFacts(): Plugin {
  const routes = Object.fromEntries(
    adminRoutes.map(({ operationId, method, path }) => [operationId, [method, path]]),
  );
  return {
    name: "bursar-contract",
    resolveId: (id) => (id === CONTRACT ? `\0${CONTRACT}` : null),
    load: (id) =>
      id === `\0${CONTRACT}`
        ? `export const routes = ${JSON.stringify(routes)};\nexport const enforcements = ${JSON.stringify(enforcements)};\n`
        : null,
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [contractFacts(), react(), tailwind()],
  build: {
    outDir: process.env["CONSOLE_OUT_DIR"] ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    // A style or font inside a data: address would need a looser policy than the server sends.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
