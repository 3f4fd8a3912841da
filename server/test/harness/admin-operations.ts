import Anthropic from "@anthropic-ai/sdk";
import { adminRoutes } from "@bursar/contract/routes.ts";

// Operations of the official SDK on an organization: served, or refused with a reason.

const enterprise = "a resource of Claude Enterprise: an organization of the Console has none";
const elsewhere = "manages what exists at Anthropic only: keys, storage and compliance there";

/** Result by prefix of an operation's name. The longest match counts. */
const answers: Record<string, "served" | string> = {
  "": "served",
  analytics: enterprise,
  "spendLimits.effective": "served",
  "spendLimits.increaseRequests": "served",
  externalKeys: elsewhere,
  complianceSettings: elsewhere,
  federation: "there is no federation of workload identities here yet",
  serviceAccounts: "there are no service accounts here yet: a workspace owns its keys",
  "workspaces.serviceAccounts": "there are no service accounts here yet: a workspace owns its keys",
};

/** Names of all methods of `resource`, such as `workspaces.members.list`. */
export function listOperations(resource: object, prefix = ""): string[] {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter(
    (name) => name !== "constructor",
  );
  const nested = Object.entries(resource).filter(
    ([name, value]) => name !== "_client" && typeof value === "object" && value !== null,
  );
  return [
    ...methods.map((name) => prefix + name),
    ...nested.flatMap(([name, value]) => listOperations(value as object, `${prefix}${name}.`)),
  ];
}

/** `served`, or the reason for which the operation is refused. */
export function findAdminAnswer(operation: string): string {
  const [longest = ""] = Object.keys(answers)
    .filter((prefix) => prefix === "" || operation.startsWith(`${prefix}.`))
    .sort((a, b) => b.length - a.length);
  return answers[longest] ?? "";
}

/** Has a value for each parameter of a path. */
const anyParameters = new Proxy(
  {},
  { get: (_, name) => (typeof name === "string" ? "none" : undefined) },
);
/** Operations take an id, parameters, both or nothing. */
const argumentLists = [[], [anyParameters], ["none"], ["none", anyParameters]];

type Operation = (...args: unknown[]) => Promise<unknown>;

/** Operations of a part of the client whose request has a route of the Admin API. Sends nothing. */
export async function listServedOperations(
  choosePart: (client: Anthropic) => object,
): Promise<string[]> {
  const sent: string[] = [];
  const client = new Anthropic({
    apiKey: "none",
    maxRetries: 0,
    fetch: async (url, init) => {
      sent.push(`${init?.method ?? "GET"} ${new URL(String(url)).pathname}`);
      return new Response("{}", { status: 404 });
    },
  });
  const part = choosePart(client);
  const served: string[] = [];
  for (const name of listOperations(part)) {
    if (hasRoute(await findRequest(part, name, sent))) served.push(name);
  }
  return served;
}

/** The request of an operation, as method and path. */
async function findRequest(part: object, name: string, sent: string[]): Promise<string> {
  const names = name.split(".");
  const method = names.pop() ?? "";
  const owner = names.reduce<object>((of, each) => Reflect.get(of, each) as object, part);
  for (const args of argumentLists) {
    sent.length = 0;
    const call = async () => await (Reflect.get(owner, method) as Operation).apply(owner, args);
    await call().catch(() => null);
    const [request] = sent;
    if (request !== undefined && !/undefined|object/.test(request)) return request;
  }
  throw new Error(`no arguments fit ${name}`);
}

function hasRoute(request: string): boolean {
  const [method, path = ""] = request.split(" ");
  return adminRoutes.some((route) => {
    const pattern = new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+")}$`);
    return route.method === method && pattern.test(path);
  });
}
