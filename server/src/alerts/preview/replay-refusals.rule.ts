/** Refused requests of one scope in one hour. */
export interface RefusedHour {
  /** Hours since the epoch. */
  hour: number;
  requests: number;
}

export interface RefusedWindow {
  /** End of the window, hours since the epoch, exclusive. */
  end: number;
  requests: number;
}

/**
 * Finds the windows in which the condition becomes true. Like the evaluation, it sums whole hours and fires once until the
 * condition was false for a whole window. `hours`: in order.
 */
export function findRefusedWindows(
  hours: readonly RefusedHour[],
  { count, windowHours }: { count: number; windowHours: number },
): RefusedWindow[] {
  const found: RefusedWindow[] = [];
  let lastTrue: number | null = null;
  for (const [index, { hour }] of hours.entries()) {
    let requests = 0;
    for (let at = index; at >= 0; at--) {
      const earlier = hours[at];
      if (earlier === undefined || earlier.hour <= hour - windowHours) break;
      requests += earlier.requests;
    }
    if (requests < count) continue;
    if (lastTrue === null || hour - lastTrue > windowHours) found.push({ end: hour + 1, requests });
    lastTrue = hour;
  }
  return found;
}
