import {
  type ServerProcess,
  sendMessage,
  textField,
} from "../../server/test/harness/server-process.ts";
import { type Company, emailOf } from "./company.ts";
import { fillMonth, type UsedKey } from "./company-month.ts";
import { addLaptop, sendFromLaptop } from "./laptop-client.ts";

// Cost centres, personal keys and caps of the company of `company.ts`, each with a month of usage. For screenshots and
// `npm run dev` only, because most tests of pages do not need them.

const tagsOfWorkspaces = {
  Engineering: { cost_center: "4100", product: "Robot arm" },
  "Customer support": { cost_center: "4200" },
  Research: { cost_center: "4300", product: "Navigation" },
} as const;

const tagsOfKeys = {
  "Code review bot": { cost_center: "4110" },
  "Evaluation runs": { project: "Benchmark 2026" },
} as const;

const groups = [
  ["Science", ["Radia", "Katherine"], "Research"],
  ["Support desk", ["Margaret"], "Customer support"],
] as const;

/** People who join the group of `company.ts`. */
const platformTeam = ["Ada", "Grace", "Katherine"] as const;

/** Owner, workspace and part of the usual amount. */
const personalKeys = [
  ["Ada", "Engineering", 0.14],
  ["Grace", "Engineering", 0.22],
  ["Katherine", "Engineering", 0.31],
  ["Katherine", "Research", 0.08],
  ["Radia", "Research", 0.26],
  ["Margaret", "Customer support", 0.17],
  ["Tim", "Marketing", 0.05],
] as const;

type Named = { id: string; name: string };

/** Member, name of the laptop and workspace. */
const laptops = [
  ["Grace", "Grace’s notebook", "Engineering"],
  ["Katherine", "MacBook of the lab", "Research"],
  ["Ada", "Ada’s laptop", "Engineering"],
  ["Ada", "Build machine", "Engineering"],
] as const;

/** Adds cost centres, personal keys, and caps of people, groups and tags. */
export async function addPeopleAndTags({ server, sessions, groupId }: Company): Promise<void> {
  const workspaces = await listIds(server, "/v1/admin/workspaces");
  const keys = await listIds(server, "/v1/admin/api_keys");
  for (const [name, tags] of Object.entries(tagsOfWorkspaces)) {
    const rules = { personal_keys: "members", tags };
    await server.mustAdmin("POST", `/v1/admin/workspaces/${workspaces.get(name)}`, rules);
  }
  const marketing = `/v1/admin/workspaces/${workspaces.get("Marketing")}`;
  await server.mustAdmin("POST", marketing, { personal_keys: "everyone" });
  for (const [name, tags] of Object.entries(tagsOfKeys)) {
    await server.mustAdmin("POST", `/v1/admin/api_keys/${keys.get(name)}`, { tags });
  }
  const groupIds = await addGroups(server, workspaces);
  for (const name of platformTeam) await addToGroup(server, groupId, name);
  const used: (UsedKey & { key: string })[] = [];
  for (const [name, workspace, scale] of personalKeys) {
    const workspaceId = workspaces.get(workspace) ?? "";
    const cookie = sessions[emailOf(name)] ?? "";
    const made = await createPersonalKey(server, cookie, `${name}’s laptop`, workspaceId);
    const memberId = textField(made["owner"] as Record<string, unknown>, "id");
    const secrets = { id: textField(made, "id"), key: textField(made, "key") };
    used.push({ ...secrets, memberId, workspaceId, scale });
  }
  for (const [member, name, workspace] of laptops) {
    const laptop = { name, workspace_id: workspaces.get(workspace) ?? "" };
    const token = await addLaptop(server, sessions[emailOf(member)] ?? "", laptop);
    await sendFromLaptop(server.url, token);
  }
  await fillMonth(server, used);
  await attributeMonth(server);
  await setCaps(server, { platform: groupId, science: groupIds[0] ?? "" });
  // Otherwise keys with a cost would have no last use.
  for (const { key } of used) await sendMessage(server.url, key);
}

async function listIds(server: ServerProcess, path: string): Promise<Map<string, string>> {
  const { data } = await server.mustAdmin("GET", `${path}?limit=1000`);
  return new Map((data as Named[]).map(({ id, name }) => [name, id]));
}

/** Creates groups with a role in one workspace. Returns their ids. */
async function addGroups(
  server: ServerProcess,
  workspaces: ReadonlyMap<string, string>,
): Promise<string[]> {
  const ids: string[] = [];
  for (const [name, members, workspace] of groups) {
    const id = textField(await server.mustAdmin("POST", "/v1/admin/groups", { name }), "id");
    const role = { workspace_role: "workspace_user" };
    await server.mustAdmin(
      "POST",
      `/v1/admin/groups/${id}/workspaces/${workspaces.get(workspace)}`,
      role,
    );
    for (const member of members) await addToGroup(server, id, member);
    ids.push(id);
  }
  return ids;
}

function addToGroup(server: ServerProcess, groupId: string, name: string) {
  return server.mustAdmin("POST", `/v1/admin/groups/${groupId}/members`, { email: emailOf(name) });
}

/** Creates a key in the session of its owner. */
async function createPersonalKey(
  { url }: ServerProcess,
  cookie: string,
  name: string,
  workspace_id: string,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/v1/admin/personal_keys`, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", "x-bursar-console": "1" },
      ...{ cookie, origin: url, "sec-fetch-site": "same-origin" },
    },
    body: JSON.stringify({ name, workspace_id }),
  });
  if (response.status !== 200) throw new Error(`no personal key: ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Adds the month of all keys to the sums of groups and tags, as if both had always been the same. */
async function attributeMonth(server: ServerProcess): Promise<void> {
  await server.sql(
    `INSERT INTO usage_attribution (id, organization_id, group_ids, tag_ids)
     SELECT DISTINCT ${ATTRIBUTION_ID}, organization_id, group_ids, tag_ids FROM ${ATTRIBUTED_KEYS} AS own
      WHERE group_ids <> '' OR tag_ids <> ''`,
  );
  for (const unit of ["day", "month"]) {
    const columns = await server.sql<{ name: string }>(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1",
      [`usage_${unit}`],
    );
    const names = columns.map(({ name }) => `usage.${name}`).join(", ");
    await server.sql(
      `INSERT INTO usage_attributed_${unit} (attribution_id, ${names.replaceAll("usage.", "")})
       SELECT ${ATTRIBUTION_ID}, ${names} FROM usage_${unit} AS usage JOIN ${ATTRIBUTED_KEYS} AS own
           ON own.id = usage.api_key_id
        WHERE own.group_ids <> '' OR own.tag_ids <> ''`,
    );
  }
}

const ATTRIBUTION_ID = "hashtextextended(own.group_ids || ';' || own.tag_ids, 0)";

/** Keys with the groups of their owner and their tags, as lists of ids in one text. */
const ATTRIBUTED_KEYS = `(
  SELECT key.id, key.organization_id,
    coalesce((SELECT string_agg(group_id, ',' ORDER BY group_id) FROM group_member
      WHERE member_id = key.owner_member_id), '') AS group_ids,
    coalesce((SELECT string_agg(tag.id, ',' ORDER BY tag.id) FROM tag
      JOIN jsonb_each_text(workspace.tags || key.tags) AS set (name, value) USING (name, value)
      WHERE tag.organization_id = key.organization_id), '') AS tag_ids
  FROM api_key AS key JOIN workspace ON workspace.id = key.workspace_id)`;

/** Sets caps of groups, people and a cost centre, and rates of a group. */
async function setCaps(
  server: ServerProcess,
  { platform, science }: { platform: string; science: string },
): Promise<void> {
  const members = await server.mustAdmin("GET", `/v1/admin/members?search=${emailOf("Katherine")}`);
  const [katherine] = members["data"] as Named[];
  const tags = await server.mustAdmin("GET", "/v1/admin/tags?name=cost_center");
  const [tag] = (tags["data"] as { id: string; value: string }[]).filter(
    ({ value }) => value === "4100",
  );
  const caps = [
    [{ type: "group_member", group_id: platform }, "monthly", 700],
    [{ type: "group", group_id: platform }, "monthly", 2_500],
    [{ type: "group_member", group_id: science }, "monthly", 600],
    [{ type: "group_member", group_id: science }, "daily", 60],
    [{ type: "member", member_id: katherine?.id }, "monthly", 1_200],
    [{ type: "tag", tag_id: tag?.id }, "monthly", 9_000],
  ] as const;
  for (const [scope, period, limit_usd] of caps) {
    await server.mustAdmin("POST", "/v1/admin/spend_limits", { scope, period, limit_usd });
  }
  for (const [type, requests] of [
    ["group_member", 60],
    ["group", 600],
  ] as const) {
    const scope = { type, group_id: platform };
    const body = { scope, requests_per_minute: requests };
    await server.mustAdmin("POST", "/v1/admin/rate_limits", body);
  }
}
