import { Argument, type Command } from "commander";
import { type Connection, call } from "./connection.ts";
import { readJson } from "./read-value.ts";
import type { Terminal } from "./terminal.ts";
import { toJson } from "./to-json.ts";

/** `api`: any call of the Admin API, for routes without a command. */
export function addCallCommand(
  program: Command,
  { connect, terminal }: { connect: () => Promise<Connection>; terminal: Terminal },
): void {
  program
    .command("api")
    .description("call a path of the Admin API and print the JSON response")
    .addArgument(new Argument("<method>").choices(["GET", "POST", "DELETE"]))
    .argument("<path>", "path and query, such as /v1/organizations/workspaces?limit=5")
    .option("--data <json>", "request body: JSON, @file, or - for standard input")
    .option(
      "--idempotency-key <key>",
      "make retries safe: a request repeated with the same key runs once",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  bursar api GET /v1/organizations/me" +
        `\n  bursar api POST /v1/admin/workspaces --data '{"name":"Research"}'`,
    )
    .action(
      async (
        method: "GET" | "POST" | "DELETE",
        path: string,
        options: { data?: string; idempotencyKey?: string },
      ) => {
        const { data, idempotencyKey } = options;
        const written = data === "-" ? await terminal.readInput() : data;
        const body =
          written === undefined ? undefined : JSON.stringify(readJson(written, { name: "--data" }));
        const target = path.startsWith("/") ? path : `/${path}`;
        const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
        const answer = await call(await connect(), { method, target, body, headers });
        terminal.print(toJson(answer, terminal.isOutput));
      },
    );
}
