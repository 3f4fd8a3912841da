import { Agent } from "node:https";
import { connect } from "node:tls";
import { openTunnel, type TunnelProxy } from "#src/http1/open-tunnel.ts";

/** Connections of the platforms' libraries to their servers, through the proxy of the upstream. */
export class TunnelAgent extends Agent {
  readonly #proxy: TunnelProxy;

  constructor(proxy: TunnelProxy) {
    super();
    this.#proxy = proxy;
  }

  override createConnection(
    ...[options, done]: Parameters<Agent["createConnection"]>
  ): ReturnType<Agent["createConnection"]> {
    const { host = "localhost", port = 443 } = options;
    const name = String(host);
    openTunnel(this.#proxy, `${name}:${port}`, (result) => {
      if (result instanceof Error) done?.(result, null as never);
      else done?.(null, connect({ socket: result, servername: name }));
    });
    return undefined;
  }
}
