import type { invite } from "@bursar/contract/admin/invites.ts";
import type { z } from "zod";
import type { Answer, Client } from "./admin.ts";
import { test as base } from "./admin-test.ts";

// Invites of one company, sent by its members and accepted by strangers.

export const INVITES = "/v1/admin/invites";
export const OFFICIAL = "/v1/organizations/invites";
export const PASSWORD = "correct horse battery staple";

export type Invite = z.output<typeof invite>;
interface Result {
  email: string;
  result: string;
  reason: string | null;
  invite: Invite | null;
  link: string | null;
}
export type Results = { results: Result[] };

/** A company with functions for its invites. */
export const test = base
  .extend("org", ({ h }) => h.organization("Analytical Engines"))
  .extend("invites", ({ h, org }) => {
    function send(body: object, client: Client = org.admin): Promise<Answer<Results>> {
      return client.post<Results>(INVITES, { role: "user", ...body });
    }

    /** Invites one address. Returns the invite and the token of its link. */
    async function inviteOne(fields: object = {}, client: Client = org.operator) {
      const answer = await send({ emails: [newEmail()], ...fields }, client);
      const [result] = answer.body.results;
      if (!result?.invite || !result.link) throw new Error(answer.text);
      return { ...result.invite, link: result.link, token: tokenOf(result.link) };
    }

    /** Client like the console before sign-in. */
    function asStranger(): Client {
      const client = h.as(null);
      const headers = {
        host: "localhost:8484",
        origin: "http://localhost:8484",
        "x-bursar-console": "1",
      };
      const post = <Body>(url: string, body?: object) =>
        client.send<Body>({ method: "POST", url, headers, ...(body && { payload: body }) });
      return { ...client, post };
    }

    const lookUp = (token: string) => asStranger().post(`${INVITES}/lookup`, { token });

    const accept = (token: string, fields: object = {}) =>
      asStranger().post<{ member_id: string }>(`${INVITES}/accept`, {
        token,
        name: "Ann Smith",
        password: PASSWORD,
        ...fields,
      });

    const listEvents = async () => {
      const rows = await h.deps.database
        .selectFrom("audit_event")
        .select(["event", "subject_id"])
        .where("organization_id", "=", org.id)
        .execute();
      return { rows };
    };

    return { send, inviteOne, lookUp, accept, listEvents };
  });

let unique = 0;
export const newEmail = () => `person-${++unique}@example.com`;

export const tokenOf = (link: string) => link.split("#token=")[1] ?? "";
