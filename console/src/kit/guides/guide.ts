import type { Block, Heading } from "../documents/blocks.ts";

/** A guide in the lists and the search. */
export interface GuideEntry {
  /** Address below /guides. */
  name: string;
  title: string;
  /** First sentence, without markup. */
  lead: string;
  headings: readonly Heading[];
}

/** A guide with its text. */
export interface Guide extends GuideEntry {
  blocks: readonly Block[];
}

export interface GuideGroup {
  title: string;
  guides: readonly GuideEntry[];
}
