import { decodePercent } from "#src/lib/decode-percent.ts";
import { type Exchange, isBeta, sendObject } from "./exchange.ts";
import { findModel, simulatedModels, toBetaModel } from "./models.ts";
import { selectByIds } from "./objects/list-pages.ts";
import { SimulatedError } from "./simulated-error.ts";

/** `GET /v1/models`: a `Page` with `limit`, `after_id`, `before_id`, and `lifecycle[]` as a filter. */
export function answerModels(exchange: Exchange): void {
  const query = exchange.url.searchParams;
  const wanted = new Set([...query.getAll("lifecycle[]"), ...query.getAll("lifecycle")]);
  const listed = simulatedModels.filter((model) => {
    return wanted.size > 0 ? wanted.has(model.lifecycle) : model.lifecycle !== "retired";
  });
  const page = selectByIds(listed, query);
  sendObject(exchange, isBeta(exchange) ? { ...page, data: page.data.map(toBetaModel) } : page);
}

/** `GET /v1/models/{id}`, also by an alias. */
export function answerModel(exchange: Exchange, encodedId: string): void {
  const id = decodePercent(encodedId) ?? encodedId;
  const model = findModel(id);
  if (model === null) throw new SimulatedError(404, `model: ${id}`);
  sendObject(exchange, isBeta(exchange) ? toBetaModel(model) : model);
}
