import { createSetUpLink, listOwners, resetOwner } from "@bursar/contract/admin/set-up.ts";
import type { Command } from "commander";
import { type CallApi, callRoute } from "./local-api.ts";
import { type OutputOptions, print, table } from "./print.ts";

/** `setup-link`, and `owners`: how somebody gets in when nobody inside can help. */
export function addOwnerCommands(program: Command, callApi: CallApi): void {
  program
    .command("setup-link")
    .description("make the one-time link that creates the first owner")
    .action(async () => {
      const link = await callRoute(callApi, createSetUpLink);
      printLink(program.opts(), link, "Whoever opens it becomes the owner of this installation.");
    });
  const owners = program.command("owners").description("owners of the organization");
  owners
    .command("list")
    .description("list owners")
    .action(async () => {
      const { data } = await callRoute(callApi, listOwners);
      print(program.opts(), { data }, () =>
        table(
          ["address", "name", "status", "authenticator app", "last seen"],
          data.map((owner) => [
            owner.email,
            owner.name,
            owner.status,
            owner.has_two_factor ? "yes" : "no",
            owner.last_active_at ?? "never",
          ]),
        ),
      );
    });
  owners
    .command("reset <address>")
    .description("make a one-time link that sets a new password of an owner")
    .option("--two-factor", "forget the authenticator app too, and end the sessions")
    .action(async (email: string, options: { twoFactor?: true }) => {
      const body = { email, remove_two_factor: options.twoFactor === true };
      const link = await callRoute(callApi, resetOwner, { body });
      printLink(program.opts(), link, `Give it to ${email} and to nobody else.`);
    });
}

interface Link {
  url: string;
  expires_at: string;
}

/** Alone when the output is piped. */
function printLink(options: OutputOptions, link: Link, advice: string): void {
  print(options, { ...link }, () => {
    if (!process.stdout.isTTY) return link.url;
    return `${link.url}\n\n${advice} It works once, until ${link.expires_at}.`;
  });
}
