import "./styles.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./queries.ts";
import { router } from "./router.tsx";
import { applyTheme } from "./ui/theme.ts";
import { Toasts } from "./ui/toasts.tsx";

applyTheme();
await waitForFonts();

const root = document.getElementById("root");
if (!root) throw new Error("the document has no root");
createRoot(root).render(
  <StrictMode>
    {/* The server's policy allows style sheets of its own files only. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);

/**
 * Waits for the letters, which are asked for with the document: in those of the device the same text takes other room, and
 * the page would move when ours come. No longer than a browser waits that draws no text before its font is there
 * (CSS Fonts 4, `font-display: block`: 3 s); without them, it goes on with the device's.
 */
async function waitForFonts(): Promise<void> {
  const fonts = ["1rem Inter", "1.75rem 'Source Serif 4'"].map((font) => document.fonts.load(font));
  const patience = new Promise((resolve) => setTimeout(resolve, 3_000));
  await Promise.race([Promise.allSettled(fonts), patience]);
}
