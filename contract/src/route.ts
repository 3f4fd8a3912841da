import type { z } from "zod";
import type { Action } from "./permissions.ts";

export type HttpMethod = "GET" | "POST" | "DELETE";

/**
 * All that the server, the tests, the CLI, the console and the documents need to know of one operation. `audited` names
 * the audit event that a successful change writes, or is null where the call changes nothing.
 */
export interface RouteSpec {
  operationId: string;
  method: HttpMethod;
  path: `/${string}`;
  summary: string;
  description?: string;
  action: Action;
  audited: `${string}.${string}` | null;
  /** A signed-in person must have proved again, minutes ago, who it is. Keys and the local operator need not. */
  stepUp?: true;
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  response: z.ZodObject;
  /**
   * Media types of an answer that is a stream. One of Claude's is a stream only where its body asks for it; one of the
   * Admin surface always is, and `response` then describes what one line of it holds.
   */
  streams?: readonly [MediaType, ...MediaType[]];
}

type MediaType = "text/event-stream" | "text/csv" | "application/x-ndjson";

/** What the handler of a streamed route returns: the text, in pieces that are made as the client takes them. */
export interface StreamedAnswer {
  mediaType: MediaType;
  /** Of the file that a browser saves. */
  fileName: string;
  pieces: AsyncIterable<string>;
}

/** Declares a route; the const parameter keeps literal types, so that handlers are checked against it. */
export function route<const T extends RouteSpec>(spec: T): T {
  return spec;
}

type Output<T> = T extends z.ZodType ? z.output<T> : undefined;

/** What a handler of the route receives, already validated. */
export interface RouteInput<T extends RouteSpec> {
  params: Output<T["params"]>;
  query: Output<T["query"]>;
  body: Output<T["body"]>;
}

/** What a handler of the route returns: the response schema's input, from which undeclared fields are dropped. */
export type RouteOutput<T extends RouteSpec> = T extends { streams: readonly string[] }
  ? StreamedAnswer
  : z.input<T["response"]>;

/**
 * One handler for each route of the union `R`, by operation id. `Call` is what the server knows of the request besides
 * its input, `PublicCall` the same of a route without a caller. The map is total: a route without a handler does not
 * compile.
 */
export type HandlersFor<R extends RouteSpec, Call, PublicCall = never> = {
  [S in R as S["operationId"]]: (
    call: S["action"] extends "public" ? PublicCall : Call,
    input: RouteInput<S>,
  ) => Promise<RouteOutput<S>>;
};
