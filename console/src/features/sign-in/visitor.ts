import { useEffect, useState } from "react";
import { type Answer, AwayError, call, type Input, type Operation } from "../../api-client.ts";
import { useAttempts } from "../../attempts.ts";
import { waitForServer } from "../../connection.ts";
import type { FormChange } from "../../kit/use-change-form.ts";

// Answers and changes of a visitor. A page of visitors asks once, so it needs no cache.

export interface Asked<O extends Operation> {
  /** Undefined: not known yet. */
  data: Answer<O> | undefined;
  error: Error | null;
}

/** Asks one operation when the page opens, again after an outage of the server. Null: nothing to ask. */
export function useAnswer<O extends Operation>(operation: O, input: Input<O> | null): Asked<O> {
  const [asked, setAsked] = useState<Asked<O>>({ data: undefined, error: null });
  // Pages build their input anew with each render.
  const text = JSON.stringify(input);
  useEffect(() => {
    const given = JSON.parse(text) as Input<O> | null;
    if (given === null) return;
    const stop = new AbortController();
    askWhenThere(() => call(operation, given, { signal: stop.signal })).then(
      (data) => setAsked({ data, error: null }),
      (error: Error) => {
        if (!stop.signal.aborted) setAsked({ data: undefined, error });
      },
    );
    return () => stop.abort();
  }, [operation, text]);
  return asked;
}

/** Asks until the server answers, or until the request is aborted. */
async function askWhenThere<Data>(ask: () => Promise<Data>): Promise<Data> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      await waitForServer();
    }
  }
}

/** True once the server has confirmed a session of this browser. */
export function useIsSignedIn(): boolean {
  return useAnswer("getSession", {}).data !== undefined;
}

/** Change for a form. Its answer is not stored. */
export function useVisitorChange<O extends Operation>(operation: O): FormChange<O> {
  return { operation, mutateAsync: useAttempts(operation), reset: () => undefined };
}

/**
 * Loads the document of the console in place of this one: a path with its query and hash. The returned promise never
 * resolves, so that a form stays busy until then.
 */
export function openConsole(to: string): Promise<never> {
  location.replace(to);
  return new Promise(() => undefined);
}
