import { z } from "zod";
import { isAllowedTarget } from "#src/lib/target-address.ts";

// Forms of the values of settings (config.ts), other than durations and sizes (config-amounts.ts).

export const text = z.string().min(1, "expected a non-empty text");
// The value becomes an HTTP header. A pasted line break would fail every request.
export const headerText = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "expected printable characters without spaces");
export const bearerToken = headerText.min(24, "expected at least 24 characters");
export const passphrase = z.string().min(12, "expected at least 12 characters");
export const list = z.string().transform((value) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);
export const targets = list.refine(
  (items) => items.every(isAllowedTarget),
  "expected addresses, CIDR ranges or host names, comma separated, such as 10.0.0.0/8,hooks.example.internal",
);
/** Pairs of a header's name and value, comma separated, as in `OTEL_EXPORTER_OTLP_HEADERS`. */
export const telemetryHeaders = z
  .string()
  .regex(
    /^[\w-]+=[\x20-\x2b\x2d-\x7e]+(,[\w-]+=[\x20-\x2b\x2d-\x7e]+)*$/,
    "expected name=value pairs, comma separated, such as authorization=Bearer abc",
  )
  .transform((pairs) =>
    Object.fromEntries(
      pairs.split(",").map((pair) => {
        const at = pair.indexOf("=");
        return [pair.slice(0, at).toLowerCase(), pair.slice(at + 1)];
      }),
    ),
  );
const expectedPort = "expected a port number from 0 to 65535";
export const port = z
  .string()
  .regex(/^\d{1,5}$/, expectedPort)
  .transform(Number)
  .refine((number) => number <= 65_535, expectedPort);
export const databaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: "expected postgres://…",
});
export const httpUrl = z.url({ protocol: /^https?$/, error: "expected an http or https URL" });

/** Sender of the From line: an address, or a name with an address. */
export const mailFrom = z
  .string()
  .regex(
    /^[^\p{C}<>]{0,100}<[^\s<>@\p{C}]+@[^\s<>@\p{C}]+>$|^[^\s<>@\p{C}]+@[^\s<>@\p{C}]+$/u,
    "expected an address such as bursar@example.com or Bursar <bursar@example.com>",
  );

export const MOST_PROCESSES = 64;
const expectedProcesses = `expected a number of processes from 1 to ${MOST_PROCESSES}`;
export const processes = z
  .string()
  .regex(/^[1-9]\d?$/, expectedProcesses)
  .transform(Number)
  .refine((number) => number <= MOST_PROCESSES, expectedProcesses);

const MOST_CONNECTIONS = 500;
const expectedConnections = `expected a number of connections from 4 to ${MOST_CONNECTIONS}`;
/** Below four, one slow statement can delay all others. */
export const connections = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, expectedConnections)
  .transform(Number)
  .refine((number) => number >= 4 && number <= MOST_CONNECTIONS, expectedConnections);

/** Settings of upstreams. The proxy has the names that other programs use too. */
export const upstreamSettings = {
  allowMachineCredentials: {
    env: "BURSAR_ALLOW_MACHINE_CREDENTIALS",
    schema: z.enum(["on", "off"]),
    fallback: "off",
    about:
      "on: a stored upstream of a cloud platform may use the credentials of this machine, such as an instance role or a workload identity.",
  },
  httpsProxy: {
    env: "HTTPS_PROXY",
    schema: httpUrl.optional(),
    isSecret: true,
    about:
      "Proxy of upstreams with https, such as `http://user:password@proxy.example.com:3128`. An upstream can have a proxy of its own instead.",
  },
  noProxy: {
    env: "NO_PROXY",
    schema: list,
    fallback: "",
    about:
      "Hosts of upstreams without that proxy, comma separated. A name includes its subdomains. `*`: all hosts.",
  },
} as const;
