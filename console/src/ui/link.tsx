import type { LinkProps } from "@tanstack/react-router";
import { type ComponentType, createContext, type ReactNode, use } from "react";

/** Addresses of pages for visitors, which the router does not know. */
type VisitorAddress = "/login";

export interface AppLinkProps extends Omit<LinkProps, "to" | "children"> {
  to?: LinkProps["to"] | VisitorAddress | undefined;
  className?: string;
  children?: ReactNode;
}

/** Link of the document. Documents without a router have plain links, and need not load one. */
const LinkContext = createContext<ComponentType<AppLinkProps>>(PlainLink);

/** Uses the router's links for everything inside. */
export function RouterLinks({ Link, children }: { Link: unknown; children: ReactNode }) {
  // The type of the router's component is generic over all routes, which no other type can state.
  return <LinkContext value={Link as ComponentType<AppLinkProps>}>{children}</LinkContext>;
}

/** Link to a page of the console, for components that documents without a router use too. */
export function AppLink(props: AppLinkProps) {
  const Link = use(LinkContext);
  return <Link {...props} />;
}

function PlainLink({ to, className, children }: AppLinkProps) {
  return (
    <a href={to} className={className}>
      {children}
    </a>
  );
}
