import { expect, test } from "vitest";
import { readDockerfile } from "./read-dockerfile.ts";
import { readDockerignore } from "./read-dockerignore.ts";

test("reads stages, joined lines and comments between them", () => {
  const text = `
# A comment.
FROM node:26 AS build
WORKDIR /app
COPY a.json b.json ./
RUN make \\
# A comment inside of a command.
 && make install

FROM build
COPY --from=build /app /app
ENV A=1 B="two words"
HEALTHCHECK --interval=10s CMD ["check"]
CMD ["node", "main.ts"]
`;
  expect(readDockerfile(text)).toEqual([
    {
      name: "build",
      from: "node:26",
      steps: [
        { kind: "WORKDIR", value: "/app" },
        { kind: "COPY", fromStage: null, sources: ["a.json", "b.json"], target: "./" },
        { kind: "RUN", command: "make && make install" },
      ],
    },
    {
      name: null,
      from: "build",
      steps: [
        { kind: "COPY", fromStage: "build", sources: ["/app"], target: "/app" },
        { kind: "ENV", values: { A: "1", B: "two words" } },
        { kind: "HEALTHCHECK", options: { interval: "10s" }, command: ["check"] },
        { kind: "CMD", command: ["node", "main.ts"] },
      ],
    },
  ]);
});

test.each([
  ["an unknown instruction", "ADD a.tar /"],
  ["an unknown flag of COPY", "COPY --link a b"],
  ["a pattern in COPY", "COPY *.json ./"],
  ["a mount of RUN", "RUN --mount=type=cache,target=/x make"],
  ["a variable in ENV", "ENV A=$B"],
  ["a command in the shell form", "CMD node main.ts"],
  ["an unknown flag of HEALTHCHECK", 'HEALTHCHECK --start-interval=1s CMD ["check"]'],
  ["a second word of USER", "USER a b"],
])("refuses %s", (_, line) => {
  expect(() => readDockerfile(`FROM node:26\n${line}\n`)).toThrow(/unknown|not the exec form/);
});

test("refuses an instruction before the first stage", () => {
  expect(() => readDockerfile("ARG A=1\nFROM node:26\n")).toThrow("before the first FROM");
});

test("decides by the last rule that matches a path or a folder above it", () => {
  const isIgnored = readDockerignore(
    "# All\n*\n!server\n!a.json\n**/node_modules\nserver/**/*.test.ts\n",
  );
  const paths = [
    "README.md",
    "a.json",
    "server",
    "server/src/main.ts",
    "server/src/main.test.ts",
    "server/main.test.ts",
    "server/node_modules",
    "server/a/node_modules/b.js",
    "secrets/bursar_secret",
  ];
  expect(paths.filter((path) => !isIgnored(path))).toEqual([
    "a.json",
    "server",
    "server/src/main.ts",
  ]);
});

test.each(["[ab].txt", "!server/src"])("refuses the unsupported rule %s", (rule) => {
  expect(() => readDockerignore(rule)).toThrow("unknown form");
});
