import { groups } from "virtual:guides";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { findInGuides, type GuideMatch } from "../../kit/guides/find-in-guides.ts";
import type { GuideEntry } from "../../kit/guides/guide.ts";
import { Page, Section } from "../../ui/page.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import type { GuidesSearch } from "./search.ts";

const MAX_MATCHES = 40;
const allGuides = groups.flatMap(({ guides }) => guides);

/** All guides by group, and a search over their titles and headings. */
export function GuidesPage() {
  const { find = "" }: GuidesSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const setFind = (text: string) =>
    void navigate({
      to: "/guides",
      search: text === "" ? {} : { find: text },
      replace: true,
      resetScroll: false,
    });
  return (
    <Page
      title="Guides"
      lead="How to use and operate Bursar. The API reference lists every call."
      actions={
        <SearchBox
          label="Search guides"
          placeholder="Search guides…"
          value={find}
          onFind={setFind}
        />
      }
    >
      {find.trim() === "" ? (
        <div className="grid gap-10">
          {groups.map(({ title, guides }) => (
            <Section key={title} title={title}>
              <ul className="grid gap-x-10 border-t border-line md:grid-cols-2">
                {guides.map((guide) => (
                  <li key={guide.name} className="border-b border-line py-3">
                    <GuideLink guide={guide} />
                    <p className="mt-0.5 text-sm text-quiet">{guide.lead}</p>
                  </li>
                ))}
              </ul>
            </Section>
          ))}
        </div>
      ) : (
        <Matches matches={findInGuides(allGuides, find, MAX_MATCHES)} />
      )}
    </Page>
  );
}

function GuideLink({ guide: { name, title } }: { guide: GuideEntry }) {
  return (
    <Link to="/guides/$guide" params={{ guide: name }} className="link font-medium">
      {title}
    </Link>
  );
}

function Matches({ matches }: { matches: readonly GuideMatch[] }) {
  return (
    <>
      <p role="status" className="sr-only">
        {matches.length} {matches.length === 1 ? "match" : "matches"}
      </p>
      {matches.length === 0 ? (
        <p className="border-y border-line py-10 text-center text-quiet">
          No guide has these words in its title or its headings.
        </p>
      ) : (
        <ul className="border-t border-line">
          {matches.map(({ guide, heading }) => (
            <li key={`${guide.name} ${heading?.id ?? ""}`} className="border-b border-line py-2.5">
              {heading === null ? (
                <>
                  <GuideLink guide={guide} />
                  <p className="mt-0.5 text-sm text-quiet">{guide.lead}</p>
                </>
              ) : (
                <>
                  <Link
                    to="/guides/$guide"
                    params={{ guide: guide.name }}
                    hash={heading.id}
                    className="link"
                  >
                    {heading.text}
                  </Link>
                  <p className="mt-0.5 text-sm text-quiet">{guide.title}</p>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
