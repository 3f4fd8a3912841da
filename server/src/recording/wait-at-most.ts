/** Waits for the database. Rejects after `ms`, and the statement may still take effect. */
export async function waitAtMost<T>(ms: number, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`the database did not answer within ${ms} ms`)),
    ms,
  );
  answer.catch(() => undefined); // It can fail after the time is over.
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
