/** Groups of the rail that are open (true) or folded (false), by title. The others are in their first state. */
export type Choices = Readonly<Record<string, boolean>>;

/** With at most this number of places, all groups are open at first. */
const MAX_WITHOUT_FOLDS = 9;

interface GroupState {
  title: string;
  isOpenAtFirst: boolean;
  /** The group has the open page. */
  isCurrent: boolean;
  /** Number of places in the whole rail. */
  placeCount: number;
}

export function isGroupOpen(choices: Choices, group: GroupState): boolean {
  if (group.isCurrent) return true;
  return choices[group.title] ?? (group.isOpenAtFirst || group.placeCount <= MAX_WITHOUT_FOLDS);
}
