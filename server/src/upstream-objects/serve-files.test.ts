import { createHash } from "node:crypto";
import Anthropic from "@anthropic-ai/sdk";
import { describe, expect } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { test } from "#test/harness/database-test.ts";
import type { Answer } from "#test/harness/gateway.ts";
import { openUpstream } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { type ObjectClient, openObjectGateway } from "#test/harness/object-gateway.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const errorOf = (answer: Answer) => JSON.parse(answer.text).error;
const upload = ({ sdk }: ObjectClient, name: string, content: string | Buffer = "content") =>
  sdk.files.upload({ file: new File([new Uint8Array(Buffer.from(content))], name) });
const idsOf = async (list: AsyncIterable<{ id: string }>) => {
  const ids: string[] = [];
  for await (const { id } of list) ids.push(id);
  return ids;
};

describeEachReader((reader) => {
  const workspace = (name: string) => `wrkspc_${reader}_${name}`;

  describe("files", () => {
    test("are uploaded, listed, read, downloaded and deleted by the official SDK", async ({
      db,
    }) => {
      const { addWorkspace } = await openObjectGateway({ db });
      const client = addWorkspace(workspace("sdk"));
      const content = Buffer.alloc(2 * 1024 * 1024, "0123456789abcdef");
      const file = await upload(client, "downloadable.bin", content);
      expect(file).toMatchObject({ type: "file", size_bytes: content.length });
      expect(await client.sdk.files.retrieveMetadata(file.id)).toEqual(file);
      expect((await client.sdk.files.list()).data).toEqual([file]);
      const download = await client.sdk.files.download(file.id);
      expect(sha256(new Uint8Array(await download.arrayBuffer()))).toBe(sha256(content));
      expect(await client.sdk.files.delete(file.id)).toEqual({ id: file.id, type: "file_deleted" });
      await expect(client.sdk.files.retrieveMetadata(file.id)).rejects.toThrow(
        Anthropic.NotFoundError,
      );
      expect((await client.sdk.files.list()).data).toEqual([]);
    });

    test("are listed newest first, in pages of both official forms", async ({ db }) => {
      const { addWorkspace } = await openObjectGateway({ db });
      const client = addWorkspace(workspace("pages"));
      const uploaded: string[] = [];
      for (const name of ["a", "b", "c", "d", "e"])
        uploaded.unshift((await upload(client, name)).id);
      expect(await idsOf(client.sdk.files.list({ limit: 2 }))).toEqual(uploaded);
      const page = async (query: string) => {
        const answer = await client.call({ method: "GET", path: `/v1/files?${query}` });
        const { data, has_more, first_id, last_id } = JSON.parse(answer.text);
        return [data.map(({ id }: { id: string }) => id), has_more, first_id, last_id];
      };
      const [e, d, c, b, a] = uploaded;
      expect(await page("limit=2")).toEqual([[e, d], true, e, d]);
      expect(await page(`limit=2&after_id=${d}`)).toEqual([[c, b], true, c, b]);
      expect(await page(`limit=2&before_id=${c}`)).toEqual([[e, d], false, e, d]);
      expect(await page(`after_id=${a}`)).toEqual([[], false, null, null]);
      const ids = [b as string, "file_unknown", "\0", d as string];
      const some = await client.sdk.files.list({ ids });
      expect([some.data.map(({ id }) => id), some.next_page]).toEqual([[d, b], null]);
    });

    test.for([
      ["limit=0", "limit"],
      ["limit=1001", "limit"],
      ["limit=x", "limit"],
      ["page=x", "page"],
      ["after_id=file_unknown", "after_id"],
      ["before_id=%00", "before_id"],
      ["ids[]=file_1&limit=2", "ids"],
      [Array.from({ length: 101 }, (_, i) => `ids[]=file_${i}`).join("&"), "ids"],
    ] as const)("refuse the list query %s", async ([query, path], { db }) => {
      const { addWorkspace } = await openObjectGateway({ db });
      const answer = await addWorkspace(workspace("query")).call({
        method: "GET",
        path: `/v1/files?${query}`,
      });
      expect([answer.status, errorOf(answer).details.fields[0].path]).toEqual([400, path]);
    });

    test("keep their owner if their upstream returns the id again", async ({ db }) => {
      const upstream = await openUpstream();
      const described = { type: "file", id: `file_${reader}`, created_at: "2026-11-30T12:00:00Z" };
      upstream.script = (exchange) => exchange.json(described);
      const { addWorkspace } = await openObjectGateway({ db, origin: upstream.origin });
      const [first, second] = [addWorkspace(workspace("first")), addWorkspace(workspace("second"))];
      await upload(first, "a");
      await upload(second, "b");
      const path = `/v1/files/${described.id}`;
      expect((await first.call({ method: "GET", path })).status).toBe(200);
      expect((await second.call({ method: "GET", path })).status).toBe(404);
    });

    test("are deleted again if their owner cannot be recorded", async ({ db }) => {
      const upstream = await openUpstream();
      upstream.script = (exchange) => exchange.json({ type: "file", id: "file_lost" });
      const record = () =>
        Promise.reject(new ApiError("database_unavailable", "The database is away."));
      const { addWorkspace } = await openObjectGateway({
        db,
        origin: upstream.origin,
        objects: { record },
      });
      const client = addWorkspace(workspace("lost"));
      const answer = await client.call({ path: "/v1/files", body: "x" });
      expect([answer.status, errorOf(answer).details.error_code]).toEqual([
        503,
        "database_unavailable",
      ]);
      expect(upstream.received.map(({ method, url }) => [method, url])).toEqual([
        ["POST", "/v1/files"],
        ["DELETE", "/v1/files/file_lost"],
      ]);
    });

    test("get the upstream's own refusal of an upload", async ({ db }) => {
      const upstream = await openUpstream();
      const refusal = { type: "error", error: { type: "invalid_request_error", message: "full" } };
      upstream.script = (exchange) => exchange.json(refusal, { status: 400 });
      const { addWorkspace } = await openObjectGateway({ db, origin: upstream.origin });
      const client = addWorkspace(workspace("refused"));
      const answer = await client.call({ path: "/v1/files", body: "x" });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([400, refusal]);
      expect((await client.sdk.files.list()).data).toEqual([]);
    });

    test("that a tool made are described in lists, and leave them when the upstream has deleted them", async ({
      db,
    }) => {
      const { addWorkspace, objects } = await openObjectGateway({ db });
      const client = addWorkspace(workspace("made"));
      const file = await upload(client, "plot.png");
      const caller = {
        organizationId: "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f",
        workspaceId: client.workspaceId,
        id: "apikey_test",
      };
      const [row] = (await objects.list(caller, { kind: "file", page: firstPage })).rows;
      const upstreamId = row?.upstream_id ?? "";
      await objects.delete(caller, { kind: "file", id: file.id, upstreamId });
      const made = {
        kind: "file",
        upstreamId,
        expiresAt: null,
        failover: null,
        description: null,
      } as const;
      await objects.record(caller, [
        { ...made, id: file.id },
        { ...made, id: `file_gone_${reader}` },
      ]);
      expect((await client.sdk.files.list()).data).toEqual([file]);
      const rows = (await objects.list(caller, { kind: "file", page: firstPage })).rows;
      expect(rows.map(({ id, description }) => [id, description])).toEqual([[file.id, file]]);
    });
  });
});

const firstPage = { limit: 10, direction: "older", from: null } as const;
