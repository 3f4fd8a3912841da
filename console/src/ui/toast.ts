import { makeObservable } from "../observable.ts";

export interface ToastText {
  title: string;
  description?: string | undefined;
}

/** Toasts that `Toasts` has not shown yet. */
export const toastQueue = makeObservable<readonly ToastText[]>([]);

/** Reports a completed change in one line. The toast disappears, so it must not contain required information. */
export function showToast(title: string, description?: string): void {
  toastQueue.set([...toastQueue.get(), { title, description }]);
}

/** A line beside the toasts that stays until its owner removes it. */
export interface Notice {
  id: string;
  title: string;
  description?: string;
  /** End of a countdown, by this device's clock. Null: none. */
  endsAtMs: number | null;
  isBusy?: boolean;
  actions: readonly { label: string; hint?: string; onSelect: () => void }[];
}

/** Notices in the order in which they appeared. */
export const notices = makeObservable<readonly Notice[]>([]);
