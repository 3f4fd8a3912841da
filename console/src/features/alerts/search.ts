export const firingViews = ["open", "acknowledged", "all"] as const;
export type FiringView = (typeof firingViews)[number];

/** What of the list of firings stands in the address. */
export interface FiringsSearch {
  show?: FiringView;
  /** A kind of alert, or what somebody took for one. */
  kind?: string;
}

/** Reads the address; what makes no sense is as if it were not there. */
export function readFiringsSearch(raw: Record<string, unknown>): FiringsSearch {
  const show = firingViews.find((view) => view === raw["show"]);
  const { kind } = raw;
  return { ...(show && { show }), ...(typeof kind === "string" && { kind }) };
}
