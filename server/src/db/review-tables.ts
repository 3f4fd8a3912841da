import type { AccessPath } from "@bursar/contract/access-paths.ts";
import type { ColumnType, Generated } from "kysely";

// Rows of 0013_reviews.sql: access reviews, their evidence, and key rotation.

export interface ReviewTables {
  access_review: AccessReviewTable;
  access_review_reviewer: { access_review_id: string; member_id: string };
  access_review_item: AccessReviewItemTable;
  access_review_reminder: AccessReviewReminderTable;
  evidence_key: EvidenceKeyTable;
  rotation_policy: RotationPolicyTable;
  rotation_notice: RotationNoticeTable;
}

interface AccessReviewTable {
  id: string;
  organization_id: string;
  name: string;
  scope_paths: AccessPath[];
  scope_workspace_ids: string[] | null;
  status: Generated<"open" | "applying" | "closed" | "cancelled">;
  if_no_answer: "keep" | "remove" | "as_recommended";
  inactive_days: number;
  due_at: Date;
  auto_close_days: number | null;
  recurrence: "none" | "monthly" | "quarterly" | "yearly";
  begins_at: Date;
  first_begins_at: Date;
  previous_id: string | null;
  /** Reviewers of the next review of an ended one. Null: the same ones. */
  next_reviewer_ids: Generated<string[] | null>;
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  ended_by_type: string | null;
  ended_by_id: string | null;
  ended_at: Date | null;
}

interface AccessReviewItemTable {
  id: string;
  access_review_id: string;
  position: number;
  path: AccessPath;
  role: string;
  member_id: string | null;
  workspace_id: string | null;
  api_key_id: string | null;
  admin_key_id: string | null;
  snapshot: ColumnType<unknown, string, string>;
  signals: string[];
  recommendation: "keep" | "remove";
  decision: Generated<"keep" | "remove" | "not_sure" | null>;
  reason: string | null;
  decided_by_id: string | null;
  decided_at: Date | null;
  is_self_review: Generated<boolean>;
  result: Generated<"kept" | "removed" | "already_gone" | "not_applied" | null>;
  result_message: string | null;
  applied_at: Date | null;
}

interface AccessReviewReminderTable {
  access_review_id: string;
  member_id: string;
  kind: "asked" | "due_in_7_days" | "due_in_1_day" | "overdue";
  sent_at: Date;
}

interface EvidenceKeyTable {
  id: string;
  organization_id: string;
  public_key: Uint8Array;
  private_key_sealed: Uint8Array;
  created_at: Date;
}

interface RotationPolicyTable {
  workspace_id: string;
  rotation_days: number;
  remind_days: number;
  grace_days: number;
  effective_at: Date;
}

interface RotationNoticeTable {
  api_key_secret_id: bigint;
  kind: "due" | "overdue" | "expired";
  policy_effective_at: Date;
  sent_at: Date;
}
