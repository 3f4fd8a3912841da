import type { Command } from "commander";
import { CommandError, exitCodes } from "./command-error.ts";
import { call, connectRemotely } from "./connection.ts";
import { formatTextTable, type OutputOptions, print } from "./print.ts";
import {
  checkKey,
  checkName,
  checkUrl,
  type Profile,
  readKeyVariable,
  readProfiles,
  writeProfiles,
} from "./profiles.ts";
import { readSecret } from "./read-secret.ts";
import type { Terminal } from "./terminal.ts";

interface AddOptions {
  url: string;
  keyFile?: string;
  allowHttp?: true;
  check: boolean;
  replace?: true;
}

/** `profile add`, `list` and `remove`: remote servers. */
export function addProfileCommands(
  program: Command,
  { env, terminal }: { env: NodeJS.ProcessEnv; terminal: Terminal },
): void {
  const profiles = program.command("profile").description("remote servers with their keys");
  profiles
    .command("add <name>")
    .description("store the address of a server and a key for it")
    .requiredOption("--url <url>", "address, such as https://bursar.example.com")
    .option("--key-file <file>", "file with the key, or - for standard input", "-")
    .option("--replace", "replace an existing profile of this name")
    .option("--allow-http", "allow http, which sends the key unencrypted")
    .option("--no-check", "do not test the key on the server")
    .addHelpText(
      "after",
      "\nThe key comes from a prompt, from standard input, or from the file in --key-file or BURSAR_ADMIN_KEY_FILE." +
        "\n\nExamples:\n  bursar profile add work --url https://bursar.example.com" +
        "\n  bursar profile add ci --url https://bursar.example.com --key-file /run/secrets/bursar" +
        "\n  bursar --profile work workspaces list",
    )
    .action(async (name: string, options: AddOptions) => {
      const profile = await makeProfile(name, options, { env, terminal });
      writeProfiles(env, { ...readProfiles(env), [name]: profile });
      print(program.opts<OutputOptions>(), { name, url: profile.url }, () => {
        return `Use it with --profile ${name}, or BURSAR_PROFILE=${name}.`;
      });
    });
  profiles
    .command("list")
    .description("list the stored servers")
    .addHelpText("after", "\nExamples:\n  bursar profile list")
    .action(() => {
      const data = Object.entries(readProfiles(env)).map(([name, { url, key }]) => {
        return { name, url, partial_key_hint: formatKeyHint(key) };
      });
      print(program.opts<OutputOptions>(), { data }, () =>
        formatTextTable(
          ["name", "url", "key"],
          data.map((profile) => [profile.name, profile.url, profile.partial_key_hint]),
        ),
      );
    });
  profiles
    .command("remove <name>")
    .description("remove a server and its key from this machine")
    .addHelpText("after", "\nExamples:\n  bursar profile remove work")
    .action((name: string) => {
      const { [name]: removed, ...rest } = readProfiles(env);
      if (!removed) throw new CommandError(`Profile not found: ${name}`, exitCodes.notFound);
      writeProfiles(env, rest);
      print(
        program.opts<OutputOptions>(),
        { name },
        () => `Removed ${name}. Its key still works: revoke it if it is no longer needed.`,
      );
    });
}

async function makeProfile(
  name: string,
  { url: written, keyFile = "-", allowHttp, check, replace }: AddOptions,
  { env, terminal }: { env: NodeJS.ProcessEnv; terminal: Terminal },
): Promise<Profile> {
  checkName(name);
  if (readProfiles(env)[name] && !replace) {
    throw new CommandError(
      `A profile "${name}" exists already. Add --replace to replace it.`,
      exitCodes.conflict,
    );
  }
  const url = checkUrl(written, allowHttp === true);
  const given = keyFile === "-" ? readKeyVariable(env) : null;
  const key = given ?? checkKey(await readSecret(keyFile, "--key", terminal));
  if (check) {
    await call(connectRemotely({ url, key }), { method: "GET", target: "/v1/organizations/me" });
  }
  return { url, key };
}

/** Partial key, as the server shows it. */
function formatKeyHint(key: string): string {
  return `${key.slice(0, key.lastIndexOf("-") + 1)}…${key.slice(-4)}`;
}
