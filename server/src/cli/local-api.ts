import type { HttpMethod, RouteSpec } from "@bursar/contract/route.ts";
import type { z } from "zod";
import { call, connectLocally } from "./connection.ts";

/** One call, its answer parsed. Throws CommandError with the server's own words for an error. */
export type CallApi = (method: HttpMethod, target: string, body?: object) => Promise<unknown>;

/** `timeoutMs`: how long the server may say nothing, where it is more than usual. */
export function makeLocalApi(dataDir: string, timeoutMs?: number): CallApi {
  const connection = connectLocally(dataDir);
  return (method, target, body) =>
    call(connection, {
      method,
      target,
      body: body && JSON.stringify(body),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
}

/** What one call of a route takes, as it goes over the wire. */
interface CallInput<R extends RouteSpec> {
  params?: Input<R["params"]>;
  query?: Input<R["query"]>;
  body?: Input<R["body"]>;
}
type Input<T> = T extends z.ZodType ? z.input<T> : never;

/** Calls a route of the contract. The answer is what the contract says: the server held it against its schema. */
export async function callRoute<R extends RouteSpec>(
  callApi: CallApi,
  route: R,
  input: CallInput<R> = {},
): Promise<z.output<R["response"]>> {
  const body = input.body as object | undefined;
  return (await callApi(route.method, targetOf(route, input), body)) as z.output<R["response"]>;
}

/** Path and query of a call. A list in the query is repeated. */
export function targetOf(
  route: RouteSpec,
  { params, query }: { params?: object | undefined; query?: object | undefined },
): string {
  const named = (params ?? {}) as Record<string, string>;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(named[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined) search.append(name, String(each));
    }
  }
  return search.size === 0 ? path : `${path}?${search}`;
}
