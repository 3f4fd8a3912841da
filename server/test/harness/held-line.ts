import type { Database } from "#src/db/pool.ts";

/** A database whose responses to reads or commits can be delayed. */
export function makeHeldLine(database: Database) {
  const held: (() => void)[] = [];
  let holds: "nothing" | "reads" | "commits" = "nothing";
  const wait = () => new Promise<void>((resolve) => held.push(resolve));
  const reads = database.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      if (holds === "reads") await wait();
      return result;
    },
  });
  const commits = new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "transaction") return typeof value === "function" ? value.bind(target) : value;
      return () => ({
        execute: async (work: Parameters<ReturnType<Database["transaction"]>["execute"]>[0]) => {
          const result = await target.transaction().execute(work);
          if (holds === "commits") await wait();
          return result;
        },
      });
    },
  });
  return {
    reads,
    commits,
    hold: (what: typeof holds) => {
      holds = what;
    },
    isHolding: () => held.length > 0,
    release: () => {
      holds = "nothing";
      for (const resolve of held.splice(0)) resolve();
    },
  };
}
