import { expect, test } from "vitest";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import { chainOf, haveSameChain, scopeIdsOf, sumCharges } from "./charges.ts";
import { decodeHoldCharges, encodeHoldCharges } from "./hold-charges.ts";

const PLACE = { organizationId: "org", workspaceId: "wksp_1", apiKeyId: "apikey_1" };
const PEOPLE = { memberId: "user_1", groupIds: ["group_1", "group_2"], tagIds: ["tag_1"] };
const START_MS = Date.UTC(2026, 10, 20, 12);

function ended(nanoUsd: bigint, fields: object = {}) {
  const begin = beginRecord({ ...PLACE, startedAtMs: START_MS, ...fields });
  return endRecord(begin, nanoUsd);
}

test("a chain lists its scopes from the narrowest to the widest", () => {
  expect(chainOf({ ...PLACE, ...PEOPLE })).toEqual([
    ["api_key", "apikey_1"],
    ["member", "user_1"],
    ["tag", "tag_1"],
    ["group", "group_1"],
    ["group", "group_2"],
    ["workspace", "wksp_1"],
    ["organization", "org"],
  ]);
});

test.each([{}, { memberId: "user_1" }, { tagIds: ["tag_1"] }, { groupIds: ["group_1"] }, PEOPLE])(
  "the ids are those of the chain, in its order: %o",
  (people) => {
    const scope = { ...PLACE, ...people };
    expect(scopeIdsOf(scope)).toEqual(chainOf(scope).map(([, id]) => id));
  },
);

test("requests of one key have other chains after a change of groups, tags or owner", () => {
  const scope = { ...PLACE, ...PEOPLE };
  expect(haveSameChain(scope, { ...scope, groupIds: [...PEOPLE.groupIds] })).toBe(true);
  expect(haveSameChain(scope, { ...scope, groupIds: ["group_1"] })).toBe(false);
  expect(haveSameChain(scope, { ...scope, tagIds: undefined })).toBe(false);
  expect(haveSameChain(scope, { ...scope, memberId: undefined })).toBe(false);
});

test("a batch counts each request in the groups that it had at its start", () => {
  const charges = sumCharges([ended(5n, PEOPLE), ended(7n, { ...PEOPLE, groupIds: ["group_2"] })]);
  const daily = charges.filter(({ period }) => period === "daily");
  expect(Object.fromEntries(daily.map(({ scopeId, nanoUsd }) => [scopeId, nanoUsd]))).toEqual({
    ...{ apikey_1: 12n, user_1: 12n, tag_1: 12n, wksp_1: 12n, org: 12n },
    ...{ group_1: 5n, group_2: 12n },
  });
});

test("a smaller hold of one group leaves the hold of the others", () => {
  const smaller = { scopeType: "group", scopeId: "group_2", period: "daily", nanoUsd: 3n } as const;
  const record = ended(10n, { ...PEOPLE, holdNanoUsd: 8n, smallerHolds: [smaller] });
  const overruns = decodeHoldCharges(JSON.parse(encodeHoldCharges([record])));
  const ofGroups = overruns.filter(({ scopeType }) => scopeType === "group");
  expect(
    ofGroups.map(({ scopeId, period, overrunNanoUsd }) => [scopeId, period, overrunNanoUsd]),
  ).toEqual([
    ["group_1", "daily", 2n],
    ["group_1", "monthly", 2n],
    ["group_1", "weekly", 2n],
    ["group_2", "daily", 7n],
    ["group_2", "monthly", 2n],
    ["group_2", "weekly", 2n],
  ]);
});
