import type { HttpMethod, RouteSpec } from "@bursar/contract/route.ts";
import type { z } from "zod";
import { call, connectLocally } from "./connection.ts";

/** Makes one call and returns the parsed response. Throws CommandError with the server's message for an error. */
export type CallApi = (method: HttpMethod, target: string, body?: object) => Promise<unknown>;

/** `timeoutMs`: maximum silence of the server, if longer than usual. */
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

/** Input of one route call, in wire form. */
interface CallInput<R extends RouteSpec> {
  params?: Input<R["params"]>;
  query?: Input<R["query"]>;
  body?: Input<R["body"]>;
}
type Input<T> = T extends z.ZodType ? z.input<T> : never;

/** Calls a route of the contract. The server validated the response by its schema. */
export async function callRoute<R extends RouteSpec>(
  callApi: CallApi,
  route: R,
  input: CallInput<R> = {},
): Promise<z.output<R["response"]>> {
  const body = input.body as object | undefined;
  return (await callApi(route.method, targetOf(route, input), body)) as z.output<R["response"]>;
}

/** Path and query of a call. A list becomes a repeated parameter. */
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
