import type { z } from "zod";
import type { Action } from "./permissions.ts";

export type HttpMethod = "GET" | "POST" | "DELETE";

/**
 * One operation, as the server, the tests, the CLI, the console and the documents read it. `audited` is the audit event of
 * a successful change, or of reading secret content. Null: the call changes nothing.
 */
export interface RouteSpec {
  operationId: string;
  method: HttpMethod;
  path: `/${string}`;
  summary: string;
  description?: string;
  action: Action;
  audited: `${string}.${string}` | null;
  /**
   * Signed-in members need a recent step-up. "if_wider": only for a change that widens access or raises a limit, which the
   * use case decides. Keys and the local operator need none.
   */
  stepUp?: true | "if_wider";
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** Field that the whole body becomes, if the request has this media type instead of JSON. */
  bodyFile?: { field: string; mediaType: "text/csv" };
  /** Maximum body size, if it is larger than that of other routes. */
  maxBodyBytes?: number;
  response: z.ZodObject;
  /** True: the response is bytes of any media type, and `response` has no fields. */
  isBytes?: true;
  /** True: a Claude call can be refused with a 409. Changes of the Admin API always can. */
  canConflict?: true;
  /** Body of errors. Default: the official one. */
  errorBody?: z.ZodObject;
  /**
   * True: the call reads usage from the database of reports, which can be a replica. The response has the headers
   * of `report-headers.ts`. Other calls read the primary.
   */
  isReport?: true;
  /**
   * Media types of a streamed response. A Claude route streams only if its body asks for a stream. An Admin API route
   * always streams, and `response` describes one line.
   */
  streams?: readonly [MediaType, ...MediaType[]];
}

type MediaType = "text/event-stream" | "text/csv" | "application/x-ndjson";

/** Result of a streamed route's handler. The text is produced as the client reads it. */
export interface StreamedAnswer {
  mediaType: MediaType;
  /** Name of the file that a browser saves. */
  fileName: string;
  pieces: AsyncIterable<string>;
}

/** Declares a route. The const parameter keeps literal types, so that handlers are checked against it. */
export function route<const T extends RouteSpec>(spec: T): T {
  return spec;
}

type Output<T> = T extends z.ZodType ? z.output<T> : undefined;

/** Validated input of a route's handler. */
export interface RouteInput<T extends RouteSpec> {
  params: Output<T["params"]>;
  query: Output<T["query"]>;
  body: Output<T["body"]>;
}

/** Result of a route's handler: the input of the response schema, which removes undeclared fields. */
export type RouteOutput<T extends RouteSpec> = T extends { streams: readonly string[] }
  ? StreamedAnswer
  : z.input<T["response"]>;

/**
 * One handler for each route of the union `R`, by operation id. `Call` has the server's facts about the request besides
 * its input. `PublicCall` has those of a request without a caller, and `ReportCall` those of a report. A route without a
 * handler does not compile.
 */
export type HandlersFor<R extends RouteSpec, Call, PublicCall = never, ReportCall = never> = {
  [S in R as S["operationId"]]: (
    call: S["action"] extends "public"
      ? PublicCall
      : S extends { isReport: true }
        ? ReportCall
        : Call,
    input: RouteInput<S>,
  ) => Promise<RouteOutput<S>>;
};
