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
