import { z } from "zod";
import { timestamp } from "../fields.ts";
import { route } from "../route.ts";

/** Result of the check of an address, by the rules of Claude Code. */
export const addressStates = [
  "ready",
  "unknown",
  "unencrypted",
  "unresolved",
  "public",
  "unreachable",
] as const;
export type AddressState = (typeof addressStates)[number];

export const getServerAddress = route({
  operationId: "getServerAddress",
  method: "GET",
  path: "/v1/admin/server_address",
  summary: "Get the address of this server for Claude Code",
  description:
    "Checks whether Claude Code can sign in at the address. Claude Code requires https and a host with private addresses. Plain http works on loopback only. The result of a check is used for a minute.",
  action: "self:read",
  audited: null,
  response: z.object({
    type: z.literal("server_address"),
    url: z.string().nullable().meta({
      description:
        "`BURSAR_PUBLIC_URL`, or the address of a server that listens on loopback only. Null: unknown.",
    }),
    state: z.enum(addressStates).meta({
      description:
        "`unknown`: `BURSAR_PUBLIC_URL` is not set. `unresolved`: the server finds no address of the host. `public`: the host has a public address. `unreachable`: the server got no certificate there.",
    }),
    addresses: z.array(z.string()).meta({
      description: "Addresses of the host, as the server resolves it.",
    }),
    certificate: z
      .object({
        sha256: z.string().meta({
          description:
            "SHA-256 of the certificate in lower-case hexadecimal. Claude Code shows the first 16 characters.",
        }),
        expires_at: timestamp,
      })
      .nullable()
      .meta({ description: "Null: the address has no TLS, or the server got no certificate." }),
  }),
});

export const serverAddressRoutes = [getServerAddress] as const;
