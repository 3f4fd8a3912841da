import type { officialWorkspace } from "@bursar/contract/admin/workspaces.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Listed, Workspace } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";

const COMPANY = "/v1/admin/workspaces";
const OFFICIAL = "/v1/organizations/workspaces";

type Official = z.output<typeof officialWorkspace>;
interface OfficialPage {
  data: Official[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

const test = base
  /** Creates workspaces one millisecond apart. */
  .extend("makeSeveral", ({ h, org }) => async (count: number): Promise<Workspace[]> => {
    const made: Workspace[] = [];
    for (let i = 0; i < count; i++) {
      h.clock.nowMs++;
      made.push(await org.admin.createWorkspace({ name: `Team ${i}` }));
    }
    return made;
  })
  .extend("findDefault", ({ org }) => async () => {
    const { body } = await org.admin.get<Listed<Workspace>>(COMPANY);
    return body.data.find((workspace) => workspace.is_default);
  });

const idsOf = (items: { id: string }[]) => items.map(({ id }) => id);

describe("creating", () => {
  test("returns every field in the Bursar and the official shape", async ({ h, org }) => {
    const made = await org.admin.post<Workspace>(COMPANY, {
      name: "  Research ",
      description: "Finds things",
      display_color: "#123ABC",
      tags: { team: "r&d" },
    });
    const createdAt = new Date(h.clock.nowMs).toISOString();
    expect(made.body).toEqual({
      id: expect.stringMatching(/^wksp_[0-9A-Za-z]{24}$/),
      type: "workspace",
      name: "Research",
      description: "Finds things",
      display_color: "#123ABC",
      tags: { team: "r&d" },
      personal_keys: "off",
      personal_key_models: null,
      personal_key_lifetime_days: null,
      personal_keys_per_member: null,
      is_default: false,
      created_at: createdAt,
      archived_at: null,
    });
    const official = await org.admin.get<Official>(`${OFFICIAL}/${made.body.id}`);
    expect(official.body).toEqual({
      id: made.body.id,
      type: "workspace",
      name: "Research",
      display_color: "#123ABC",
      created_at: createdAt,
      archived_at: null,
      compartment_id: made.body.id,
      data_residency: {
        workspace_geo: "us",
        allowed_inference_geos: "unrestricted",
        default_inference_geo: "global",
      },
      external_key_id: null,
      tags: { team: "r&d" },
      user_profile_id: null,
    });
  });

  test("accepts the official body with its nulls and defaults", async ({ org }) => {
    const made = await org.admin.post<Official>(OFFICIAL, {
      name: "Official",
      data_residency: { workspace_geo: "us", allowed_inference_geos: "unrestricted" },
      display_color: null,
      external_key_id: null,
      tags: null,
      user_profile_id: null,
    });
    expect(made.status).toBe(200);
    expect(made.body.display_color).toMatch(/^#[0-9A-F]{6}$/);
    expect(made.body.tags).toEqual({});
  });

  test.for([
    [{ external_key_id: "ekey_1" }, "external_key_id: is not available"],
    [{ user_profile_id: "uprof_1" }, "user_profile_id: is not available"],
    [{ data_residency: { default_inference_geo: "us" } }, "data_residency.default_inference_geo"],
  ] as const)("refuses unsupported settings: %j", async ([extra, message], { org }) => {
    const answer = await org.admin.post(OFFICIAL, { name: "No", ...extra });
    expect(answer.status).toBe(400);
    expect(answer.error.message).toContain(message);
  });

  const internal = { type: "internal" };
  test.for([
    {},
    {
      human_review: { type: "enabled" },
      safeguards_storage: internal,
      transcripts_storage: internal,
    },
  ])("accepts the default data privacy and stores nothing: %j", async (privacy, { org }) => {
    const body = {
      name: `Private ${Object.keys(privacy).length}`,
      inference_data_privacy: privacy,
    };
    const made = await org.admin.post<Official>(OFFICIAL, body);
    expect(made.status).toBe(200);
    expect(made.body).not.toHaveProperty("inference_data_privacy");
    const changed = await org.admin.post(`${OFFICIAL}/${made.body.id}`, {
      inference_data_privacy: privacy,
    });
    expect(changed.status).toBe(200);
  });

  const external = { type: "external", external_storage_id: "arn:aws:s3:::bucket" };
  test.for([
    [{ safeguards_storage: external }, "external_storage_not_available", "safeguards_storage"],
    [{ transcripts_storage: external }, "external_storage_not_available", "transcripts_storage"],
    [{ human_review: { type: "disabled" } }, "human_review_not_available", "human_review"],
  ] as const)(
    "refuses data privacy that only Anthropic can set: %j",
    async ([privacy, code, field], { org }) => {
      const body = { name: "Refused", inference_data_privacy: privacy };
      const created = await org.admin.post(OFFICIAL, body);
      const workspace = await org.admin.post<Official>(OFFICIAL, { name: `For ${field}` });
      const changed = await org.admin.post(`${OFFICIAL}/${workspace.body.id}`, body);
      for (const answer of [created, changed]) {
        expect(answer.status).toBe(400);
        expect(answer.body).toMatchObject({ error: { details: { error_code: code } } });
        expect(answer.error.message).toContain(`inference_data_privacy.${field}: `);
      }
    },
  );

  test("accepts a name once among active workspaces, in any case, also for concurrent calls", async ({
    h,
    org,
  }) => {
    const answers = await Promise.all(
      ["Finance", "finance", "FINANCE"].map((name) => org.admin.post(COMPANY, { name })),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    expect(answers.filter(({ status }) => status === 409).length).toBe(2);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.error.type).toBe("conflict_error");
    expect(refused?.headers["x-should-retry"]).toBe("false");
    expect((await org.admin.post(COMPANY, { name: "default" })).status).toBe(409);
    const other = await h.organization();
    expect((await other.admin.post(COMPANY, { name: "Finance" })).status).toBe(200);
  });

  test("frees the name of an archived workspace", async ({ org }) => {
    const first = await org.admin.createWorkspace({ name: "Phoenix" });
    await org.admin.post(`${COMPANY}/${first.id}/archive`);
    expect((await org.admin.post(COMPANY, { name: "Phoenix" })).status).toBe(200);
  });
});

describe("the default workspace", () => {
  test("exists from the start, in the Bursar list and on request in the official one", async ({
    org,
    findDefault,
  }) => {
    const found = await findDefault();
    expect(found?.name).toBe("Default");
    const without = await org.admin.get<OfficialPage>(OFFICIAL);
    const including = await org.admin.get<OfficialPage>(`${OFFICIAL}?include_default=true`);
    expect(without.body).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
    expect(idsOf(including.body.data)).toEqual([found?.id]);
    expect((await org.admin.get<Official>(`${OFFICIAL}/${found?.id}`)).body.name).toBe("Default");
  });

  test("cannot be renamed or archived, but can be described", async ({ org, findDefault }) => {
    const found = await findDefault();
    const url = `${COMPANY}/${found?.id}`;
    expect((await org.admin.post(url, { name: "Main" })).status).toBe(400);
    expect((await org.admin.post(`${url}/archive`)).status).toBe(400);
    expect((await org.admin.post(`${OFFICIAL}/${found?.id}/archive`)).status).toBe(400);
    const described = await org.admin.post<Workspace>(url, { name: "Default", description: "d" });
    expect([described.status, described.body.description]).toEqual([200, "d"]);
  });
});

describe("updating", () => {
  test("keeps omitted fields, clears null fields, deletes a null tag", async ({ org }) => {
    const made = await org.admin.createWorkspace({
      name: "Before",
      description: "text",
      display_color: "#111111",
      tags: { a: "1", b: "2" },
    });
    const url = `${COMPANY}/${made.id}`;
    const renamed = await org.admin.post<Workspace>(url, { name: "After" });
    expect(renamed.body).toEqual({ ...made, name: "After" });
    const retagged = await org.admin.post<Workspace>(url, { tags: { a: null, c: "3" } });
    expect(retagged.body.tags).toEqual({ b: "2", c: "3" });
    const cleared = await org.admin.post<Workspace>(url, { description: null, tags: null });
    expect(cleared.body).toEqual({ ...made, name: "After", description: null, tags: {} });
    expect((await org.admin.get<Workspace>(url)).body).toEqual(cleared.body);
  });

  test("refuses a taken name with a 409, and accepts the own name in another case", async ({
    org,
  }) => {
    await org.admin.createWorkspace({ name: "Taken" });
    const made = await org.admin.createWorkspace({ name: "Mine" });
    expect((await org.admin.post(`${COMPANY}/${made.id}`, { name: "TAKEN" })).status).toBe(409);
    expect((await org.admin.post(`${COMPANY}/${made.id}`, { name: "MINE" })).status).toBe(200);
  });

  test("writes no audit event without a change", async ({ h, org }) => {
    const made = await org.admin.createWorkspace({ name: "Same", tags: { a: "1" } });
    await org.admin.post(`${COMPANY}/${made.id}`, { name: "Same", tags: { a: "1" } });
    await org.admin.post(`${COMPANY}/${made.id}`, {});
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(events.map(({ event }) => event)).toEqual(["workspace.created"]);
  });

  test("records values before and after the change", async ({ h, org }) => {
    const made = await org.admin.createWorkspace({ name: "Old" });
    await org.admin.post(`${COMPANY}/${made.id}`, { name: "New" });
    const [, event] = await auditEventsOf(h.deps.database, made.id);
    expect(event).toMatchObject({
      event: "workspace.updated",
      actor_type: "admin_key",
      workspace_id: made.id,
      before: { name: "Old" },
      after: { name: "New" },
    });
  });

  test("cannot exceed 50 tags in several steps", async ({ org }) => {
    const tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, "x"]));
    const made = await org.admin.createWorkspace({ tags });
    const answer = await org.admin.post(`${COMPANY}/${made.id}`, { tags: { more: "x" } });
    expect(answer.status).toBe(400);
  });
});

describe("archiving", () => {
  test("archives its keys in the same transaction, is final, and keeps the workspace readable", async ({
    h,
    org,
  }) => {
    const made = await org.admin.createWorkspace();
    const key = await org.admin.createApiKey(made.id);
    h.clock.nowMs += 1000;
    const archived = await org.admin.post<Workspace>(`${COMPANY}/${made.id}/archive`);
    const archivedAt = new Date(h.clock.nowMs).toISOString();
    expect(archived.body).toEqual({ ...made, archived_at: archivedAt });
    const { body } = await org.admin.get<{ status: string }>(`/v1/admin/api_keys/${key.id}`);
    expect(body.status).toBe("archived");
    const again = await org.admin.post<Official>(`${OFFICIAL}/${made.id}/archive`);
    expect([again.status, again.body.archived_at]).toEqual([200, archivedAt]);
    const changed = await org.admin.post(`${COMPANY}/${made.id}`, { name: "Back" });
    expect([changed.status, changed.error.type]).toEqual([400, "invalid_request_error"]);
    expect((await org.admin.get<Workspace>(`${COMPANY}/${made.id}`)).body).toEqual(archived.body);
    const events = await auditEventsOf(h.deps.database, made.id);
    expect(events.map(({ event }) => event)).toEqual(["workspace.created", "workspace.archived"]);
    expect(events[1]?.after).toMatchObject({ archived_api_keys: 1 });
  });

  test("hides the workspace from both lists unless requested", async ({ org }) => {
    const made = await org.admin.createWorkspace();
    await org.admin.post(`${COMPANY}/${made.id}/archive`);
    const listed = async (url: string) => idsOf((await org.admin.get<OfficialPage>(url)).body.data);
    expect(await listed(COMPANY)).not.toContain(made.id);
    expect(await listed(OFFICIAL)).toEqual([]);
    expect(await listed(`${COMPANY}?include_archived=true`)).toContain(made.id);
    expect(await listed(`${OFFICIAL}?include_archived=true`)).toEqual([made.id]);
  });

  test("archives or refuses a key created at the same moment", async ({ org }) => {
    for (let round = 0; round < 5; round++) {
      const made = await org.admin.createWorkspace();
      const [archived, created] = await Promise.all([
        org.admin.post(`${COMPANY}/${made.id}/archive`),
        org.admin.post("/v1/admin/api_keys", { name: "Race", workspace_id: made.id }),
      ]);
      expect(archived.status).toBe(200);
      expect([200, 400]).toContain(created.status);
      const keys = await org.admin.get<Listed<{ status: string }>>(
        `/v1/admin/api_keys?workspace_id=${made.id}`,
      );
      for (const { status } of keys.body.data) expect(status).toBe("archived");
    }
  });
});

describe("the Bursar list", () => {
  test("pages newest first, stable while others are created", async ({ h, org, makeSeveral }) => {
    const made = await makeSeveral(5);
    const first = await org.admin.get<Listed<Workspace>>(`${COMPANY}?limit=2`);
    expect(idsOf(first.body.data)).toEqual([made[4]?.id, made[3]?.id]);
    await makeSeveral(0);
    h.clock.nowMs++;
    await org.admin.createWorkspace({ name: "Meanwhile" });
    const second = await org.admin.get<Listed<Workspace>>(
      `${COMPANY}?limit=2&page=${first.body.next_page}`,
    );
    expect(idsOf(second.body.data)).toEqual([made[2]?.id, made[1]?.id]);
    const third = await org.admin.get<Listed<Workspace>>(
      `${COMPANY}?limit=2&page=${second.body.next_page}`,
    );
    expect(third.body.data.map(({ name }) => name)).toEqual(["Team 0", "Default"]);
    expect(third.body.next_page).toBeNull();
  });

  test("pages through workspaces of the same millisecond without gaps or duplicates", async ({
    org,
  }) => {
    const made = await Promise.all([1, 2, 3, 4, 5].map(() => org.admin.createWorkspace()));
    const seen: string[] = [];
    let page = "";
    for (;;) {
      const { body } = await org.admin.get<Listed<Workspace>>(`${COMPANY}?limit=2&page=${page}`);
      seen.push(...idsOf(body.data.filter((workspace) => !workspace.is_default)));
      if (body.next_page === null) break;
      page = body.next_page;
    }
    expect(seen.length).toBe(made.length);
    expect(new Set(seen)).toEqual(new Set(idsOf(made)));
  });

  test("binds a cursor to its filters and its list", async ({ org, makeSeveral }) => {
    await makeSeveral(2);
    const { body } = await org.admin.get<Listed<Workspace>>(`${COMPANY}?limit=1`);
    const page = body.next_page;
    const changed = await org.admin.get(`${COMPANY}?limit=1&include_archived=true&page=${page}`);
    expect(changed.status).toBe(400);
    expect(changed.error.message).toContain("cursor does not match current query parameters");
    expect((await org.admin.get(`/v1/admin/api_keys?page=${page}`)).status).toBe(400);
    expect((await org.admin.get(`${COMPANY}?limit=2&page=${page}`)).status).toBe(200);
  });
});

describe("the official list", () => {
  test("pages by ids in both directions, stable while others are created", async ({
    h,
    org,
    makeSeveral,
  }) => {
    const made = await makeSeveral(5);
    const newestFirst = idsOf(made).toReversed();
    const first = await org.admin.get<OfficialPage>(`${OFFICIAL}?limit=2`);
    expect(idsOf(first.body.data)).toEqual(newestFirst.slice(0, 2));
    expect(first.body).toMatchObject({
      has_more: true,
      first_id: newestFirst[0],
      last_id: newestFirst[1],
    });
    h.clock.nowMs++;
    await org.admin.createWorkspace({ name: "Meanwhile" });
    const second = await org.admin.get<OfficialPage>(
      `${OFFICIAL}?limit=3&after_id=${first.body.last_id}`,
    );
    expect(idsOf(second.body.data)).toEqual(newestFirst.slice(2));
    expect(second.body.has_more).toBe(false);
    const back = await org.admin.get<OfficialPage>(
      `${OFFICIAL}?limit=2&before_id=${newestFirst[3]}`,
    );
    expect(idsOf(back.body.data)).toEqual(newestFirst.slice(1, 3));
    expect(back.body.has_more).toBe(true);
  });

  test.for(["after_id", "before_id"])(
    "refuses an unknown or foreign %s with a 400",
    async (name, { h, org }) => {
      const other = await h.organization();
      const theirs = await other.admin.createWorkspace();
      for (const id of ["wksp_unknown", theirs.id]) {
        const answer = await org.admin.get(`${OFFICIAL}?${name}=${id}`);
        expect([answer.status, answer.error.message]).toEqual([
          400,
          `${name}: this list has no entry with the id ${id}.`,
        ]);
      }
    },
  );

  test("refuses after_id together with before_id", async ({ org, makeSeveral }) => {
    const [made] = await makeSeveral(1);
    const answer = await org.admin.get(`${OFFICIAL}?after_id=${made?.id}&before_id=${made?.id}`);
    expect(answer.status).toBe(400);
  });

  test.for([
    ["bracketed", (ids: string[]) => ids.map((id) => `ids[]=${id}`).join("&")],
    ["encoded", (ids: string[]) => ids.map((id) => `ids%5B%5D=${id}`).join("&")],
    ["repeated", (ids: string[]) => ids.map((id) => `ids=${id}`).join("&")],
  ] as const)(
    "filters by %s ids and omits foreign ones",
    async ([_, write], { h, org, makeSeveral }) => {
      const made = await makeSeveral(3);
      const theirs = await (await h.organization()).admin.createWorkspace();
      const [first, second] = made;
      const query = write([first?.id ?? "", second?.id ?? "", theirs.id]);
      const { body } = await org.admin.get<OfficialPage>(`${OFFICIAL}?${query}`);
      expect(idsOf(body.data)).toEqual([second?.id, first?.id]);
    },
  );

  test("refuses more than 100 ids", async ({ org }) => {
    const query = Array.from({ length: 101 }, (_, i) => `ids[]=wksp_${i}`).join("&");
    expect((await org.admin.get(`${OFFICIAL}?${query}`)).status).toBe(400);
  });
});

describe("a workspace key with the admin permission", () => {
  test("sees and changes its own workspace only", async ({ h, org, makeSeveral }) => {
    const [own, another] = await makeSeveral(2);
    const key = await org.admin.createApiKey(own?.id ?? "", { permissions: ["admin"] });
    const caller = h.as(key.key);
    expect(idsOf((await caller.get<Listed<Workspace>>(COMPANY)).body.data)).toEqual([own?.id]);
    expect(idsOf((await caller.get<OfficialPage>(OFFICIAL)).body.data)).toEqual([own?.id]);
    const asked = `${OFFICIAL}?ids[]=${another?.id}&ids[]=${own?.id}`;
    expect(idsOf((await caller.get<OfficialPage>(asked)).body.data)).toEqual([own?.id]);
    expect((await caller.get(`${OFFICIAL}?after_id=${another?.id}`)).status).toBe(400);
    expect((await caller.post(`${COMPANY}/${own?.id}`, { name: "Ours" })).status).toBe(200);
    const refused = await caller.post(`${COMPANY}/${another?.id}`, { name: "Ours too" });
    expect([refused.status, refused.error.message]).toEqual([
      404,
      `Workspace not found: ${another?.id}`,
    ]);
    expect((await caller.post(COMPANY, { name: "More" })).status).toBe(403);
  });
});
