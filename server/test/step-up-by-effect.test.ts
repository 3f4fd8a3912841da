import { describe, expect } from "vitest";
import { findAuditHead } from "#src/audit/audit.sql.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import type { OwnerCall } from "./harness/route-samples/sample.ts";
import { findFirstId } from "./harness/route-samples/subjects.ts";
import { callRoute, makeNeeds, namedRoutes, sampleOf } from "./harness/route-samples.ts";

// Routes with `stepUp: "if_wider"` request a step-up for a call that widens access or raises a limit, and for no other
// call. In an emergency people stop keys and lower limits at once.

const guarded = namedRoutes.filter(([, route]) => "stepUp" in route && route.stepUp === "if_wider");

const test = base.extend(
  "call",
  ({ h }) =>
    async (of: (typeof guarded)[number][1], make?: OwnerCall) => {
      const org = await h.organization("Steps");
      const made = await makeNeeds(org, of);
      await sampleOf(of).prepare?.(org.operator, made);
      const owner = await org.member({ role: "owner", steppedUpAtMs: null });
      const requestReset = async ({ email }: { email: string }) => {
        await h.visitor.post("/v1/admin/password_reset", { email });
        await h.deps.background.waitUntilIdle();
        return findFirstId(org.operator, "/v1/admin/mail");
      };
      const sent = await make?.({ org, owner, made, requestReset });
      const before = await findAuditHead(h.deps.database, org.id);
      const answer = await callRoute(owner.client, of, { ...made, ...sent?.ids }, sent?.body);
      const after = await findAuditHead(h.deps.database, org.id);
      return { answer, isChanged: before?.seq !== after?.seq };
    },
);

describe("without a step-up", () => {
  test.for(guarded)("a call that widens is refused: %s", async ([_, route], { call }) => {
    const { ifWider } = sampleOf(route);
    expect(ifWider).toBeDefined();
    const { answer, isChanged } = await call(route, ifWider?.wider);
    expect([answer.status, answer.error.details?.error_code, isChanged]).toEqual([
      403,
      "step_up_required",
      false,
    ]);
    expect(answer.headers["bursar-step-up"]).toBe("required");
  });

  test.for(guarded)("a call that narrows is made: %s", async ([_, route], { call }) => {
    const { answer, isChanged } = await call(route, sampleOf(route).ifWider?.narrower);
    expect([answer.status, answer.error.message, isChanged]).toEqual([200, "", true]);
  });
});

test("only these routes have samples of wider and narrower calls", () => {
  const sampled = namedRoutes.filter(([, route]) => sampleOf(route).ifWider !== undefined);
  expect(sampled.map(([name]) => name)).toEqual(guarded.map(([name]) => name));
});
