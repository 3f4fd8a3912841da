import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { bumpChangeCounter } from "#src/db/change-watch.ts";
import type { Database } from "#src/db/pool.ts";
import { makeSecret } from "#src/domain/key-format.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { TEST_SECRET } from "./test-secret.ts";

// A company with people in several groups, each with personal keys. Rows instead of calls, because a call for each key takes
// minutes.

export const KEYS_PER_PERSON = 3;
const COST_CENTERS = 10;

export interface Person {
  id: string;
  /** Sorted. */
  groupIds: readonly string[];
  /** Cost centre of the keys. */
  tag: { id: string; value: string };
  workspaceId: string;
  keys: readonly { id: string; secret: string }[];
}

export interface Company {
  organizationId: string;
  groupIds: readonly string[];
  people: readonly Person[];
}

/** Creates the people, one to three groups for each, and keys with a cost centre. Every group gives a role in each workspace. */
export async function insertCompany(
  db: Database,
  of: {
    organizationId: string;
    workspaceIds: readonly string[];
    people: number;
    groups: number;
    random: () => number;
  },
): Promise<Company> {
  const { organizationId, workspaceIds, random } = of;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const groupIds = Array.from({ length: of.groups }, (_, at) => `group_${pad(at)}`);
  const tags = await readTags(db, organizationId);
  const people = Array.from({ length: of.people }, (_, at): Person => {
    const groups = new Set([0, 1, 2].slice(0, 1 + (at % 3)).map(() => pick(groupIds)));
    return {
      id: `user_${pad(at)}`,
      groupIds: [...groups].sort(),
      tag: pick(tags),
      workspaceId: pick(workspaceIds),
      keys: Array.from({ length: KEYS_PER_PERSON }, (_each, key) => ({
        id: `apikey_${pad(at * KEYS_PER_PERSON + key)}`,
        secret: "",
      })),
    };
  });
  const company = { organizationId, groupIds, people };
  return { ...company, people: await insertRows(db, company, workspaceIds) };
}

/** Cost centres, with the ids that the database gives them. */
async function readTags(db: Database, organizationId: string): Promise<Person["tag"][]> {
  const values = Array.from({ length: COST_CENTERS }, (_, at) => String(4_700 + at));
  const { rows } = await sql<Person["tag"]>`
    SELECT tag_id(${organizationId}::uuid, 'cost_center', value) AS id, value FROM unnest(${values}::text[]) AS value`.execute(
    db,
  );
  return rows;
}

async function insertRows(
  db: Database,
  { organizationId, groupIds, people }: Company,
  workspaceIds: readonly string[],
): Promise<Person[]> {
  const memberIds = people.map(({ id }) => id);
  const memberships = people.flatMap(({ id, groupIds: of }) => of.map((group) => ({ group, id })));
  const keys = people.flatMap((person) => person.keys.map(({ id }) => ({ id, person })));
  const secrets = keys.map(() => makeSecret("api", randomBytes));
  const signing = { database: db, rows: makeRowSigner({ secret: TEST_SECRET }) };
  await inSignedTransaction(signing, async (tx) => {
    await sql`INSERT INTO member (id, organization_id, email, name, role)
      SELECT id, ${organizationId}::uuid, id || '@example.com', id, 'user' FROM unnest(${memberIds}::text[]) AS id`.execute(
      tx,
    );
    await sql`INSERT INTO member_group (id, organization_id, name)
      SELECT id, ${organizationId}::uuid, id FROM unnest(${groupIds}::text[]) AS id`.execute(tx);
    await sql`INSERT INTO group_workspace (group_id, workspace_id, role) SELECT group_id, workspace_id, 'workspace_user'
      FROM unnest(${groupIds}::text[]) AS group_id, unnest(${workspaceIds}::text[]) AS workspace_id`.execute(
      tx,
    );
    await sql`INSERT INTO group_member (group_id, member_id) SELECT * FROM
      unnest(${memberships.map(({ group }) => group)}::text[], ${memberships.map(({ id }) => id)}::text[])`.execute(
      tx,
    );
    await sql`INSERT INTO api_key (id, organization_id, workspace_id, name, permission, created_by_type, created_by_id,
        owner_member_id, tags)
      SELECT id, ${organizationId}::uuid, workspace_id, id, 'write', 'user', member_id, member_id,
        jsonb_build_object('cost_center', cost_center)
      FROM unnest(${keys.map(({ id }) => id)}::text[], ${keys.map(({ person }) => person.workspaceId)}::text[],
        ${keys.map(({ person }) => person.id)}::text[], ${keys.map(({ person }) => person.tag.value)}::text[])
        AS k (id, workspace_id, member_id, cost_center)`.execute(tx);
    await sql`INSERT INTO api_key_secret (api_key_id, hash, hint, created_at)
      SELECT id, hash, 'sk-…', now() FROM unnest(${keys.map(({ id }) => id)}::text[],
        ${secrets.map(({ hash }) => hash)}::bytea[]) AS k (id, hash)`.execute(tx);
    await bumpChangeCounter(tx);
  });
  const secretOf = new Map(keys.map(({ id }, at) => [id, secrets[at]?.secret ?? ""]));
  return people.map((person) => ({
    ...person,
    keys: person.keys.map(({ id }) => ({ id, secret: secretOf.get(id) ?? "" })),
  }));
}

function pad(number: number): string {
  return String(number).padStart(24, "0");
}
