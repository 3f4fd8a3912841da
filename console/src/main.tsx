import "./styles.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { Link, RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { reconnectCount } from "./connection.ts";
import { queryClient } from "./queries.ts";
import { router } from "./router.tsx";
import { startDocument } from "./start-document.ts";
import { RouterLinks } from "./ui/link.tsx";
import { Toasts } from "./ui/toasts.tsx";

// The console of a signed-in member, and the set-up. sign-in.tsx has the pages of visitors.

// All data is loaded again when the server is back.
reconnectCount.watch(() => void queryClient.invalidateQueries());

void startDocument(
  <StrictMode>
    {/* The server's Content-Security-Policy allows no inline style sheets. */}
    <CSPProvider disableStyleElements>
      <RouterLinks Link={Link}>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
          <Toasts />
        </QueryClientProvider>
      </RouterLinks>
    </CSPProvider>
  </StrictMode>,
  router.load(),
);
