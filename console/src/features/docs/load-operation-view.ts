import { loadPart } from "../../load-part.ts";

type OperationView = typeof import("./operation-view.tsx").OperationView;

let view: OperationView | null = null;

/** Loads the details of all operations. An address with an operation waits for them, so that nothing moves later. */
export async function loadOperationView(): Promise<OperationView> {
  view ??= (await loadPart(() => import("./operation-view.tsx"))).OperationView;
  return view;
}

/** The details, if they are loaded. */
export function findOperationView(): OperationView | null {
  return view;
}
