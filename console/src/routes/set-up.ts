import { createRoute } from "@tanstack/react-router";
import { readSetUpSearch } from "../features/setup/search.ts";
import { lazyRouteComponent } from "../load-part.ts";
import { root } from "./frame.ts";

/** The set-up of a new installation. Its later steps need a session, but no rail. */
export const setUp = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: readSetUpSearch,
  component: lazyRouteComponent(() => import("../features/setup/page.tsx"), "SetUpPage"),
});
