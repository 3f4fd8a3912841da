import { startTransition, useEffect, useState } from "react";

/** False in the first drawing of a component. Content that is folded or below the screen can wait for it. */
export function useIsDrawn(): boolean {
  const [isDrawn, setIsDrawn] = useState(false);
  useEffect(() => startTransition(() => setIsDrawn(true)), []);
  return isDrawn;
}
