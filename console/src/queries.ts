import {
  QueryClient,
  QueryObserver,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import {
  type Answer,
  ApiError,
  call,
  findEarlyAnswer,
  type Input,
  type Operation,
  takeEarlyAnswer,
} from "./api-client.ts";
import { useAttempts } from "./attempts.ts";
import { toListQuery, toLogQuery } from "./query-text.ts";

// Queries and changes of pages. The key of a query is its operation and input. A change names the operations that it
// makes stale.

const FRESH_MS = 10_000;
/** Maximum number of loaded items. Longer lists need a search. */
const MAX_LISTED = 10_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      // The server can be reachable without internet, so the browser's online state does not matter.
      networkMode: "always",
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status < 500),
      retryDelay: (failures) => 400 * 2 ** failures,
    },
    // The answer of a change can contain a secret, so it is not cached.
    mutations: { networkMode: "always", gcTime: 0 },
  },
});

interface QueryOptions {
  isEnabled?: boolean;
  /** Refresh interval, milliseconds. Null: no refresh. */
  everyMs?: number | null;
  /** Shows the previous answer while the new one loads. */
  isPreviousShown?: boolean;
}

/** Calls one reading operation and caches its answer. */
export function useApi<O extends Operation>(
  operation: O,
  input: Input<O>,
  options: QueryOptions = {},
): UseQueryResult<Answer<O>, Error> {
  return useCachedQuery(
    [operation, input],
    (signal) => call(operation, input, { signal }),
    () => takeEarlyAnswer(operation, input),
    options,
  );
}

/** Operations that answer in pages, with `data` and `next_page`. */
type ListOperation = {
  [O in Operation]: Answer<O> extends { data: unknown[]; next_page: string | null } ? O : never;
}[Operation];
export type ItemOf<O extends ListOperation> =
  Answer<O> extends { data: (infer Item)[] } ? Item : never;

export interface WholeList<Item> {
  items: Item[];
  /** The list has more items than were loaded. A search finds them. */
  isCut: boolean;
}

interface ListOptions extends QueryOptions {
  /**
   * The first drawing of a page has the list, if it has arrived. Only for short lists: the heading of a page is drawn before
   * a long table, which takes longer.
   */
  isInFirstDrawing?: boolean;
}

/** Loads all pages of a list, up to MAX_LISTED items. */
export function useList<O extends ListOperation>(
  operation: O,
  input: Input<O>,
  options: ListOptions = {},
): UseQueryResult<WholeList<ItemOf<O>>, Error> {
  return useCachedQuery(
    [operation, "all", input],
    (signal) => loadList(operation, input, signal),
    options.isInFirstDrawing === true ? () => takeEarlyList(operation, input) : undefined,
    options,
  );
}

/** A list of one page that early.ts has received. */
function takeEarlyList<O extends ListOperation>(
  operation: O,
  input: Input<O>,
): WholeList<ItemOf<O>> | undefined {
  const { query = {} }: { query?: object } = input;
  const listed = { ...input, query: toListQuery(query, null) };
  const answer: { data: unknown[]; next_page: string | null } | undefined = findEarlyAnswer(
    operation,
    listed,
  );
  if (answer?.next_page !== null) return undefined;
  takeEarlyAnswer(operation, listed);
  return { items: answer.data as ItemOf<O>[], isCut: false };
}

function loadList<O extends ListOperation>(
  operation: O,
  input: Input<O>,
  signal: AbortSignal,
): Promise<WholeList<ItemOf<O>>> {
  const askPage = async (query: object) =>
    (await call(operation, { ...input, query } as Input<O>, { signal })) as unknown;
  return loadAll<ItemOf<O>>(input, askPage);
}

async function loadAll<Item>(
  input: object,
  askPage: (query: object) => Promise<unknown>,
): Promise<WholeList<Item>> {
  const items: Item[] = [];
  let page: string | null = null;
  do {
    const { query = {} } = input as { query?: object };
    const answer = (await askPage(toListQuery(query, page))) as {
      data: Item[];
      next_page: string | null;
    };
    items.push(...answer.data);
    page = answer.next_page;
  } while (page !== null && items.length < MAX_LISTED);
  return { items, isCut: page !== null };
}

/**
 * One list for many components of a page, such as a cell in each row. They share one subscription, so rows that mount
 * while a table scrolls send no requests. The hook returns undefined while the list loads.
 */
export function makeSharedList<O extends ListOperation>(
  operation: O,
  input: Input<O>,
): () => WholeList<ItemOf<O>> | undefined {
  const queryKey = [operation, "all", input];
  const watchers = new Set<() => void>();
  let stop: (() => void) | null = null;
  const begin = () => {
    const observer = new QueryObserver<unknown, Error>(queryClient, {
      queryKey,
      queryFn: ({ signal }) => loadList(operation, input, signal),
    });
    return observer.subscribe(() => {
      for (const watcher of watchers) watcher();
    });
  };
  const watch = (onChange: () => void) => {
    watchers.add(onChange);
    stop ??= begin();
    return () => {
      watchers.delete(onChange);
      // Other rows can subscribe in the same task, and they need the subscription.
      queueMicrotask(() => {
        if (watchers.size > 0) return;
        stop?.();
        stop = null;
      });
    };
  };
  const read = () => queryClient.getQueryData<WholeList<ItemOf<O>>>(queryKey) ?? storeEarly();
  const storeEarly = () => {
    const list = takeEarlyList(operation, input);
    return list && queryClient.setQueryData<WholeList<ItemOf<O>>>(queryKey, list);
  };
  return () => useSyncExternalStore(watch, read);
}

export interface OlderPages<O extends ListOperation> {
  items: ItemOf<O>[];
  /** Newest page, with its fields beside the items. Undefined while it loads. */
  firstPage: Answer<O> | undefined;
  isPending: boolean;
  error: Error | null;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  loadOlder: () => void;
  refetch: () => void;
  pageCount: number;
  /** Time of the last load by this device's clock. */
  readAtMs: number;
}

/** Loads the newest page of a long list, such as a log, and older pages on request. */
export function usePages<O extends ListOperation>(
  operation: O,
  query: object,
  { everyMs = null }: Pick<QueryOptions, "everyMs"> = {},
): OlderPages<O> {
  const pages = useInfiniteQuery<unknown, Error, { pages: unknown[] }, unknown[], string | null>({
    queryKey: [operation, "pages", query],
    queryFn: ({ pageParam, signal }) =>
      call(operation, { query: toLogQuery(query, pageParam) } as Input<O>, { signal }),
    initialPageParam: null,
    getNextPageParam: (last) => (last as { next_page: string | null }).next_page,
    refetchInterval: everyMs ?? false,
    placeholderData: (previous) => previous,
  });
  const answers = (pages.data?.pages ?? []) as (Answer<O> & { data: ItemOf<O>[] })[];
  return {
    items: answers.flatMap(({ data }) => data),
    firstPage: answers[0],
    isPending: pages.isPending,
    error: pages.error,
    hasOlder: pages.hasNextPage,
    isLoadingOlder: pages.isFetchingNextPage,
    loadOlder: () => void pages.fetchNextPage(),
    refetch: () => void pages.refetch(),
    pageCount: answers.length,
    readAtMs: pages.dataUpdatedAt,
  };
}

/** Has no types of operations, because the library's types over all of them exceed the compiler's limits. */
function useCachedQuery<Data>(
  queryKey: readonly unknown[],
  ask: (signal: AbortSignal) => Promise<Data>,
  takeEarly: (() => Data | undefined) | undefined,
  { isEnabled = true, everyMs = null, isPreviousShown = false }: QueryOptions,
): UseQueryResult<Data, Error> {
  return useQuery<unknown, Error>({
    queryKey,
    queryFn: ({ signal }) => ask(signal),
    initialData: isEnabled ? takeEarly : undefined,
    enabled: isEnabled,
    refetchInterval: everyMs ?? false,
    ...(isPreviousShown && { placeholderData: (previous: unknown) => previous }),
  }) as UseQueryResult<Data, Error>;
}

/** Mutation for one operation, with idempotency keys. After a success, `staleOperations` are loaded again. */
export function useChange<O extends Operation>(
  operation: O,
  staleOperations: readonly Operation[],
) {
  const client = useQueryClient();
  const mutation = useMutation<Answer<O>, Error, Input<O>>({
    mutationFn: useAttempts(operation),
    onSuccess: async () => {
      // Most changes decide or end something that the rail counts. No page waits for the counts.
      void client.invalidateQueries({ queryKey: ["getBadges"] });
      await Promise.all(
        staleOperations.map((stale) => client.invalidateQueries({ queryKey: [stale] })),
      );
    },
  });
  return { ...mutation, operation, staleOperations };
}
