import { findMovedPath } from "@bursar/contract/console-pages.ts";
import { createRootRoute, createRoute, Outlet, redirect } from "@tanstack/react-router";
import { NotFoundPage } from "../kit/error-pages.tsx";
import { DocumentsFrame } from "../shell/documents-frame.tsx";
import { SignedIn } from "../shell/signed-in.tsx";

// Parents of all routes. Old addresses redirect.

export const root = createRootRoute({
  beforeLoad: ({ location: { pathname, searchStr, hash } }) => {
    const path = findMovedPath(pathname);
    if (path === null) return;
    throw redirect({ href: `${path}${searchStr}${hash && `#${hash}`}`, replace: true });
  },
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

/** Parent of all pages that need a session. */
export const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: () => SignedIn({}),
  notFoundComponent: NotFoundPage,
});

/** Parent of pages that visitors without a session read too. */
export const documents = createRoute({
  getParentRoute: () => root,
  id: "documents",
  component: DocumentsFrame,
});
