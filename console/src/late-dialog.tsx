import { type ComponentType, type ReactNode, Suspense, useState } from "react";
import { lazyPart } from "./load-part.ts";

/**
 * A dialog whose code loads when it first opens: one export of its module. Dialogs and their forms are up to 20 kB of a page,
 * and most visits open none. A dialog without `isOpen` is open while it is mounted.
 */
export function lateDialog<Name extends string, Props extends object>(
  load: () => Promise<Record<Name, ComponentType<Props>>>,
  name: Name,
): ComponentType<Props> {
  const Late = lazyPart(load, name);
  return (props) => (
    <OnceOpen isOpen={!("isOpen" in props) || props.isOpen === true}>
      <Late {...props} />
    </OnceOpen>
  );
}

/** Draws its content from the first time that it is open. A closed dialog stays, so that its end is drawn. */
function OnceOpen({ isOpen, children }: { isOpen: boolean; children: ReactNode }) {
  const [wasOpen, setWasOpen] = useState(isOpen);
  if (isOpen && !wasOpen) setWasOpen(true);
  return wasOpen ? <Suspense fallback={null}>{children}</Suspense> : null;
}
