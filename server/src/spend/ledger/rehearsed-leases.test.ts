import { expect, test } from "vitest";
import { systemClock } from "#src/lib/clock.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { makeRehearsedLeases } from "./rehearsed-leases.ts";

const record = endRecord(beginRecord(), 10n);
const { organizationId, workspaceId, apiKeyId, requestId } = record;
const scope = { organizationId, workspaceId, apiKeyId };

function leasesUnder(amountNanoUsd: bigint) {
  const scopeOfLimit = { scopeType: "workspace", scopeId: workspaceId } as const;
  const limit = { id: "spl_1", organizationId, period: "monthly", amountNanoUsd } as const;
  return makeRehearsedLeases({ limits: [{ ...limit, ...scopeOfLimit }], clock: systemClock });
}

test("a request within the limit is held, and the next one too after its end", async () => {
  const leases = leasesUnder(1_000_000n);
  expect(leases.isHoldRequired(organizationId)).toBe(true);
  expect(await leases.hold({ requestId, scope, amountNanoUsd: 60n })).toMatchObject({
    kind: "held",
    holdNanoUsd: 60n,
  });
  leases.recordEnd(record);
  const next = await leases.hold({ requestId: "req_next", scope, amountNanoUsd: 60n });
  expect(next).toMatchObject({ kind: "held" });
});

test("a request under a limit of zero is refused", async () => {
  const leases = leasesUnder(0n);
  const refused = await leases.hold({ requestId, scope, amountNanoUsd: 60n });
  expect(refused).toMatchObject({ kind: "refused" });
});
