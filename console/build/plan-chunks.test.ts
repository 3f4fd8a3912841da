import { expect, test } from "vitest";
import { type PlannedModule, planChunks } from "./plan-chunks.ts";

const BIG = 200_000;

/** Graph by names: static imports, late imports, size. */
type Graph = Record<string, readonly [imports: string[], late?: string[], size?: number]>;

function plan(graph: Graph) {
  const find = (id: string): PlannedModule | null => {
    const [importedIds, dynamicallyImportedIds = [], size = BIG] = graph[id] ?? [[]];
    return { importedIds, dynamicallyImportedIds, size };
  };
  const sectionOf = (id: string) => /^(\w+)-page$/.exec(id)?.[1] ?? null;
  const documents = { console: "console.html", signIn: "sign-in.html" };
  const { fileOf, order } = planChunks({
    ...{ find, documents, sectionOf },
    isOverlay: (id) => id === "overlay",
  });
  return { files: Object.fromEntries(fileOf), order };
}

test("visitors load their own modules and those of the base, never the console's", () => {
  const { files } = plan({
    "sign-in.html": [["react", "forms", "login"]],
    "console.html": [["react", "router"], ["usage-page"]],
    "usage-page": [["forms"]],
  });
  expect(files).toEqual({
    ...{ "sign-in.html": "sign-in", login: "sign-in" },
    ...{ react: "base", forms: "base-2" },
    ...{ "console.html": "console", router: "console" },
    "usage-page": "usage",
  });
});

test("pages of one section share a file, and a module of many sections is in the shared file", () => {
  const { files, order } = plan({
    "sign-in.html": [["react"]],
    "console.html": [["react"], ["a-page", "b-page", "c-page", "d-page"]],
    "a-page": [["table", "report"]],
    "b-page": [["table", "report"]],
    "c-page": [["table", "small"]],
    "d-page": [["table", "small"]],
    small: [[], [], 10],
  });
  expect([files["table"], files["report"], files["small"]]).toEqual(["shared", "a-b", "shared"]);
  expect(order.indexOf("a-b")).toBeLessThan(order.indexOf("a"));
});

test("a small module of visitors is in the base, and one of few sections is in a file of more", () => {
  const { files } = plan({
    "sign-in.html": [["react", "button"]],
    "console.html": [["react"], ["a-page", "b-page", "c-page", "d-page"]],
    "a-page": [["button", "small"]],
    "b-page": [["table", "small"]],
    "c-page": [["table", "small"]],
    "d-page": [["table"]],
    button: [[], [], 10],
    small: [[], [], 10],
    table: [[], [], 10],
  });
  expect(files).toMatchObject({ button: "base", small: "shared", table: "shared" });
});

test("a file that is joined imports no file that imports it", () => {
  const { order, files } = plan({
    "sign-in.html": [["react"]],
    "console.html": [["react"], ["a-page", "b-page"]],
    "a-page": [["top"]],
    "b-page": [["middle"]],
    top: [["middle"], [], 10],
    middle: [["bottom"], [], 10],
    bottom: [[], [], 10],
  });
  expect(order.indexOf(files["middle"] ?? "")).toBeLessThan(order.indexOf(files["a-page"] ?? ""));
});

test("a part that opens later never loads the file of the sign-in", () => {
  const { files } = plan({
    "sign-in.html": [["react", "passkey", "login"]],
    "console.html": [["react"], ["a-page", "palette"]],
    "a-page": [["table"]],
    palette: [["passkey"]],
  });
  expect(files).toMatchObject({ passkey: "base-2", login: "sign-in", "sign-in.html": "sign-in" });
});

test("parts that open later are apart from the pages, and the overlays apart from both", () => {
  const { files } = plan({
    "sign-in.html": [["react"]],
    "console.html": [["react"], ["a-page", "palette", "overlay"]],
    "a-page": [["icons"], ["code"]],
    palette: [["search", "icons", "focus"]],
    code: [["search"]],
    overlay: [["focus"]],
  });
  expect(files).toMatchObject({ palette: "late", search: "late", code: "late", icons: "a" });
  expect(files).toMatchObject({ overlay: "overlays", focus: "overlays" });
});
