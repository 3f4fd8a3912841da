import { reference } from "virtual:reference-list";
import { useLocation, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useDeferredValue, useEffect, useMemo, useState } from "react";
import { DocumentBlocks } from "../../kit/documents/document-blocks.tsx";
import { Page } from "../../ui/page.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { ErrorCodes } from "./error-codes.tsx";
import { countOperations, filterSections } from "./filter-sections.ts";
import { loadOperationView } from "./load-operation-view.ts";
import { OperationItem } from "./operation-item.tsx";
import type { ReferenceSection } from "./reference.ts";
import type { ReferenceSearch } from "./search.ts";

/** Time after the page is drawn. */
const QUIET_MS = 1_500;

/** Reference of both APIs: the operations by group, each with its details when it is opened. */
export function DocsPage() {
  const { find = "" }: ReferenceSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const setFind = (text: string) =>
    void navigate({
      to: "/docs",
      search: text === "" ? {} : { find: text },
      replace: true,
      resetScroll: false,
    });
  const sections = useMemo(() => filterSections(reference.sections, find), [find]);
  const drawn = useSectionsBelow(sections);
  const isWhole = drawn === reference.sections;
  return (
    <Page
      title="API reference"
      lead={
        <>
          Every call of the Admin API and the Claude API.{" "}
          <a href="/openapi.json" className="link">
            OpenAPI document
          </a>
        </>
      }
      actions={
        <SearchBox
          label="Filter operations"
          placeholder="Filter operations…"
          value={find}
          onFind={setFind}
        />
      }
    >
      <div className="gap-12 xl:grid xl:grid-cols-[minmax(0,1fr)_13rem]">
        <div className="grid min-w-0 content-start gap-12">
          {(isWhole || drawn === noSections) && <DocumentBlocks blocks={reference.introduction} />}
          {drawn !== noSections && <Sections sections={drawn} isWhole={isWhole} />}
          {isWhole && <ErrorCodes />}
        </div>
        <div className="no-print hidden xl:block">
          <Contents sections={sections} />
        </div>
      </div>
    </Page>
  );
}

/**
 * Sections below the introduction. They are drawn after it, because their hundreds of rows are not in view at first. An
 * address with an anchor or a filter shows them at once.
 */
function useSectionsBelow(sections: readonly ReferenceSection[]): readonly ReferenceSection[] {
  const { hash } = useLocation();
  const isInView = hash !== "" || sections !== reference.sections;
  return useDeferredValue(sections, isInView ? sections : noSections);
}

const noSections: readonly ReferenceSection[] = [];

function Sections({
  sections,
  isWhole,
}: {
  sections: readonly ReferenceSection[];
  isWhole: boolean;
}) {
  const [open, toggle] = useOpenOperations();
  usePreload();
  const count = countOperations(sections);
  return (
    <>
      <p role="status" className={isWhole ? "sr-only" : "-mb-6 text-sm text-quiet"}>
        {count} {count === 1 ? "operation" : "operations"}
      </p>
      {sections.map(({ title, about, groups }) => (
        <section key={title} className="grid content-start gap-6">
          <div>
            <h2 className="text-xl">{title}</h2>
            <p className="mt-0.5 text-sm text-quiet">{about}</p>
          </div>
          {groups.map((group) => (
            <div key={group.id}>
              <h3 id={group.id} className="scroll-mt-20 pb-1.5">
                {group.title}
              </h3>
              <ul className="border-t border-line">
                {group.operations.map((operation) => (
                  <OperationItem
                    key={operation.id}
                    operation={operation}
                    isOpen={open.has(operation.id)}
                    onToggle={toggle}
                  />
                ))}
              </ul>
            </div>
          ))}
        </section>
      ))}
    </>
  );
}

/** Loads the details after the page, so that the first operation opens at once. */
function usePreload(): void {
  useEffect(() => {
    const timer = setTimeout(() => void loadOperationView().catch(() => undefined), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
}

/** Open operations. The anchor of the address opens its operation, also when it changes. */
function useOpenOperations(): [open: ReadonlySet<string>, toggle: (id: string) => void] {
  const { hash } = useLocation();
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set([hash]));
  useEffect(() => {
    if (hash === "") return;
    setOpen((before) => new Set([...before, hash]));
    document.getElementById(hash)?.scrollIntoView();
  }, [hash]);
  const toggle = useCallback((id: string) => {
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  return [open, toggle];
}

function Contents({ sections }: { sections: readonly ReferenceSection[] }) {
  return (
    <nav
      aria-label="Resources"
      className="sticky top-8 grid max-h-[calc(100dvh-4rem)] gap-4 overflow-y-auto text-sm"
    >
      {sections.map(({ title, groups }) => (
        <div key={title}>
          <h2 className="text-xs font-medium text-faint">{title}</h2>
          <ul>
            {groups.map((group) => (
              <li key={group.id}>
                <a
                  href={`#${group.id}`}
                  className="block rounded-sm py-0.5 text-quiet hover:text-ink"
                >
                  {group.title}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
