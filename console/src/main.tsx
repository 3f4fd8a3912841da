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
    {/* The server's Content-Security-Policy allows no inline style sheets. */}
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);

/**
 * Waits for the fonts that the document preloads. Text in the device's fonts has another size, so the page would move
 * later. The maximum is 3 s, the block period of CSS Fonts 4. After that, the page uses the device's fonts.
 */
async function waitForFonts(): Promise<void> {
  const fonts = ["1rem Inter", "1.75rem 'Source Serif 4'"].map((font) => document.fonts.load(font));
  const timeout = new Promise((resolve) => setTimeout(resolve, 3_000));
  await Promise.race([Promise.allSettled(fonts), timeout]);
}
