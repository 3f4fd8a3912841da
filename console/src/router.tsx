import { createRouter } from "@tanstack/react-router";
import { companyPages } from "./routes/company-pages.ts";
import { documentPages } from "./routes/document-pages.ts";
import { everydayPages } from "./routes/everyday-pages.ts";
import { documents, root, shell } from "./routes/frame.ts";
import { setUp } from "./routes/set-up.ts";
import { ErrorState } from "./ui/states.tsx";

// Every address of the console, except the pages of visitors (routes/sign-in-pages.tsx). The server answers these paths
// with the console, so contract/src/console-pages.ts also lists the first part of each. Pages are loaded when they are
// first opened.

const routeTree = root.addChildren([
  setUp,
  documents.addChildren(documentPages),
  shell.addChildren([...everydayPages, ...companyPages]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => (
    <ErrorState error={error as Error} onRetry={reset} />
  ),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
