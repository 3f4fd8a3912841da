import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { Brand } from "../kit/brand.tsx";
import { ConnectionBanner } from "../kit/connection-banner.tsx";
import { SignedIn } from "./signed-in.tsx";

/** Frame of guides and reference: the shell for a signed-in member, and a header with links for other visitors. */
export function DocumentsFrame() {
  return <SignedIn visitor={<VisitorFrame />} />;
}

const linkLook =
  "rounded-sm px-1.5 py-1.5 text-quiet sm:px-2 hover:text-ink data-[status=active]:font-medium data-[status=active]:text-ink";

function VisitorFrame() {
  const { href } = useLocation();
  return (
    <div className="min-h-dvh">
      <header className="no-print border-b border-line">
        <nav
          aria-label="Documents"
          className="mx-auto flex min-h-14 w-full max-w-[76rem] flex-wrap items-center px-4 text-sm sm:px-8 lg:px-12"
        >
          <Link to="/guides" aria-label="Bursar, guides" className="mr-auto rounded-md py-1">
            <Brand />
          </Link>
          <Link to="/guides" activeOptions={{ includeSearch: false }} className={linkLook}>
            Guides
          </Link>
          <Link to="/docs" activeOptions={{ includeSearch: false }} className={linkLook}>
            API reference
          </Link>
          <a href={`/login?next=${encodeURIComponent(href)}`} className={linkLook}>
            Sign in
          </a>
        </nav>
      </header>
      <ConnectionBanner />
      <main
        id="main"
        tabIndex={-1}
        className="mx-auto w-full max-w-[76rem] px-4 pt-6 pb-24 sm:px-8 lg:px-12 lg:pt-10"
      >
        <Outlet />
      </main>
    </div>
  );
}
