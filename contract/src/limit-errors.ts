import { badRequest, type ErrorCause, overloaded, tooMany, unavailable } from "./error-cause.ts";

/** Causes of refusals and cuts by limits on requests to Claude. */
export const limitErrors = {
  spend_limit_reached: {
    ...badRequest,
    meaning: "A spend limit is used up until its period ends.",
    facts: ["limit"],
  },
  request_too_large_for_limit: {
    ...badRequest,
    meaning: "Less remains of a spend limit than the request can cost.",
    facts: ["limit", "max_cost_usd"],
  },
  request_cost_unbounded: {
    ...badRequest,
    meaning: "The request has no highest cost, which a strict spend limit needs.",
  },
  unknown_features_refused: {
    ...badRequest,
    meaning: "A strict spend limit refuses features of the request that this server does not know.",
    facts: ["limit", "unknown_features"],
  },
  budget_held: {
    ...tooMany,
    meaning: "Other requests hold what remains of a spend limit.",
    facts: ["limit"],
  },
  budget_delayed: {
    ...overloaded,
    meaning: "The request did not get its budget in time, although no limit refuses it.",
    facts: ["limit"],
  },
  budget_queue_full: {
    ...overloaded,
    meaning: "Too many requests of the scope wait for budget.",
    facts: ["queue"],
  },
  stream_cut_limit_spent: {
    ...badRequest,
    meaning: "A response was stopped, because a spend limit has nothing left for the rest of it.",
    facts: ["limit", "cut"],
  },
  stream_cut_budget_held: {
    ...tooMany,
    meaning: "A response was stopped, because other requests hold what remains of a spend limit.",
    facts: ["limit", "cut"],
  },
  stream_cut_database_unavailable: {
    ...unavailable,
    meaning: "A response was stopped, because its node got no more budget for it in time.",
    facts: ["limit", "cut"],
  },
  rate_limited: {
    ...tooMany,
    meaning: "The request would exceed a rate limit.",
    facts: ["rate_limit"],
  },
  share_exhausted: {
    ...tooMany,
    meaning: "The workspace, key or caller already has its share of what the server has.",
    facts: ["share"],
  },
} as const satisfies Record<string, ErrorCause>;
