import { formatPlural } from "../../ui/format.ts";

interface TagChange {
  before: string | null;
  after: string | null;
  /** Active laptops. Undefined: unknown. */
  laptops: number | undefined;
}

/** Effects of another tag of cost centres in Claude Code, as sentences. */
export function describeTagChange({ before, after, laptops }: TagChange): string[] {
  if (before === after) return [];
  const requests =
    laptops === undefined
      ? "Requests of laptops"
      : `Requests of ${formatPlural(laptops, "laptop")}`;
  const chosen = after === null ? "no chosen value" : `the chosen value of ${after}`;
  return [
    `${requests} have ${chosen} within an hour.`,
    ...(before === null
      ? []
      : [
          `Their value of ${before} is then that of the workspace or key. Earlier requests stay as they are.`,
        ]),
  ];
}
