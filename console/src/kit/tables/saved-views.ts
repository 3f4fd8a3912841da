import type { Answer } from "../../api-client.ts";

export type SavedView = Answer<"getPreferences">["saved_views"][number];

/** Fields of an address that open something, and belong to no view. */
const transient = ["open"];

/** Query of an address without what is open in it. */
export function toViewSearch(search: string): string {
  const fields = new URLSearchParams(search);
  for (const name of transient) fields.delete(name);
  const text = fields.toString();
  return text === "" ? "" : `?${text}`;
}

/** True if both queries have the same fields, in any order. */
export function isSameView(a: string, b: string): boolean {
  return sortFields(a) === sortFields(b);
}

function sortFields(search: string): string {
  const fields = new URLSearchParams(toViewSearch(search));
  fields.sort();
  return fields.toString();
}

/** Returns the views with this one, in place of a view of its page with the same name. */
export function addView(views: readonly SavedView[], view: SavedView): SavedView[] {
  return [...views.filter((each) => !isSameName(each, view)), view];
}

export function removeView(views: readonly SavedView[], view: SavedView): SavedView[] {
  return views.filter((each) => !isSameName(each, view));
}

function isSameName(a: SavedView, b: SavedView): boolean {
  return a.page === b.page && a.name.toLowerCase() === b.name.toLowerCase();
}
