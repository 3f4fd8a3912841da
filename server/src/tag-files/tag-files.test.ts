import type { tagFileRoutes } from "@bursar/contract/admin/tag-files.ts";
import { expect } from "vitest";
import type { z } from "zod";
import { findAuditHead, listChain } from "#src/audit/audit.sql.ts";
import type { Client } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";

type TagImport = z.output<(typeof tagFileRoutes)[1]["response"]>;

const IMPORT = "/v1/admin/tags/import";
const test = base
  .extend("eventsSince", ({ h, org }) => async (seq: bigint | undefined) => {
    const range = { organizationId: org.id, afterSeq: seq ?? 0n, limit: 20 };
    return await listChain(h.deps.database, range);
  })
  .extend(
    "readHead",
    ({ h, org }) =>
      async () =>
        (await findAuditHead(h.deps.database, org.id))?.seq,
  );

const importFile = (client: Client, csv: string, query = "") =>
  client.post<TagImport>(`${IMPORT}${query}`, { csv });
const tagsOf = async (client: Client, path: string) =>
  (await client.get<{ tags: Record<string, string> }>(path)).body.tags;
const faultsOf = ({ error }: Awaited<ReturnType<typeof importFile>>) => {
  const { details } = error as { details?: { file_errors?: { line: number; code: string }[] } };
  return details?.file_errors?.map(({ line, code }) => [line, code]);
};

test("an exported file changes nothing when it is imported, whatever the tags are", async ({
  org: { admin },
  readHead,
}) => {
  const tags = { formula: "=1+1", quoted: "'=a", text: 'a,"b";c', city: "Köln 東京", minus: "-5" };
  const { id } = await admin.createWorkspace({ tags, name: "=HYPERLINK(1)" });
  await admin.createWorkspace({ tags: { city: "" } });
  await admin.createApiKey(id, { tags: { "+plus": "@at" } });
  const before = await readHead();
  const file = await admin.get("/v1/admin/tags/export");
  expect(file.headers["content-type"]).toBe("text/csv; charset=utf-8");
  expect(file.headers["content-disposition"]).toMatch(/filename="tags-\d{4}-\d\d-\d\d\.csv"/);
  expect(file.text).toMatch(/^\uFEFFkind,id,name,workspace,tag:\+plus,tag:city,tag:formula,/);
  expect(file.text).toContain(`workspace,${id},'=HYPERLINK(1),'=HYPERLINK(1),,Köln 東京,'=1+1`);
  const again = await importFile(admin, file.text);
  expect(again.body).toMatchObject({ changed_row_count: 0, changed_tag_count: 0, changes: [] });
  expect(again.body.row_count).toBeGreaterThanOrEqual(3);
  expect(await readHead()).toBe(before);
  const chosen = await admin.get("/v1/admin/tags/export?name=cost_center");
  expect(chosen.text.split("\r\n")[0]).toBe("\uFEFFkind,id,name,workspace,tag:cost_center");
});

test("an import sets, replaces and removes tags with one event for each subject, and a dry run shows it", async ({
  org: { admin },
  readHead,
  eventsSince,
}) => {
  const workspace = await admin.createWorkspace({ tags: { cost_center: "1", stage: "test" } });
  const key = await admin.createApiKey(workspace.id, { tags: { cost_center: "2", job: "x" } });
  const same = await admin.createApiKey(workspace.id, { tags: { cost_center: "3" } });
  const csv = `id;kind;tag:cost_center;tag:job;tag:brand_new\r
${workspace.id};workspace;10;;\r
${key.id};api_key;;y;A\r
${same.id};api_key;3;;\r\n`;
  const before = await readHead();
  const dry = await importFile(admin, csv, "?dry_run=true");
  const changes = [
    { id: workspace.id, tag: "cost_center", before: "1", after: "10" },
    { id: key.id, tag: "cost_center", before: "2", after: null },
    { id: key.id, tag: "job", before: "x", after: "y" },
    { id: key.id, tag: "brand_new", before: null, after: "A" },
  ];
  const counts = { row_count: 3, changed_row_count: 2, changed_tag_count: 4 };
  const expected = { ...counts, new_names: ["brand_new"], changes };
  expect(dry.body).toMatchObject({ ...expected, is_dry_run: true });
  expect(await readHead()).toBe(before);
  const done = await importFile(admin, csv);
  expect(done.body).toEqual({ ...dry.body, is_dry_run: false });
  const workspacePath = `/v1/admin/workspaces/${workspace.id}`;
  expect(await tagsOf(admin, workspacePath)).toEqual({ cost_center: "10", stage: "test" });
  expect(await tagsOf(admin, `/v1/admin/api_keys/${key.id}`)).toEqual({ job: "y", brand_new: "A" });
  const events = await eventsSince(before);
  expect(events.map(({ event, subjectId, actorType }) => [event, subjectId, actorType])).toEqual([
    ["workspace.updated", workspace.id, "admin_key"],
    ["api_key.updated", key.id, "admin_key"],
  ]);
  // The same payload as after a change of the one key.
  await admin.post(`/v1/admin/api_keys/${key.id}`, { tags: { job: "z" } });
  const [, imported, single] = await eventsSince(before);
  const withoutTags = (value: unknown) => ({ ...(value as object), tags: null });
  expect(withoutTags(imported?.after)).toEqual(withoutTags(single?.after));
  expect(imported?.after).toEqual(single?.before);
});

test("one faulty row refuses the whole file, and all faults are listed by line", async ({
  h,
  org: { admin },
  readHead,
}) => {
  const workspace = await admin.createWorkspace();
  const gone = await admin.createWorkspace();
  await admin.post(`/v1/admin/workspaces/${gone.id}/archive`);
  const soon = new Date(h.clock.nowMs + 60_000).toISOString();
  const expired = await admin.createApiKey(workspace.id, { expires_at: soon });
  const cased = await admin.createApiKey(workspace.id, { tags: { Team: "a" } });
  const full = await admin.createApiKey(workspace.id, {
    tags: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, "x"])),
  });
  const other = await (await h.organization()).admin.createWorkspace();
  h.clock.nowMs += 120_000;
  const csv = [
    "kind,id,tag:team",
    `workspace,${workspace.id},ads`,
    `workspace,${gone.id},`,
    `workspace,${other.id},ads`,
    "workspace,wksp_unknown,ads",
    `api_key,${workspace.id},ads`,
    `api_key,${expired.id},ads`,
    `api_key,${cased.id},b`,
    `api_key,${full.id},b`,
    `api_key,${full.id},"a\nb"`,
  ];
  const before = await readHead();
  const answer = await importFile(admin, csv.join("\n"));
  expect(answer).toMatchObject({
    status: 400,
    error: {
      type: "invalid_request_error",
      message:
        "The file has 8 faults, and nothing was changed. Line 3: The workspace is archived. Remove the row.",
      details: { error_code: "tag_file_invalid", file_error_count: 8 },
    },
  });
  expect(faultsOf(answer)).toEqual([
    [3, "resource_archived"],
    [4, "resource_not_found"],
    [5, "resource_not_found"],
    [6, "resource_not_found"],
    [7, "resource_expired"],
    [8, "tag_names_similar"],
    [9, "too_many_tags"],
    [10, "row_duplicate"],
  ]);
  expect(await readHead()).toBe(before);
  expect(await tagsOf(admin, `/v1/admin/workspaces/${workspace.id}`)).toEqual({});
});

test("each changed row needs the rights of a single change, and an unchanged one needs none", async ({
  org,
}) => {
  const { admin } = org;
  const mine = await admin.createWorkspace({ tags: { cost_center: "1" } });
  const theirs = await admin.createWorkspace({ tags: { cost_center: "2" } });
  const hidden = await admin.createWorkspace();
  const { client } = await org.member({
    workspaces: { [mine.id]: "workspace_admin", [theirs.id]: "workspace_user" },
  });
  const key = await client.createApiKey(mine.id);
  const file = await client.get("/v1/admin/tags/export");
  const rows = file.text.trim().split("\r\n").slice(1);
  expect(rows.map((row) => row.split(",")[1]).toSorted()).toEqual(
    [key.id, mine.id, theirs.id].toSorted(),
  );
  const heading = "kind,id,tag:cost_center,tag:team";
  const own = `${heading}\nworkspace,${mine.id},1,ads\nworkspace,${theirs.id},2,\napi_key,${key.id},,ads`;
  expect((await importFile(client, own)).body).toMatchObject({ changed_row_count: 2 });
  const refused = [
    heading,
    `workspace,${mine.id},9,ads`,
    `workspace,${theirs.id},2,ads`,
    `workspace,${hidden.id},,ads`,
    `api_key,${key.id},9,ads`,
  ];
  expect(faultsOf(await importFile(client, refused.join("\n")))).toEqual([
    [2, "tag_set_above"],
    [3, "permission_denied"],
    [4, "resource_not_found"],
    [5, "tag_set_above"],
  ]);
  const developer = await org.member({ workspaces: { [mine.id]: "workspace_developer" } });
  const foreign = `kind,id,tag:team\napi_key,${key.id},maps`;
  expect(faultsOf(await importFile(developer.client, foreign))).toEqual([[2, "permission_denied"]]);
});

test("programs send the file itself, and other encodings are refused", async ({
  org: { admin },
}) => {
  const { id } = await admin.createWorkspace();
  const text = `kind,id,tag:city\nworkspace,${id},Köln`;
  const send = (payload: Buffer, type = "text/csv; charset=utf-8") =>
    admin.send<TagImport>({
      method: "POST",
      url: IMPORT,
      headers: { "content-type": type },
      payload,
    });
  for (const encoding of ["latin1", "utf16le"] as const) {
    const [fault] = faultsOf(await send(Buffer.from(text, encoding))) ?? [];
    expect(fault?.[1]).toBe("encoding_invalid");
  }
  expect((await send(Buffer.from(text), "text/csv; charset=latin1")).error.message).toBe(
    "content-type: expected application/json or text/csv.",
  );
  expect((await send(Buffer.from(text))).body).toMatchObject({ changed_tag_count: 1 });
  expect(await tagsOf(admin, `/v1/admin/workspaces/${id}`)).toEqual({ city: "Köln" });
});

test("files of the same keys that are imported at once are applied one after the other", async ({
  org: { admin },
}) => {
  const { id } = await admin.createWorkspace();
  const keys = await Promise.all(Array.from({ length: 10 }, () => admin.createApiKey(id)));
  const rows = keys.map((key) => `api_key,${key.id},`);
  const files = ["a", "b", "c"].map((value) => {
    const ordered = value === "b" ? rows.toReversed() : rows;
    return [`kind,id,tag:city`, ...ordered.map((row) => row + value)].join("\n");
  });
  const answers = await Promise.all(files.map((csv) => importFile(admin, csv)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const cities = await Promise.all(
    keys.map(async (key) => (await tagsOf(admin, `/v1/admin/api_keys/${key.id}`))["city"]),
  );
  expect(new Set(cities).size).toBe(1);
});
