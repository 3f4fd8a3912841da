import type { Config } from "#src/config.ts";
import type { GatewayDeps } from "#src/gateway/handle-request.ts";
import type { Meter } from "#src/recording/meter.ts";

/** With sockets, the begins and ends of one turn are one write. Nothing is sent before it. */
export function chooseBegin(config: Config, meter: Meter): Pick<GatewayDeps, "writeBegin"> {
  if (config.journalSync === "group" || config.journal === "postgres") {
    return { writeBegin: (record) => meter.beginSynced(record) };
  }
  return config.http === "node" ? {} : { writeBegin: (record) => meter.beginWritten(record) };
}
