import {
  QueryClient,
  QueryObserver,
  type UseQueryResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useRef, useSyncExternalStore } from "react";
import { type Answer, ApiError, call, type Input, type Operation } from "./api-client.ts";

// How pages ask and change. A query's key is its operation and input; a change names the operations it makes stale.

const FRESH_MS = 10_000;
const PAGE_SIZE = 1000;
/** A list longer than this is narrowed by a search instead of being loaded whole. */
const MAX_LISTED = 10_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      // The server is in the same network: what the browser thinks of the internet does not matter.
      networkMode: "always",
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status < 500),
      retryDelay: (failures) => 400 * 2 ** failures,
    },
    // The answer of a change can hold a secret: nothing of it is kept.
    mutations: { networkMode: "always", gcTime: 0 },
  },
});

interface QueryOptions {
  isEnabled?: boolean;
  /** Asks again so often; null for never. */
  everyMs?: number | null;
  /** Shows the answer before this one while the new one loads. */
  isPreviousShown?: boolean;
}

/** Asks one reading operation and keeps its answer. */
export function useApi<O extends Operation>(
  operation: O,
  input: Input<O>,
  options: QueryOptions = {},
): UseQueryResult<Answer<O>, Error> {
  return useCachedQuery(
    [operation, input],
    (signal) => call(operation, input, { signal }),
    options,
  );
}

/** Operations that answer in pages of the company shape. */
type ListOperation = {
  [O in Operation]: Answer<O> extends { data: unknown[]; next_page: string | null } ? O : never;
}[Operation];
export type ItemOf<O extends ListOperation> =
  Answer<O> extends { data: (infer Item)[] } ? Item : never;

export interface WholeList<Item> {
  items: Item[];
  /** There are more than a page shows: a search narrows them. */
  isCut: boolean;
}

/** Asks for all pages of a list, up to MAX_LISTED entries. */
export function useList<O extends ListOperation>(
  operation: O,
  input: Input<O>,
  options: QueryOptions = {},
): UseQueryResult<WholeList<ItemOf<O>>, Error> {
  return useCachedQuery(
    [operation, "all", input],
    (signal) => loadList(operation, input, signal),
    options,
  );
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
    const query: object = { ...(input as { query?: object }).query, limit: PAGE_SIZE, page };
    const answer = (await askPage(query)) as { data: Item[]; next_page: string | null };
    items.push(...answer.data);
    page = answer.next_page;
  } while (page !== null && items.length < MAX_LISTED);
  return { items, isCut: page !== null };
}

/**
 * The same list for many small parts of one page, such as a cell in each row: they follow it together, and rows that come
 * and go while a table scrolls ask for nothing. The hook gives undefined until it is there.
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
      // Those of other rows come in the same turn.
      queueMicrotask(() => {
        if (watchers.size > 0) return;
        stop?.();
        stop = null;
      });
    };
  };
  const read = () => queryClient.getQueryData<WholeList<ItemOf<O>>>(queryKey);
  return () => useSyncExternalStore(watch, read);
}

const OLDER_PAGE_SIZE = 50;

export interface OlderPages<O extends ListOperation> {
  items: ItemOf<O>[];
  /** The newest page, for what stands beside its items; undefined while it loads. */
  firstPage: Answer<O> | undefined;
  isPending: boolean;
  error: Error | null;
  hasOlder: boolean;
  isLoadingOlder: boolean;
  loadOlder: () => void;
  refetch: () => void;
  pageCount: number;
  /** When the items were read, on this machine's clock. */
  readAtMs: number;
}

/** A list without an end, such as a log: its newest page, and older ones when they are asked for. */
export function usePages<O extends ListOperation>(
  operation: O,
  query: object,
  { everyMs = null }: Pick<QueryOptions, "everyMs"> = {},
): OlderPages<O> {
  const pages = useInfiniteQuery<unknown, Error, { pages: unknown[] }, unknown[], string | null>({
    queryKey: [operation, "pages", query],
    queryFn: ({ pageParam, signal }) =>
      call(
        operation,
        { query: { limit: OLDER_PAGE_SIZE, ...query, page: pageParam } } as Input<O>,
        {
          signal,
        },
      ),
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

/** Knows nothing of operations: the library's types, given the contract's, are more than the compiler can try. */
function useCachedQuery<Data>(
  queryKey: readonly unknown[],
  ask: (signal: AbortSignal) => Promise<Data>,
  { isEnabled = true, everyMs = null, isPreviousShown = false }: QueryOptions,
): UseQueryResult<Data, Error> {
  return useQuery<unknown, Error>({
    queryKey,
    queryFn: ({ signal }) => ask(signal),
    enabled: isEnabled,
    refetchInterval: everyMs ?? false,
    ...(isPreviousShown && { placeholderData: (previous: unknown) => previous }),
  }) as UseQueryResult<Data, Error>;
}

/**
 * A change. A submit that is repeated after no or a broken answer carries the same idempotency key, so that it cannot
 * happen twice; another input, or a success, starts with a new one. `staleOperations` are asked again after a success.
 */
export function useChange<O extends Operation>(
  operation: O,
  staleOperations: readonly Operation[],
) {
  const client = useQueryClient();
  const attempt = useRef<{ input: string; key: string } | null>(null);
  const mutation = useMutation<Answer<O>, Error, Input<O>>({
    mutationFn: (input) => {
      const text = JSON.stringify(input);
      if (attempt.current?.input !== text) {
        attempt.current = { input: text, key: makeIdempotencyKey() };
      }
      return call(operation, input, { idempotencyKey: attempt.current.key });
    },
    onSuccess: async () => {
      attempt.current = null;
      await Promise.all(
        staleOperations.map((stale) => client.invalidateQueries({ queryKey: [stale] })),
      );
    },
  });
  return { ...mutation, operation };
}

/** `crypto.randomUUID` exists on secure origins only; a console on plain HTTP inside a network is not one. */
function makeIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
