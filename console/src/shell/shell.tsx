import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { Menu as MenuIcon, Search } from "lucide-react";
import { Suspense, useEffect, useState } from "react";
import { Brand } from "../kit/brand.tsx";
import { ConnectionBanner } from "../kit/connection-banner.tsx";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { IconButton } from "../ui/button.tsx";
import { commandKey } from "./command-key.ts";
import { PersonMenu } from "./person-menu.tsx";
import { HelpLink, Places } from "./places.tsx";
import { Questions } from "./questions.tsx";
import { useKeptFocus } from "./use-kept-focus.ts";
import { usePreload } from "./use-preload.ts";
import { isGoing, useShortcuts } from "./use-shortcuts.ts";
import { WorkspaceSwitcher } from "./workspace-switcher.tsx";

const GoList = lazyPart(() => import("./go-list.tsx"), "GoList");
const Palette = lazyPart(() => import("./palette.tsx"), "Palette");
const RailSheet = lazyPart(() => import("./rail-sheet.tsx"), "RailSheet");
const ShortcutsDialog = lazyPart(() => import("./shortcuts-dialog.tsx"), "ShortcutsDialog");

/** Rail, search and member menu around each page of a signed-in member. */
export function Shell() {
  const [isPaletteOpen, setIsPaletteOpen] = useState(false);
  const [areShortcutsOpen, setAreShortcutsOpen] = useState(false);
  const isGoListShown = useObservable(isGoing);
  usePreload();
  useKeptFocus();
  useShortcuts({
    onPalette: () => setIsPaletteOpen(true),
    onHelp: () => setAreShortcutsOpen(true),
  });
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="no-print fixed top-2 left-2 z-70 -translate-y-16 rounded-md bg-accent px-4 py-2 text-on-accent focus:translate-y-0"
      >
        Skip to the page
      </a>
      <aside
        aria-label="Menu"
        className="no-print sticky top-0 hidden h-dvh flex-col border-r border-line bg-sunk/55 lg:flex"
      >
        <Rail onSearch={() => setIsPaletteOpen(true)} />
      </aside>
      <TopBar onSearch={() => setIsPaletteOpen(true)} />
      <div className="min-w-0">
        <ConnectionBanner />
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-[76rem] px-4 pt-6 pb-36 sm:px-8 sm:pb-24 lg:px-12 lg:pt-10"
        >
          {/* The rail is drawn while the files of the page arrive. */}
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Suspense fallback={null}>
        {isGoListShown && <GoList />}
        {isPaletteOpen && <Palette onClose={() => setIsPaletteOpen(false)} />}
        {areShortcutsOpen && <ShortcutsDialog onClose={() => setAreShortcutsOpen(false)} />}
      </Suspense>
      <Questions />
    </div>
  );
}

function Rail({ onSearch }: { onSearch: () => void }) {
  return (
    <>
      <div className="flex items-center justify-between px-5 pt-5 pb-4">
        <Link to="/" aria-label="Bursar, overview" className="rounded-md">
          <Brand />
        </Link>
      </div>
      <div className="grid gap-2 px-3 pb-3">
        <WorkspaceSwitcher />
        <button
          type="button"
          onClick={onSearch}
          className="flex min-h-8.5 items-center gap-2 rounded-md px-2.5 text-sm text-quiet transition-colors hover:bg-line/60 hover:text-ink"
        >
          <Search size={15} /> Search
          <kbd className="ml-auto rounded-sm border border-line bg-raised px-1.5 text-[0.6875rem] leading-5">
            {commandKey()} K
          </kbd>
        </button>
      </div>
      <Places />
      <div className="mt-auto grid gap-1 border-t border-line p-3">
        <HelpLink />
        <PersonMenu />
      </div>
    </>
  );
}

/** Bar of narrow screens. A button opens the rail. */
function TopBar({ onSearch }: { onSearch: () => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: navigation closes the sheet.
  useEffect(() => setIsOpen(false), [pathname]);
  return (
    <header className="no-print sticky top-0 z-30 flex h-14 items-center gap-1 border-b border-line bg-paper/95 px-3 backdrop-blur lg:hidden">
      <IconButton
        label="Open the menu"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        className="size-10"
        onClick={() => setIsOpen(true)}
      >
        <MenuIcon size={19} />
      </IconButton>
      <Suspense fallback={null}>
        {isOpen && (
          <RailSheet onClose={() => setIsOpen(false)}>
            <div className="px-3 pb-4">
              <WorkspaceSwitcher />
            </div>
            <Places onGo={() => setIsOpen(false)} />
            <div className="mt-auto grid gap-1 border-t border-line p-3">
              <HelpLink />
              <PersonMenu />
            </div>
          </RailSheet>
        )}
      </Suspense>
      <Link to="/" aria-label="Bursar, overview" className="rounded-md">
        <Brand />
      </Link>
      <IconButton label="Search" onClick={onSearch} className="ml-auto size-10">
        <Search size={18} />
      </IconButton>
    </header>
  );
}
