import type { RouteSpec } from "@bursar/contract/route.ts";
import type { z } from "zod";
import { type CallApi, callRoute } from "./local-api.ts";

const PAGE_SIZE = 1000;

/** A route that lists in the company's shape: an opaque cursor leads to the next page. */
type ListRoute = RouteSpec & {
  response: z.ZodObject<{ data: z.ZodArray; next_page: z.ZodNullable<z.ZodString> }>;
};
type ItemOf<R extends ListRoute> = z.output<R["response"]>["data"][number];

/** Follows the cursor to the end of a list. */
export async function listAll<R extends ListRoute>(
  callApi: CallApi,
  route: R,
  query: object = {},
): Promise<ItemOf<R>[]> {
  const all: ItemOf<R>[] = [];
  let page: string | undefined;
  do {
    const answer = await callRoute<ListRoute>(callApi, route, {
      query: { ...query, limit: PAGE_SIZE, page },
    });
    all.push(...(answer.data as ItemOf<R>[]));
    page = answer.next_page ?? undefined;
  } while (page !== undefined);
  return all;
}
