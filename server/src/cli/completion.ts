import { Argument, type Command } from "commander";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

const bash = `_bursar() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _bursar bursar ./bursar`;

const scripts: Readonly<Record<Shell, string>> = {
  bash,
  zsh: `autoload -U +X bashcompinit && bashcompinit\n${bash}`,
  fish: `complete -c bursar -f -a '(set -l words (commandline -opc); $words[1] complete -- $words[2..-1] (commandline -ct))'`,
};

/** `completion <shell>`, and the hidden `complete` that its script calls. */
export function addCompletionCommands(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes commands in a shell")
    .addArgument(new Argument("<shell>").choices(shells))
    .addHelpText("after", '\nExamples:\n  eval "$(bursar completion bash)"')
    .action((shell: Shell) => console.log(scripts[shell]));
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action((words: string[]) => {
      for (const candidate of complete(program, words)) console.log(candidate);
    });
}

/** Candidates for the last word, which is incomplete or empty. */
export function complete(program: Command, words: readonly string[]): readonly string[] {
  const begun = words.at(-1) ?? "";
  let command = program;
  for (const word of words.slice(0, -1)) {
    command = command.commands.find((each) => hasName(each, word)) ?? command;
  }
  const before = words.at(-2);
  const option = command.options.find(({ long }) => long !== undefined && long === before);
  if (option && (option.required || option.optional)) {
    return (option.argChoices ?? []).filter((each) => each.startsWith(begun));
  }
  const names = command.commands.map((each) => each.name()).filter((name) => name !== "complete");
  const flags = [...command.options, ...(command === program ? [] : program.options)];
  const candidates = begun.startsWith("-") ? flags.map(({ long }) => long ?? "") : names;
  return candidates.filter((each) => each.startsWith(begun));
}

function hasName(command: Command, word: string): boolean {
  return command.name() === word || command.aliases().includes(word);
}
