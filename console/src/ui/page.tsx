import type { LinkProps } from "@tanstack/react-router";
import { BookOpen, ChevronLeft } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { GuideName } from "../guide-names.ts";
import { classNames } from "./class-names.ts";
import { AppLink, type AppLinkProps } from "./link.tsx";
import { isDialogOpen } from "./open-dialog.ts";

interface PageProps {
  title: string;
  /** Shown above the title: a colour, a link back. */
  above?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  /** Guide about the page. A quiet link in the header opens it. */
  guide?: GuideName;
  children: ReactNode;
}

/** A page with one `h1`, its actions and its content. The `h1` has the focus when the page opens. */
export function Page({ title, above, lead, actions, guide, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Bursar`;
  }, [title]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new title means a new page.
  useEffect(() => {
    // An open dialog keeps the focus.
    if (isDialogOpen()) return;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <div className="grid gap-7 print:block print:space-y-7">
      <header className="grid gap-2">
        {above}
        <div className="flex flex-wrap items-start gap-x-6 gap-y-3">
          <div className="min-w-0 flex-1 basis-60">
            <h1 ref={heading} tabIndex={-1} className="break-words">
              {title}
            </h1>
            {lead && <div className="mt-1.5 max-w-2xl text-pretty text-quiet">{lead}</div>}
          </div>
          {(actions || guide) && (
            <div className="no-print flex flex-wrap items-center gap-2.5 pt-0.5">
              {guide && <GuideLink guide={guide} />}
              {actions}
            </div>
          )}
        </div>
      </header>
      {children}
    </div>
  );
}

function GuideLink({ guide }: { guide: GuideName }) {
  return (
    <AppLink
      {...({ to: "/guides/$guide", params: { guide } } as AppLinkProps)}
      className="inline-flex min-h-9 items-center gap-1.5 rounded-sm px-1 text-sm text-quiet hover:text-ink pointer-coarse:min-h-11"
    >
      <BookOpen size={15} aria-hidden="true" /> Guide
    </AppLink>
  );
}

/** Link above the title, to the list that contains this item. */
export function BackLink({ to, children }: { to: LinkProps["to"]; children: ReactNode }) {
  return (
    <AppLink
      to={to}
      className="no-print target inline-flex w-fit items-center gap-1 rounded-sm text-sm text-quiet hover:text-ink"
    >
      <ChevronLeft size={14} aria-hidden="true" /> {children}
    </AppLink>
  );
}

interface SectionProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Section({ title, lead, actions, children }: SectionProps) {
  return (
    <section className="grid content-start gap-4 print:block print:space-y-4">
      <div className="flex flex-wrap items-end gap-x-6 gap-y-2">
        <div className={classNames("flex-1", lead ? "basis-60" : "basis-40")}>
          <h2>{title}</h2>
          {lead && <p className="mt-0.5 max-w-2xl text-sm text-pretty text-quiet">{lead}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2.5">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Names and values, separated by hairlines. */
export function Facts({
  items,
}: {
  items: readonly (readonly [name: string, value: ReactNode])[];
}) {
  return (
    <dl className="divide-y divide-line border-y border-line text-sm">
      {items.map(([name, value]) => (
        <div
          key={name}
          className="grid gap-x-6 gap-y-0.5 py-2.5 sm:grid-cols-[11rem_1fr] sm:items-baseline"
        >
          <dt className="text-quiet">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
