import { makeObservable } from "../observable.ts";

export interface ToastText {
  title: string;
  description?: string | undefined;
}

/** What is to be said still; `Toasts` takes it from here. */
export const toastQueue = makeObservable<readonly ToastText[]>([]);

/** Says in one line what was done. Nothing that must be read: it goes by itself. */
export function showToast(title: string, description?: string): void {
  toastQueue.set([...toastQueue.get(), { title, description }]);
}
