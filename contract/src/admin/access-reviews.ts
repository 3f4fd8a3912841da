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
/** Highest number for one statement. A screen shows far fewer. */
const MAX_DECISIONS = 500;

export const reviewParams = z.strictObject({ access_review_id: accessReviewId });

const status = z.enum(["open", "applying", "closed", "cancelled"]).meta({
  description: "`applying`: closed, and its decisions are being applied.",
});
const ifNoAnswer = z.enum(["keep", "remove", "as_recommended"]).meta({
  description:
    "Decision for access without one at the end, or with `not_sure`. Access of an Owner is never removed without a decision.",
});
const recurrence = z.enum(["none", "monthly", "quarterly", "yearly"]).meta({
  description: "Interval after which the next review starts automatically.",
});
const inactiveDays = z.int().min(1).max(MAX_INACTIVE_DAYS).meta({
  description: "Access unused for this many days is recommended for removal.",
});
const autoCloseDays = z.int().min(0).max(MAX_AUTO_CLOSE_DAYS).nullable().meta({
  description:
    "Days after `due_at` until the review closes automatically. Null: a member closes it.",
});
const decision = z.enum(["keep", "remove", "not_sure"]);
const recommendation = z.enum(["keep", "remove"]);

const scopeInput = z.strictObject({
  paths: z
    .array(accessPath)
    .min(1)
    .max(accessPaths.length)
    .meta({ description: "Kinds of access to review." }),
  workspace_ids: z
    .array(workspaceId)
    .min(1)
    .max(MAX_SCOPE_WORKSPACES)
    .nullable()
    .default(null)
    .meta({
      description:
        "Limits the review to roles and API keys of these workspaces. Organization roles and admin keys are not limited. Null: all workspaces.",
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
      "Accesses that closing would remove now, by decisions and `if_no_answer`. Owners without a decision and roles of groups are not counted.",
  }),
  kept: count,
  removed: count,
  already_gone: count,
  not_applied: count.meta({
    description: "Decided, but not applied. The item says why.",
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
          description: "False: the member has lost the rights that a decision needs.",
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
    "Records every current access in the scope with a recommendation, and notifies the reviewers by e-mail. A role of a group is changed at the group: a decision to remove it is `not_applied`, and `result_message` says which change ends it. A reviewer needs the rights to remove the access: an Owner or Admin, or a Workspace Admin for roles and keys of that workspace.",
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
    description: "Accesses that no reviewer has the rights to decide about.",
  }),
};

export const previewAccessReview = route({
  operationId: "previewAccessReview",
  method: "POST",
  path: "/v1/admin/access_reviews/preview",
  summary: "Preview an access review",
  description:
    "Counts the accesses that a review with these fields would record. Stores nothing and sends no e-mail. More accesses than one review can hold are a 400.",
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
    overdue: queryFlag.meta({
      description: "`true`: open and past `due_at`. `false`: all others.",
    }),
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
    "Omitted fields stay the same. New reviewers are notified by e-mail. The recorded accesses stay the same. After the review has ended, only the recurrence can change, to `none`.",
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
  summary: "Close an access review and apply its decisions",
  description:
    "Ends the decisions. Access to remove ends: the member is deactivated, the workspace role removed, or the key archived or revoked. Each removal is one transaction with its own audit event. Access that has changed since the start stays, as does the last active Owner, and the item says why. A large review is `applying` for a while. Close it again to continue.",
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
  description: "Applies no decision, and ends the recurrence.",
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
      description: "Reasons to remove the access, or to check it.",
    }),
    recommendation,
    decision: decision.nullable(),
    reason: z.string().nullable(),
    decided_by: person.nullable(),
    decided_at: timestamp.nullable(),
    is_self_review: z.boolean().meta({
      description: "The member decided about their own access, since no other reviewer could.",
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
  summary: "List the items of an access review",
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
  summary: "Export the items of an access review as CSV",
  description:
    "Includes decisions and results. Cells that a spreadsheet would read as a formula begin with an apostrophe. The file is not signed. The evidence is.",
  action: "access_reviews:read",
  audited: null,
  params: reviewParams,
  response: accessReviewItem,
  streams: ["text/csv"],
});

// Routes of reviewers: signed-in members with any role. Their rights decide which items are theirs.

export const listAssignedAccessReviews = route({
  operationId: "listAssignedAccessReviews",
  method: "GET",
  path: "/v1/admin/assigned_access_reviews",
  summary: "List assigned access reviews",
  description: "Lists open reviews, or those with `statuses`, newest first.",
  action: "self:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery, statuses: queryList(status) }),
  response: pageCursor(
    z
      .object({
        ...accessReview.shape,
        assigned: z.object({ items: count, undecided: count }).meta({
          description:
            "Items that the member has the rights to decide about, without own access that another reviewer decides about.",
        }),
      })
      .meta({ id: "AssignedAccessReview" }),
  ),
});

export const listAssignedAccessReviewItems = route({
  operationId: "listAssignedAccessReviewItems",
  method: "GET",
  path: "/v1/admin/assigned_access_review_items",
  summary: "List assigned access review items",
  description:
    "Lists items of open reviews whose access the member has the rights to remove. Another reviewer decides about own access (`is_own`), if one can (`needs_another_reviewer`).",
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
    "Send either `decisions`, or `accept_recommendations` for all undecided items of the member. Each item has its own outcome. A decision can change until the review is closed, that of another reviewer only with `override`. Another reviewer decides about own access. If none can, the decision is marked as a self-review.",
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
