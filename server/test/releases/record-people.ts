import { assert } from "#src/lib/assert.ts";
import { type Authenticator, makeAuthenticator, totpCode } from "#test/harness/authenticator.ts";
import { type ServerProcess, textField, toAnswer } from "#test/harness/server-process.ts";

// Members of a recorded database. They use the console's calls, from a browser that stores cookies.

export interface Person {
  id: string;
  email: string;
  password: string;
  /** Cookies of the session, as a browser sends them. */
  cookie(): string;
  /** Sends a call and expects success. */
  must(method: "GET" | "POST", path: string, body?: object): Promise<Record<string, unknown>>;
}

export interface People {
  owner: Person;
  developer: Person;
}

type Creation = Parameters<Authenticator["create"]>[0];

/** Creates an owner with a passkey, and a developer. The developer accepts an invite and uses an authenticator app. */
export async function makePeople(server: ServerProcess): Promise<People> {
  const { owner, origin } = await setUpOwner(server);
  const passkeyOptions = await owner.must("POST", "/v1/admin/passkeys/options");
  const passkey = makeAuthenticator().create(passkeyOptions["options"] as Creation, origin);
  await owner.must("POST", "/v1/admin/passkeys", { name: "Laptop", passkey });
  const { results } = await owner.must("POST", "/v1/admin/invites", {
    ...{ emails: ["grace@example.com", "open@example.com"], role: "developer" },
  });
  const [accepted] = results as { link: string }[];
  const password = "an admiral found a moth in relay 70";
  const browser = openConsole(origin);
  const joined = await browser.must("POST", "/v1/admin/invites/accept", {
    ...{ token: tokenOf(accepted?.link ?? ""), name: "Grace", password },
  });
  const developer = {
    ...{ id: textField(joined, "member_id"), email: "grace@example.com", password, ...browser },
  };
  const begun = await developer.must("POST", "/v1/admin/two_factor/totp");
  const code = totpCode(textField(begun, "secret"));
  await developer.must("POST", "/v1/admin/two_factor/totp/confirm", { code });
  await openConsole(origin).must("POST", "/v1/admin/password_reset", { email: owner.email });
  return { owner, developer };
}

async function setUpOwner(server: ServerProcess): Promise<{ owner: Person; origin: string }> {
  // A passkey needs a host name, not an address.
  const origin = server.url.replace("127.0.0.1", "localhost");
  const [link] = /\S+\/setup#token=\S+/.exec(server.output()) ?? [];
  assert(link, "the first start printed a link");
  const [email, password] = ["ada@example.com", "kepler owns 41 telescopes of brass"];
  const browser = openConsole(origin);
  const made = await browser.must("POST", "/v1/admin/setup", {
    ...{ token: tokenOf(link), name: "Ada Lovelace", email, password },
    organization_name: "Analytical Engines",
  });
  return { owner: { id: textField(made, "member_id"), email, password, ...browser }, origin };
}

const tokenOf = (link: string) => link.trim().split("#token=")[1] ?? "";

function openConsole(origin: string): Pick<Person, "cookie" | "must"> {
  const cookies = new Map<string, string>();
  const cookie = () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  return {
    cookie,
    must: async (method, path, body) => {
      const response = await fetch(origin + path, {
        method,
        headers: {
          ...{ origin, "x-bursar-console": "1", cookie: cookie() },
          ...(body && { "content-type": "application/json" }),
          ...(method === "POST" && { "idempotency-key": crypto.randomUUID() }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [name = "", value = ""] = line.split(";", 1)[0]?.split("=") ?? [];
        cookies.set(name, value);
      }
      const { status, text, json } = await toAnswer(response);
      assert(status === 200 && json !== undefined, `${method} ${path}: ${status} ${text}`);
      return json;
    },
  };
}
