import { claudeRoutes } from "@bursar/contract/claude/routes.ts";
import { errorCodes } from "@bursar/contract/errors.ts";
import { describeStepUp, makeOpenApiDocument } from "@bursar/contract/openapi.ts";
import { describeRequirement } from "@bursar/contract/permission-words.ts";
import { type Action, isOperatorAction, isSelfAction } from "@bursar/contract/permissions.ts";
import type { RouteSpec } from "@bursar/contract/route.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import type {
  CallerKind,
  ErrorCodeEntry,
  Message,
  OperationDetails,
  Parameter,
  ReferenceDetails,
  ReferenceList,
  ReferenceSection,
  ResourceGroup,
  StatusMeaning,
} from "../src/features/docs/reference.ts";
import { type JsonSchema, toField, toShape } from "./json-schema.ts";
import { readMarkdown } from "./read-markdown.ts";

// Creates the data of the reference page from the OpenAPI document, and from facts of the routes that the document lacks.

interface Content {
  content?: Readonly<Record<string, { schema: JsonSchema }>>;
}

interface DocumentedHeader {
  description?: string;
}

interface DocumentedOperation {
  operationId: string;
  tags: readonly string[];
  parameters?: readonly {
    name: string;
    in: Parameter["place"];
    required?: boolean;
    description?: string;
    schema: JsonSchema;
  }[];
  requestBody?: Content;
  responses: Readonly<
    Record<
      string,
      Content & { description: string; headers?: Readonly<Record<string, DocumentedHeader>> }
    >
  >;
}

interface OpenApiDocument {
  info: { description: string };
  tags: readonly { name: string; description: string }[];
  components: { schemas: Readonly<Record<string, JsonSchema>> };
  paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

const SUCCESS = "200";
/** Titles of the introduction's parts that the page shows from data instead. */
const ERROR_CODES = "Error codes";
/** Words of paths that have capitals. */
const capitals: Readonly<Record<string, string>> = { api: "API", scim: "SCIM", rbac: "RBAC" };

/** `commands`: example command lines by operation, one on each line. */
export function readReference(commands: Readonly<Record<string, string>>): {
  list: ReferenceList;
  details: ReferenceDetails;
} {
  const document = makeOpenApiDocument("") as OpenApiDocument;
  const routes: readonly RouteSpec[] = [...adminRoutes, ...claudeRoutes];
  const operations = new Map(
    Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .map((operation) => [operation.operationId, operation]),
  );
  const statuses: StatusMeaning[] = [];
  const described = routes.map((route) => {
    const operation = operations.get(route.operationId);
    if (!operation) throw new Error(`the OpenAPI document lacks ${route.operationId}`);
    return { route, operation };
  });
  const details = described.map(({ route, operation }) => [
    route.operationId,
    { ...readFacts(route, commands), ...readContent(operation, statuses) },
  ]);
  return {
    list: {
      introduction: readIntroduction(document.info.description),
      sections: document.tags.map((tag) => readSection(tag, described)),
    },
    details: {
      operations: Object.fromEntries(details),
      shapes: Object.fromEntries(
        Object.entries(document.components.schemas).map(([name, schema]) => [
          name,
          toShape(schema),
        ]),
      ),
      statuses,
      codes: readErrorCodes(),
    },
  };
}

/** The introduction up to the error codes, which the page shows as a table. */
function readIntroduction(text: string) {
  const [introduction = ""] = text.split(`\n## ${ERROR_CODES}\n`);
  return readMarkdown(introduction, (target) => target);
}

function readErrorCodes(): ErrorCodeEntry[] {
  return Object.entries(errorCodes).map(([code, cause]) => ({
    code,
    status: cause.status,
    meaning: cause.meaning,
    facts: "facts" in cause ? [...cause.facts] : [],
  }));
}

type Described = readonly { route: RouteSpec; operation: DocumentedOperation }[];

function readSection(
  { name, description }: OpenApiDocument["tags"][number],
  described: Described,
): ReferenceSection {
  const groups = new Map<string, ResourceGroup & { operations: ResourceGroup["operations"] }>();
  for (const { route, operation } of described) {
    if (operation.tags[0] !== name) continue;
    const { operationId: id, method, path, summary } = route;
    const resource = findResource(path);
    const title = toTitle(resource);
    const before = groups.get(resource)?.operations ?? [];
    groups.set(resource, {
      id: toAnchor(name, resource),
      title,
      operations: [...before, { id, method, path, summary }],
    });
  }
  return { title: name, about: description, groups: [...groups.values()] };
}

/** The company's resources have the shortest anchors. */
function toAnchor(section: string, resource: string): string {
  const words = section === "Company" ? resource : `${section} ${resource}`;
  return words.toLowerCase().replaceAll(/[^a-z]+/g, "-");
}

/** First word of the path below its API: `api_keys`. */
function findResource(path: string): string {
  const [, , api = "", resource] = path.split("/");
  return (api === "admin" || api === "organizations" ? resource : api) ?? "organization";
}

/** `api_keys`: "API keys". */
function toTitle(resource: string): string {
  const words = resource.split("_").map((word) => capitals[word] ?? word);
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function readFacts(route: RouteSpec, commands: Readonly<Record<string, string>>) {
  const lines = commands[route.operationId]?.split("\n");
  const stepUp = describeStepUp(route);
  return {
    caller: findCaller(route.action),
    needs: describeRequirement(route.action),
    ...(route.description !== undefined && { about: route.description }),
    ...(stepUp !== undefined && { stepUp }),
    ...(route.audited !== null && { event: route.audited }),
    ...(lines && { commands: lines }),
  };
}

function findCaller(action: Action): CallerKind {
  if (action === "public") return "none";
  if (isSelfAction(action)) return "session";
  return isOperatorAction(action) ? "operator" : "key";
}

function readContent(
  { parameters = [], requestBody, responses }: DocumentedOperation,
  statuses: StatusMeaning[],
): Pick<OperationDetails, "parameters" | "body" | "response" | "headers" | "errors"> {
  const body = readMessage(requestBody);
  const answer = responses[SUCCESS];
  const response = readMessage(answer);
  if (!response) throw new Error("an operation has no response");
  const headers = Object.entries(answer?.headers ?? {})
    .filter(([name]) => name !== "request-id")
    .map(([name, { description: about = "" }]) => ({ name, about }));
  return {
    parameters: parameters.map(({ name, in: place, required, description, schema }) => ({
      ...toField(name, { ...schema, ...(description && { description }) }, required === true),
      place,
    })),
    ...(body && { body }),
    response,
    ...(headers.length > 0 && { headers }),
    errors: Object.entries(responses)
      .filter(([status]) => status !== SUCCESS)
      .map(([status, { description }]) => findStatus(Number(status), description, statuses)),
  };
}

/** Content as JSON, or else the only content as text. */
function readMessage(message: Content | undefined): Message | undefined {
  const content = message?.content;
  if (!content) return undefined;
  const mediaTypes = Object.keys(content);
  const schema = content["application/json"]?.schema ?? { type: "string" };
  return { mediaTypes, shape: toShape(schema) };
}

/** Place of a status with this meaning. Adds one that is new. */
function findStatus(status: number, about: string, statuses: StatusMeaning[]): number {
  const place = statuses.findIndex((each) => each.status === status && each.about === about);
  return place === -1 ? statuses.push({ status, about }) - 1 : place;
}
