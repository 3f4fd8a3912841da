import type {
  accessReview,
  accessReviewItem,
  decideAccessReviewItems,
} from "@bursar/contract/admin/access-reviews.ts";
import { sql } from "kysely";
import type { z } from "zod";
import type {
  AdminHarness,
  Answer,
  Client,
  Listed,
  TestMember,
  TestOrganization,
} from "./admin.ts";

export type Review = z.output<typeof accessReview>;
export type Item = z.output<typeof accessReviewItem>;
export type Decided = z.output<(typeof decideAccessReviewItems)["response"]>;

export const REVIEWS = "/v1/admin/access_reviews";
export const DAY_MS = 86_400_000;

/** Access reviews of the roles in one workspace. */
export interface Reviews {
  workspaceId: string;
  /** Reviewer of every review that names no other. */
  admin: TestMember;
  inDays(days: number): string;
  create(fields?: object): Promise<Review>;
  listItems(review: Review, query?: string): Promise<Item[]>;
  reread(review: Review): Promise<Review>;
  decide(client: Client, review: Review, body: object): Promise<Answer<Decided>>;
  decideOne(
    client: Client,
    review: Review,
    item: Item,
    decision: string,
    more?: object,
  ): Promise<Answer<Decided>>;
  close(review: Review, client?: Client): Promise<Answer<Review>>;
  /** Creates a member with the role in the workspace. */
  createMember(role?: string): Promise<TestMember>;
  /** Sets the times of the members' roles and of their last use. */
  setLastUse(
    memberIds: string[],
    of: { grantedDaysAgo: number; usedDaysAgo: number | null },
  ): Promise<void>;
}

export async function makeReviews(h: AdminHarness, org: TestOrganization): Promise<Reviews> {
  const { id: workspaceId } = await org.admin.createWorkspace();
  const admin = await org.member({ role: "admin" });
  const inDays = (days: number) => new Date(h.clock.nowMs + days * DAY_MS).toISOString();
  const decide = (client: Client, review: Review, body: object) =>
    client.post<Decided>(`${REVIEWS}/${review.id}/decisions`, body);
  return {
    ...{ workspaceId, admin, inDays, decide },
    create: async (fields = {}) => {
      const answer = await org.admin.post<Review>(REVIEWS, {
        name: "Autumn",
        scope: { paths: ["workspace_role"], workspace_ids: [workspaceId] },
        reviewer_ids: [admin.id],
        due_at: inDays(14),
        ...fields,
      });
      if (answer.status !== 200) throw new Error(`cannot create a review: ${answer.text}`);
      return answer.body;
    },
    listItems: async (review, query = "") => {
      const path = `${REVIEWS}/${review.id}/items?limit=100${query}`;
      return (await org.admin.get<Listed<Item>>(path)).body.data;
    },
    reread: async (review) => (await org.admin.get<Review>(`${REVIEWS}/${review.id}`)).body,
    decideOne: (client, review, item, decision, more = {}) =>
      decide(client, review, { decisions: [{ item_id: item.id, decision }], ...more }),
    close: (review, client = org.admin) => client.post<Review>(`${REVIEWS}/${review.id}/close`),
    createMember: (role = "workspace_developer") =>
      org.member({ role: "user", workspaces: { [workspaceId]: role as "workspace_developer" } }),
    setLastUse: async (memberIds, { grantedDaysAgo, usedDaysAgo }) => {
      const at = (days: number) => new Date(h.clock.nowMs - days * DAY_MS);
      const usedAt = usedDaysAgo === null ? null : at(usedDaysAgo);
      await sql`UPDATE workspace_member SET created_at = ${at(grantedDaysAgo)} WHERE member_id = ANY(${memberIds})`.execute(
        h.deps.database,
      );
      await sql`UPDATE member SET last_active_at = ${usedAt} WHERE id = ANY(${memberIds})`.execute(
        h.deps.database,
      );
    },
  };
}
