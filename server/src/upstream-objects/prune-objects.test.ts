import { expect } from "vitest";
import { test } from "#test/harness/database-test.ts";
import { ORGANIZATION_ID } from "#test/harness/gateway.ts";
import { openObjectGateway } from "#test/harness/object-gateway.ts";
import { pruneObjects } from "./prune-objects.ts";

const DAY_MS = 86_400_000;

test("owners of objects are deleted a month after the objects expired, and no earlier", async ({
  db,
}) => {
  const { objects } = await openObjectGateway({ db });
  const caller = { organizationId: ORGANIZATION_ID, workspaceId: "wrkspc_old", id: "apikey_1" };
  const kept = { kind: "file", upstreamId: "upst_1", failover: null, description: null } as const;
  const endOf = (days: number) => new Date(Date.now() - days * DAY_MS);
  await objects.record(caller, [
    { ...kept, id: "file_endless", expiresAt: null },
    { ...kept, id: "file_recent", expiresAt: endOf(29) },
    { ...kept, id: "file_old", expiresAt: endOf(31) },
  ]);
  expect(await pruneObjects(db.database)).toBe(1);
  const names = ["file_endless", "file_recent", "file_old"].map((id) => ({
    kind: "file" as const,
    id,
  }));
  const found = await objects.findAll(caller, names);
  expect(found.map(({ id }) => id).sort()).toEqual(["file_endless", "file_recent"]);
});
