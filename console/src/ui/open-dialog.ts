/** Dialogs without toasts. A toast also has the role of a dialog, but stands in its own region. */
const DIALOG = '[role="dialog"]:not([role="region"] [role="dialog"])';

/** True while a dialog is open over the page. */
export function isDialogOpen(): boolean {
  return document.querySelector(DIALOG) !== null;
}
