/** A dialog that is open. A toast calls itself one too, but nobody is in the middle of it. */
export const OPEN_DIALOG = '[role="dialog"]:not([data-toast])';
