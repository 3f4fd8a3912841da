import type { OperationEntry, ReferenceSection } from "./reference.ts";

/** Sections with the operations that contain every word of the text in name, method, path or summary. */
export function filterSections(
  sections: readonly ReferenceSection[],
  text: string,
): readonly ReferenceSection[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return sections;
  const isMatch = ({ id, method, path, summary }: OperationEntry, title: string) => {
    const whole = `${id} ${method} ${path} ${summary} ${title}`.toLowerCase();
    return words.every((word) => whole.includes(word));
  };
  return sections
    .map((section) => ({
      ...section,
      groups: section.groups
        .map((group) => ({
          ...group,
          operations: group.operations.filter((operation) => isMatch(operation, group.title)),
        }))
        .filter(({ operations }) => operations.length > 0),
    }))
    .filter(({ groups }) => groups.length > 0);
}

export function countOperations(sections: readonly ReferenceSection[]): number {
  return sections
    .flatMap(({ groups }) => groups)
    .reduce((sum, { operations }) => sum + operations.length, 0);
}
