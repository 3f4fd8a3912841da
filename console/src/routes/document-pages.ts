import { createRoute } from "@tanstack/react-router";
import { readReferenceSearch } from "../features/docs/search.ts";
import { readGuidesSearch } from "../features/guides/search.ts";
import { lazyRouteComponent, loadPart } from "../load-part.ts";
import { documents } from "./frame.ts";

// Guides and the API reference: pages that need no session.

const guides = createRoute({
  getParentRoute: () => documents,
  path: "/guides",
  validateSearch: readGuidesSearch,
  component: lazyRouteComponent(() => import("../features/guides/page.tsx"), "GuidesPage"),
});

const guide = createRoute({
  getParentRoute: () => documents,
  path: "/guides/$guide",
  loader: async ({ params }) => {
    const { loadGuide } = await loadPart(() => import("../features/guides/load-guide.ts"));
    return loadGuide(params.guide);
  },
  component: lazyRouteComponent(() => import("../features/guides/guide-page.tsx"), "GuidePage"),
});

const docs = createRoute({
  getParentRoute: () => documents,
  path: "/docs",
  validateSearch: readReferenceSearch,
  loader: async ({ location: { hash } }) => {
    if (hash === "") return;
    const load = () => import("../features/docs/load-operation-view.ts");
    await (await loadPart(load)).loadOperationView();
  },
  component: lazyRouteComponent(() => import("../features/docs/page.tsx"), "DocsPage"),
});

export const documentPages = [guides, guide, docs] as const;
