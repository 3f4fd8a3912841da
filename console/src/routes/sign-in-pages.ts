import { createRoute } from "@tanstack/react-router";
import { readSetUpSearch } from "../features/setup/search.ts";
import { lazyRouteComponent } from "../load-part.ts";
import { makeSearchReader, matching } from "../search-fields.ts";
import { root } from "./frame.ts";

// Pages without a session.

/** Reads the address to open after the sign-in: a path of this console, never another site. */
const readNext = makeSearchReader({ next: matching(/^\/(?![/\\])/) });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: readNext,
  component: lazyRouteComponent(() => import("../features/sign-in/login-page.tsx"), "LoginPage"),
});

const callbackPage = () => import("../features/sign-in/callback-page.tsx");
const callback = createRoute({
  getParentRoute: () => root,
  path: "/login/callback/$directoryId",
  component: lazyRouteComponent(callbackPage, "CallbackPage"),
});

const directoryLink = createRoute({
  getParentRoute: () => root,
  path: "/login/link",
  component: lazyRouteComponent(() => import("../features/sign-in/link-page.tsx"), "LinkPage"),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset",
  component: lazyRouteComponent(() => import("../features/sign-in/reset-page.tsx"), "ResetPage"),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: "/invite",
  component: lazyRouteComponent(() => import("../features/sign-in/invite-page.tsx"), "InvitePage"),
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: readSetUpSearch,
  component: lazyRouteComponent(() => import("../features/setup/page.tsx"), "SetUpPage"),
});

export const signInPages = [login, callback, directoryLink, reset, invite, setUp] as const;
