import type { DBAdapter, Where } from "better-auth";

// better-auth stores session tokens in clear. This adapter hashes tokens before each write and search, and returns the
// original token. A reader of the table cannot use a session.

type Row = Record<string, unknown>;

/** Wraps the adapter and hashes session tokens. The caller provides the transaction. */
export function hashSessionTokens(
  adapter: DBAdapter,
  hashToken: (token: string) => string,
): DBAdapter {
  const hashed: DBAdapter = {
    ...adapter,
    create: async (call) => {
      if (call.model !== "session") return adapter.create(call);
      const token = String((call.data as Row)["token"]);
      const data = { ...call.data, token: hashToken(token) };
      const made: Row = await adapter.create({ ...call, data });
      return { ...made, token } as never;
    },
    findOne: async (call) => {
      const { where, token } = hashWhere(call.model, call.where);
      return withToken(await adapter.findOne({ ...call, where }), token);
    },
    findMany: (call) => adapter.findMany({ ...call, ...hashOptional(call) }),
    count: (call) => adapter.count({ ...call, ...hashOptional(call) }),
    update: async (call) => {
      const { where, token } = hashWhere(call.model, call.where);
      return withToken(await adapter.update({ ...call, where }), token);
    },
    updateMany: (call) =>
      adapter.updateMany({ ...call, where: hashWhere(call.model, call.where).where }),
    delete: (call) => adapter.delete({ ...call, where: hashWhere(call.model, call.where).where }),
    deleteMany: (call) =>
      adapter.deleteMany({ ...call, where: hashWhere(call.model, call.where).where }),
    transaction: (work) => work(hashed),
  };
  return hashed;

  function hashWhere(model: string, where: Where[]): { where: Where[]; token: string | null } {
    if (model !== "session") return { where, token: null };
    let token: string | null = null;
    const hashedWhere = where.map((condition) => {
      if (condition.field !== "token") return condition;
      if (Array.isArray(condition.value)) {
        return { ...condition, value: condition.value.map((each) => hashToken(String(each))) };
      }
      token = String(condition.value);
      return { ...condition, value: hashToken(token) };
    });
    return { where: hashedWhere, token };
  }

  function hashOptional(call: { model: string; where?: Where[] | undefined }) {
    return call.where === undefined ? {} : { where: hashWhere(call.model, call.where).where };
  }
}

function withToken<T>(row: T, token: string | null): T {
  return row !== null && token !== null ? { ...row, token } : row;
}
