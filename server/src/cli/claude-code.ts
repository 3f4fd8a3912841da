import { getCACertificates } from "node:tls";
import { writeMachineFile } from "@bursar/contract/claude-code-file.ts";
import type { Command } from "commander";
import { isOnlyLocal, type LoadedConfig } from "#src/config.ts";
import {
  type Certificate,
  type CheckedAddress,
  checkServerAddress,
} from "#src/lib/check-server-address.ts";
import {
  addLogin,
  findMachineFile,
  readMachineFile,
  removeLogin,
  saveMachineFile,
} from "./machine-file.ts";
import { print } from "./print.ts";
import { checkUrl } from "./profiles.ts";
import { makeUsageError } from "./read-value.ts";
import type { Terminal } from "./terminal.ts";

const INSTALL_HELP = `
The file needs an administrator of this machine. Other settings in it stay. Claude Code then accepts no API keys here.

Examples:
  sudo bursar claude-code install --url https://bursar.example.com
  bursar claude-code install --url https://bursar.example.com --print`;

const UNINSTALL_HELP = `
People who are signed in stay signed in until they run \`claude auth logout\`, or until their laptop is ended.

Examples:
  sudo bursar claude-code uninstall`;

const FILE_FLAG = "--file <path>";
const ABOUT_FILE = "path of the file (default: the machine file of this system)";

interface Deps {
  env: NodeJS.ProcessEnv;
  terminal: Terminal;
  load: () => LoadedConfig;
}

/** `claude-code install` and `claude-code uninstall`: the sign-in of Claude Code on this machine. */
export function addClaudeCodeCommands(program: Command, deps: Deps): void {
  const group = program
    .command("claude-code")
    .description("sign-in of Claude Code on this machine, without a key");
  group
    .command("install")
    .option(
      "--url <url>",
      "address of the server (default: BURSAR_URL, or the server on this machine)",
    )
    .option(FILE_FLAG, ABOUT_FILE)
    .option("--print", "print the file instead of writing it")
    .description("let Claude Code on this machine sign in to a server")
    .addHelpText("after", INSTALL_HELP)
    .action((flags: { url?: string; file?: string; print?: true }) =>
      install(program, deps, flags),
    );
  group
    .command("uninstall")
    .option(FILE_FLAG, ABOUT_FILE)
    .description("remove the sign-in from this machine")
    .addHelpText("after", UNINSTALL_HELP)
    .action(({ file = findMachineFile(process.platform) }: { file?: string }) => {
      const settings = readMachineFile(file);
      const others = settings && removeLogin(settings);
      if (others !== null) saveMachineFile(file, others);
      print(program.opts(), { file, was_removed: others !== null }, () =>
        others === null ? `${file} has no sign-in at a gateway.` : `Removed from ${file}.`,
      );
    });
}

async function install(
  program: Command,
  { env, terminal, load }: Deps,
  flags: { url?: string; file?: string; print?: true },
): Promise<void> {
  const { file = findMachineFile(process.platform) } = flags;
  const origin = readOrigin(flags.url ?? (env["BURSAR_URL"] || findLocalUrl(load())));
  const settings = addLogin(readMachineFile(file) ?? {}, origin);
  // The client trusts the system's store too.
  const authorities = [...getCACertificates("default"), ...getCACertificates("system")];
  const checked = await checkServerAddress(origin, authorities);
  if (checked.state === "unencrypted" || checked.state === "public") {
    throw makeUsageError(`${describeAddress(origin, checked)} Nothing was changed.`);
  }
  const result = { file, settings, certificate_sha256: checked.certificate?.sha256 ?? null };
  if (flags.print) {
    const text = writeMachineFile(settings).trimEnd();
    print(program.opts(), result, () => text);
    terminal.note(`${file}\n${describeAddress(origin, checked)}`);
    return;
  }
  saveMachineFile(file, settings);
  print(program.opts(), result, () =>
    [`Wrote ${file}.`, describeAddress(origin, checked), "Start `claude` to sign in."].join("\n"),
  );
}

/** Address of the server on this machine, for all laptops. */
function findLocalUrl({ config }: LoadedConfig): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  if (isOnlyLocal(config)) {
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    return `${config.tlsCertFile === undefined ? "http" : "https"}://${host}:${config.port}`;
  }
  throw makeUsageError(
    "The address of the server is unknown: add --url, or set BURSAR_PUBLIC_URL.",
  );
}

/** Claude Code finds the server at an origin only. */
function readOrigin(text: string): string {
  const url = new URL(checkUrl(text, true));
  if (url.pathname === "/") return url.origin;
  throw makeUsageError(`Claude Code signs in at an address without a path, such as ${url.origin}.`);
}

/** One sentence about the address, with the fingerprint that Claude Code shows. */
function describeAddress(
  origin: string,
  { state, addresses, certificate }: CheckedAddress,
): string {
  const list = addresses.join(", ");
  switch (state) {
    case "ready":
      return certificate
        ? describeCertificate(certificate)
        : `${origin} works on this machine only, without a certificate.`;
    case "unencrypted":
      return `${origin} has no https. Claude Code requires it, except at localhost, 127.0.0.1 and [::1].`;
    case "public":
      return `${origin} has the address ${list}. Claude Code signs in at private addresses only.`;
    case "unresolved":
      return `Warning: no address was found for ${origin}. The fingerprint of its certificate is unknown.`;
    case "unreachable":
      return `Warning: ${origin} did not respond. The fingerprint of its certificate is unknown.`;
  }
}

function describeCertificate({ sha256, isTrusted }: Certificate): string {
  const fingerprint = `Certificate fingerprint (SHA-256): ${sha256}. Claude Code shows the first 16 characters.`;
  return isTrusted
    ? fingerprint
    : `${fingerprint}\nWarning: this machine does not trust the certificate. Install its authority in the system's store, or set NODE_EXTRA_CA_CERTS for Claude Code.`;
}
