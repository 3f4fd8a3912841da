import { z } from "zod";
import { accessPaths, accessSignals } from "../access-paths.ts";
import {
  count,
  instant,
  nameText,
  optionalQuery,
  queryFlag,
  queryList,
  timestamp,
} from "../fields.ts";
import { accessReviewId, accessReviewItemId, memberId, workspaceId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { route } from "../route.ts";
import { accessFields, accessPath } from "./access.ts";

const MAX_REVIEWERS = 50;
const MAX_SCOPE_WORKSPACES = 500;
const MAX_INACTIVE_DAYS = 365;
const DEFAULT_INACTIVE_DAYS = 30;
const MAX_AUTO_CLOSE_DAYS = 90;
const MAX_REASON_LENGTH = 500;
/** One statement's worth; a screen shows far fewer. */
const MAX_DECISIONS = 500;

export const reviewParams = z.strictObject({ access_review_id: accessReviewId });

const status = z.enum(["open", "applying", "closed", "cancelled"]).meta({
  description: "`applying`: closed, while what was decided is being carried out.",
});
const ifNoAnswer = z.enum(["keep", "remove", "as_recommended"]).meta({
  description:
    "What counts for access that nobody has decided about at the end, or only with `not_sure`. The access of an Owner is never removed without a decision.",
});
const recurrence = z.enum(["none", "monthly", "quarterly", "yearly"]).meta({
  description: "The next review begins so long after this one began, by itself.",
});
const inactiveDays = z.int().min(1).max(MAX_INACTIVE_DAYS).meta({
  description: "Access that has not been used for so many days is recommended for removal.",
});
const autoCloseDays = z.int().min(0).max(MAX_AUTO_CLOSE_DAYS).nullable().meta({
  description: "Days after `due_at` when the review closes by itself; null: somebody closes it.",
});
const decision = z.enum(["keep", "remove", "not_sure"]);
const recommendation = z.enum(["keep", "remove"]);

const scopeInput = z.strictObject({
  paths: z
    .array(accessPath)
    .min(1)
    .max(accessPaths.length)
    .meta({ description: "Which kinds of access are reviewed." }),
  workspace_ids: z
    .array(workspaceId)
    .min(1)
    .max(MAX_SCOPE_WORKSPACES)
    .nullable()
    .default(null)
    .meta({
      description:
        "Roles and API keys of these workspaces alone; roles in the organization and admin keys are not limited by it. Null: all workspaces.",
    }),
});
const reviewerIds = z.array(memberId).min(1).max(MAX_REVIEWERS);
const person = z.object({ id: memberId, name: z.string(), email: z.string() });
const actor = z.object({ type: z.string(), id: z.string() });

const progress = z.object({
  items: count,
  undecided: count,
  keep: count,
  remove: count,
  not_sure: count,
  recommended_for_removal: count,
  to_remove: count.meta({
    description:
      "What closing takes away as things are decided, `if_no_answer` included; without Owners whom nobody decided about.",
  }),
  kept: count,
  removed: count,
  already_gone: count,
  not_applied: count.meta({
    description: "Decided, but could not be carried out: the item says why.",
  }),
});

export const accessReview = z
  .object({
    id: accessReviewId,
    type: z.literal("access_review"),
    name: z.string(),
    status,
    is_overdue: z.boolean(),
    scope: z.object({
      paths: z.array(accessPath),
      workspace_ids: z.array(workspaceId).nullable(),
    }),
    reviewers: z.array(
      person.extend({
        can_decide: z.boolean().meta({
          description: "False once the person has lost the rights that deciding needs.",
        }),
      }),
    ),
    due_at: timestamp,
    auto_close_days: autoCloseDays,
    if_no_answer: ifNoAnswer,
    inactive_days: inactiveDays,
    recurrence,
    next_begins_at: timestamp.nullable(),
    previous_review_id: accessReviewId.nullable(),
    progress,
    created_by: actor,
    created_at: timestamp,
    ended_by: actor.nullable(),
    ended_at: timestamp.nullable(),
  })
  .meta({ id: "AccessReview" });

export const createAccessReview = route({
  operationId: "createAccessReview",
  method: "POST",
  path: "/v1/admin/access_reviews",
  summary: "Start an access review",
  description:
    "Takes down every access in the scope as it is now, with a recommendation, and asks the reviewers by mail. A reviewer needs the rights to take away what is reviewed: an Owner or Admin, or a Workspace Admin for roles and keys of that workspace.",
  action: "access_reviews:write",
  audited: "access_review.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    scope: scopeInput,
    reviewer_ids: reviewerIds,
    due_at: instant,
    auto_close_days: autoCloseDays.default(null),
    if_no_answer: ifNoAnswer.default("keep"),
    inactive_days: inactiveDays.default(DEFAULT_INACTIVE_DAYS),
    recurrence: recurrence.default("none"),
  }),
  response: accessReview,
});

const previewCounts = {
  items: count,
  recommended_for_removal: count,
  without_reviewer: count.meta({
    description: "What none of the reviewers has the rights to decide about.",
  }),
};

export const previewAccessReview = route({
  operationId: "previewAccessReview",
  method: "POST",
  path: "/v1/admin/access_reviews/preview",
  summary: "Count what an access review would take down",
  description:
    "With the same fields as starting one; nothing is kept, and nobody is written to. More than one review can hold is a 400, as when starting it.",
  action: "access_reviews:read",
  audited: null,
  body: z.strictObject({
    scope: scopeInput,
    inactive_days: inactiveDays.default(DEFAULT_INACTIVE_DAYS),
    reviewer_ids: z.array(memberId).max(MAX_REVIEWERS).default([]),
  }),
  response: z
    .object({
      type: z.literal("access_review_preview"),
      ...previewCounts,
      paths: z.array(z.object({ path: accessPath, ...previewCounts })).meta({
        description: "One entry for each path of the scope.",
      }),
    })
    .meta({ id: "AccessReviewPreview" }),
});

export const listAccessReviews = route({
  operationId: "listAccessReviews",
  method: "GET",
  path: "/v1/admin/access_reviews",
  summary: "List access reviews",
  description: "Newest first.",
  action: "access_reviews:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    statuses: queryList(status),
    overdue: queryFlag.meta({ description: "Open and past `due_at`, or not." }),
  }),
  response: pageCursor(accessReview),
});

export const getAccessReview = route({
  operationId: "getAccessReview",
  method: "GET",
  path: "/v1/admin/access_reviews/{access_review_id}",
  summary: "Get an access review",
  action: "access_reviews:read",
  audited: null,
  params: reviewParams,
  response: accessReview,
});

export const updateAccessReview = route({
  operationId: "updateAccessReview",
  method: "POST",
  path: "/v1/admin/access_reviews/{access_review_id}",
  summary: "Change an open access review",
  description:
    "Leaves what is omitted. New reviewers are asked by mail. What was taken down at the start stays. Of a review that has ended only the recurrence can be changed, to `none`.",
  action: "access_reviews:write",
  audited: "access_review.updated",
  stepUp: true,
  params: reviewParams,
  body: z.strictObject({
    name: nameText.optional(),
    reviewer_ids: reviewerIds.optional(),
    due_at: instant.optional(),
    auto_close_days: autoCloseDays.optional(),
    if_no_answer: ifNoAnswer.optional(),
    recurrence: recurrence.optional(),
  }),
  response: accessReview,
});

export const closeAccessReview = route({
  operationId: "closeAccessReview",
  method: "POST",
  path: "/v1/admin/access_reviews/{access_review_id}/close",
  summary: "Close an access review and carry out what was decided",
  description:
    "No decision is taken any more. Access that is to go ends: the person is deactivated, the role in the workspace taken back, the key archived or revoked; each in a transaction and with an audit event of its own. What has changed since the start, and the last active Owner, stay as they are, and the item says why. A large review is `applying` for a while; closing it again carries on.",
  action: "access_reviews:write",
  audited: "access_review.closed",
  stepUp: true,
  params: reviewParams,
  response: accessReview,
});

export const cancelAccessReview = route({
  operationId: "cancelAccessReview",
  method: "POST",
  path: "/v1/admin/access_reviews/{access_review_id}/cancel",
  summary: "Cancel an access review",
  description: "Nothing is carried out, and a recurring review does not begin again.",
  action: "access_reviews:write",
  audited: "access_review.cancelled",
  params: reviewParams,
  response: accessReview,
});

export const accessReviewItem = z
  .object({
    id: accessReviewItemId,
    type: z.literal("access_review_item"),
    access_review_id: accessReviewId,
    ...accessFields,
    signals: z.array(z.enum(accessSignals)).meta({
      description: "What speaks for taking the access away, or for looking twice.",
    }),
    recommendation,
    decision: decision.nullable(),
    reason: z.string().nullable(),
    decided_by: person.nullable(),
    decided_at: timestamp.nullable(),
    is_self_review: z.boolean().meta({
      description: "Somebody decided about the own access, because no other reviewer could.",
    }),
    result: z.enum(["kept", "removed", "already_gone", "not_applied"]).nullable(),
    result_message: z.string().nullable(),
    applied_at: timestamp.nullable(),
  })
  .meta({ id: "AccessReviewItem" });

const itemFilters = {
  paths: queryList(accessPath),
  decisions: queryList(z.enum(["undecided", ...decision.options])),
  recommendation: optionalQuery(recommendation),
  results: queryList(z.enum(["kept", "removed", "already_gone", "not_applied"])),
  workspace_id: optionalQuery(workspaceId),
  member_id: optionalQuery(memberId),
};

export const listAccessReviewItems = route({
  operationId: "listAccessReviewItems",
  method: "GET",
  path: "/v1/admin/access_reviews/{access_review_id}/items",
  summary: "List what is reviewed",
  action: "access_reviews:read",
  audited: null,
  params: reviewParams,
  query: z.strictObject({ ...pageCursorQuery, ...itemFilters }),
  response: pageCursor(accessReviewItem),
});

export const exportAccessReviewItems = route({
  operationId: "exportAccessReviewItems",
  method: "GET",
  path: "/v1/admin/access_reviews/{access_review_id}/items/export",
  summary: "Export what is reviewed as CSV",
  description:
    "With decisions and results. A cell that a spreadsheet would take for a formula begins with an apostrophe. It is not signed: the evidence is.",
  action: "access_reviews:read",
  audited: null,
  params: reviewParams,
  response: accessReviewItem,
  streams: ["text/csv"],
});

// What reviewers do. They are people who are signed in, whatever their role: which items are theirs, their rights say.

export const listAssignedAccessReviews = route({
  operationId: "listAssignedAccessReviews",
  method: "GET",
  path: "/v1/admin/assigned_access_reviews",
  summary: "List the access reviews that one is asked to do",
  description: "Open ones unless `statuses` says otherwise; newest first.",
  action: "self:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, statuses: queryList(status) }),
  response: pageCursor(
    z
      .object({
        ...accessReview.shape,
        assigned: z.object({ items: count, undecided: count }).meta({
          description:
            "What one has the rights to decide about, without the own access that another reviewer decides about.",
        }),
      })
      .meta({ id: "AssignedAccessReview" }),
  ),
});

export const listAssignedAccessReviewItems = route({
  operationId: "listAssignedAccessReviewItems",
  method: "GET",
  path: "/v1/admin/assigned_access_review_items",
  summary: "List the access that one is asked to decide about",
  description:
    "Of open reviews, and only what one has the rights to take away. About the own access (`is_own`) another reviewer decides, where there is one who can (`needs_another_reviewer`).",
  action: "self:read",
  audited: null,
  query: z.strictObject({
    ...pageCursorQuery,
    access_review_id: optionalQuery(accessReviewId),
    ...itemFilters,
  }),
  response: pageCursor(
    z
      .object({
        ...accessReviewItem.shape,
        is_own: z.boolean(),
        needs_another_reviewer: z.boolean(),
      })
      .meta({ id: "AssignedAccessReviewItem" }),
  ),
});

const reason = z
  .string()
  .normalize("NFC")
  .trim()
  .min(1)
  .max(MAX_REASON_LENGTH)
  .refine((text) => !/\p{Cc}/u.test(text.replaceAll(/[\n\t]/g, "")), "expected text");

export const decideAccessReviewItems = route({
  operationId: "decideAccessReviewItems",
  method: "POST",
  path: "/v1/admin/access_reviews/{access_review_id}/decisions",
  summary: "Decide about access",
  description:
    "Either `decisions`, or `accept_recommendations` for all that one may decide about and nobody has. Each item has an outcome of its own. Until the review is closed a decision can be changed; another reviewer's only with `override`. About the own access another reviewer decides; where there is none who can, the decision is marked as a self-review.",
  action: "self:write",
  audited: "access_review.decided",
  params: reviewParams,
  body: z.strictObject({
    decisions: z
      .array(
        z.strictObject({
          item_id: accessReviewItemId,
          decision,
          reason: reason.nullable().default(null),
        }),
      )
      .min(1)
      .max(MAX_DECISIONS)
      .optional(),
    accept_recommendations: z.boolean().default(false),
    override: z.boolean().default(false),
  }),
  response: z
    .object({
      type: z.literal("access_review_decisions"),
      access_review_id: accessReviewId,
      results: z.array(
        z.object({
          item_id: z.string(),
          outcome: z.enum([
            "decided",
            "unchanged",
            "already_decided",
            "needs_another_reviewer",
            "not_allowed",
            "not_found",
          ]),
          message: z.string().nullable(),
        }),
      ),
      progress,
    })
    .meta({ id: "AccessReviewDecisions" }),
});

export const accessReviewRoutes = [
  createAccessReview,
  previewAccessReview,
  listAccessReviews,
  getAccessReview,
  updateAccessReview,
  closeAccessReview,
  cancelAccessReview,
  listAccessReviewItems,
  exportAccessReviewItems,
  listAssignedAccessReviews,
  listAssignedAccessReviewItems,
  decideAccessReviewItems,
] as const;
