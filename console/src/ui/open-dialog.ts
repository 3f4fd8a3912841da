/** A toast is a dialog to screen readers too, but takes nothing from the page: it stands in a region of its own. */
const DIALOG = '[role="dialog"]:not([role="region"] [role="dialog"])';

/** True while a dialog stands over the page. */
export function isDialogOpen(): boolean {
  return document.querySelector(DIALOG) !== null;
}
