import { useLoaderData } from "@tanstack/react-router";
import type { Heading } from "../../kit/documents/blocks.ts";
import { DocumentBlocks } from "../../kit/documents/document-blocks.tsx";
import type { Guide } from "../../kit/guides/guide.ts";
import { classNames } from "../../ui/class-names.ts";
import { BackLink, Page } from "../../ui/page.tsx";

/** Fewest headings for which a table of contents helps. */
const FEWEST_HEADINGS = 2;

/** One guide with its table of contents. */
export function GuidePage() {
  const guide: Guide | null = useLoaderData({ strict: false }) ?? null;
  if (guide === null) return <UnknownGuide />;
  const hasContents = guide.headings.length >= FEWEST_HEADINGS;
  return (
    <Page title={guide.title} above={<BackLink to="/guides">Guides</BackLink>}>
      <div className="gap-12 xl:grid xl:grid-cols-[minmax(0,1fr)_13rem]">
        <article className="min-w-0">
          {hasContents && (
            <details className="no-print mb-6 border-y border-line py-2.5 xl:hidden">
              <summary className="target rounded-sm text-sm font-medium">On this page</summary>
              <div className="mt-2">
                <Contents headings={guide.headings} />
              </div>
            </details>
          )}
          <DocumentBlocks blocks={guide.blocks} />
        </article>
        {hasContents && (
          <div className="no-print hidden xl:block">
            <div className="sticky top-8 grid max-h-[calc(100dvh-4rem)] gap-2 overflow-y-auto">
              <h2 className="text-sm font-medium text-quiet">On this page</h2>
              <Contents headings={guide.headings} />
            </div>
          </div>
        )}
      </div>
    </Page>
  );
}

function Contents({ headings }: { headings: readonly Heading[] }) {
  return (
    <nav aria-label="On this page">
      <ul className="grid gap-0.5 text-sm">
        {headings.map(({ id, level, text }) => (
          <li key={id} className={classNames(level > 2 && "pl-3")}>
            <a
              href={`#${id}`}
              className="block rounded-sm py-0.5 text-quiet hover:text-ink pointer-coarse:py-2"
            >
              {text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Page for an address without a guide. Visitors without a session see it too. */
function UnknownGuide() {
  return (
    <Page
      title="Guide not found"
      lead="The address is wrong, or this version has no such guide."
      above={<BackLink to="/guides">Guides</BackLink>}
    >
      {null}
    </Page>
  );
}
