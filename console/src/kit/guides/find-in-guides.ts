import type { GuideEntry } from "./guide.ts";

/** A guide, or one of its headings, that a search found. */
export interface GuideMatch {
  guide: GuideEntry;
  /** Null: the title or the first sentence of the guide matches. */
  heading: { id: string; text: string } | null;
}

/** Returns at most `max` guides and headings that contain every word of the text: titles first, then headings. */
export function findInGuides(
  guides: readonly GuideEntry[],
  text: string,
  max: number,
): GuideMatch[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const hasAll = (...texts: readonly string[]) => {
    const whole = texts.join(" ").toLowerCase();
    return words.every((word) => whole.includes(word));
  };
  const titles = guides.filter(({ title, name }) => hasAll(title, name));
  const leads = guides.filter(
    (guide) => hasAll(guide.title, guide.lead) && !titles.includes(guide),
  );
  const headings = guides.flatMap((guide) =>
    guide.headings.filter((heading) => hasAll(heading.text)).map((heading) => ({ guide, heading })),
  );
  const toMatch = (guide: GuideEntry): GuideMatch => ({ guide, heading: null });
  return [...titles.map(toMatch), ...headings, ...leads.map(toMatch)].slice(0, max);
}
