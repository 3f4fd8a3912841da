import type { Database } from "#src/db/pool.ts";

type LineState = "up" | "cut" | "answers lost";

/** A database whose statements can fail, or succeed with a lost response. */
export function makeBreakable(whole: Database): {
  line: { state: LineState };
  database: Database;
} {
  const line: { state: LineState } = { state: "up" };
  const database = new Proxy(whole, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "executeQuery" && name !== "updateTable") {
        return typeof value === "function" ? value.bind(target) : value;
      }
      if (line.state === "cut") throw new Error("connection lost");
      if (name === "updateTable" || line.state === "up") return (value as () => void).bind(target);
      return async (query: Parameters<Database["executeQuery"]>[0]) => {
        line.state = "up";
        await target.executeQuery(query);
        throw new Error("answer lost");
      };
    },
  });
  return { line, database };
}
