import { type ErrorCause, overloaded, unavailable } from "./error-cause.ts";

/** Causes of refusals in the server or its upstream. */
export const serverErrors = {
  overloaded: { ...overloaded, meaning: "The server is running its highest number of requests." },
  internal_error: { status: 500, type: "api_error", meaning: "The server has a fault." },
  database_unavailable: {
    ...unavailable,
    meaning: "The database is unavailable, and a change may have been made.",
  },
  database_failed_over: {
    ...unavailable,
    meaning: "The database has failed over, and a node has not reported the budget that it holds.",
    facts: ["awaited_node"],
  },
  journal_full: { ...unavailable, meaning: "The journal has no room for another request." },
  journal_unavailable: { ...unavailable, meaning: "The server cannot write its journal." },
  node_id_conflict: {
    ...unavailable,
    meaning: "Another process runs under the node id of this server.",
  },
  server_not_ready: { ...unavailable, meaning: "The server is starting or stopping." },
  upstream_unusable: {
    ...unavailable,
    meaning: "The configured upstream cannot be used until an administrator sets it again.",
  },
  upstream_unreachable: {
    status: 502,
    type: "api_error",
    meaning: "The Claude API could not be reached, and the request was not sent.",
  },
  upstream_connection_lost: {
    status: 502,
    type: "api_error",
    meaning: "The connection to the Claude API broke, and the request may have been processed.",
  },
  upstream_refused: {
    status: 502,
    type: "api_error",
    meaning: "The upstream answered a call of the Admin API with an error.",
  },
  upstream_timeout: {
    status: 504,
    type: "timeout_error",
    meaning: "The Claude API did not respond in time, and the request may have been processed.",
  },
} as const satisfies Record<string, ErrorCause>;
