// The order in which upstreams are tried. Lists of upstreams are newest first, as the API returns them.

interface Placed {
  id: string;
  default_position: number | null;
}

/** Ids of the default order. At the same place, the older upstream precedes, as on the server. */
export function listDefaultIds(upstreams: readonly Placed[]): string[] {
  return upstreams
    .toReversed()
    .filter(({ default_position }) => default_position !== null)
    .sort((a, b) => (a.default_position ?? 0) - (b.default_position ?? 0))
    .map(({ id }) => id);
}

/** Upstreams in the order of `ids`, and the others. Ids of deleted upstreams are left out. */
export function splitByOrder<Row extends { id: string }>(
  upstreams: readonly Row[],
  ids: readonly string[],
): { ordered: Row[]; others: Row[] } {
  const byId = new Map(upstreams.map((upstream) => [upstream.id, upstream]));
  return {
    ordered: ids.map((id) => byId.get(id)).filter((row) => row !== undefined),
    others: upstreams.filter(({ id }) => !ids.includes(id)),
  };
}

/** Moves an id by one place. */
export function moveId(ids: readonly string[], id: string, by: -1 | 1): string[] {
  const from = ids.indexOf(id);
  const to = from + by;
  if (from === -1 || to < 0 || to >= ids.length) return [...ids];
  return ids.toSpliced(from, 1).toSpliced(to, 0, id);
}
