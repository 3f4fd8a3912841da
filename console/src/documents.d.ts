declare module "virtual:guides" {
  /** All guides, in the order of the page Guides. */
  export const groups: readonly import("./kit/guides/guide.ts").GuideGroup[];
  /** Loads the text of a guide, by name. */
  export const loaders: Readonly<
    Record<string, () => Promise<{ guide: import("./kit/guides/guide.ts").Guide }>>
  >;
}

declare module "virtual:reference-list" {
  /** Operations of the reference page, and its texts. */
  export const reference: import("./features/docs/reference.ts").ReferenceList;
}

declare module "virtual:reference-details" {
  /** Details of each operation, and the shapes that they share. */
  export const details: import("./features/docs/reference.ts").ReferenceDetails;
}
