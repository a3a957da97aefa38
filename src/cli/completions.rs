//! `completions`: what a shell offers after each word.
//!
//! The names of rules stand in a script once, and what completes a rule refers to them: a list for each option would make a
//! script of a megabyte, which shells read when they start.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, CommandFactory};
use clap_complete::{Generator, shells};

use super::{Cli, CliFailure, terminal};
use crate::rules::Ruleset;

/// Print shell completions
#[derive(Debug, Args)]
pub(super) struct Completions {
    shell: Shell,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Nushell,
    Powershell,
    Zsh,
}

/// Stands for the names of rules in what clap makes.
const RULES: &str = "__overgrant_rules__";

impl Completions {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let text = match self.shell {
            Shell::Bash => bash(&script(shells::Bash)?),
            // What clap makes for these two completes no values at all.
            Shell::Elvish => script(shells::Elvish)?,
            Shell::Powershell => script(shells::PowerShell)?,
            Shell::Fish => fish(&script(shells::Fish)?),
            Shell::Nushell => nushell(&script(clap_complete_nushell::Nushell)?),
            Shell::Zsh => zsh(&script(shells::Zsh)?),
        };
        terminal::print_page(&text)
    }
}

fn script(shell: impl Generator) -> Result<String, CliFailure> {
    let mut out = Vec::new();
    let commands: Vec<String> = Cli::command()
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let mut root = with_values(Cli::command(), &commands);
    clap_complete::generate(shell, &mut root, "overgrant", &mut out);
    String::from_utf8(out).map_err(|_| CliFailure::Usage("the completions are not UTF-8".to_owned()))
}

/// The command with the values of its arguments that only a completion needs.
fn with_values(command: Command, commands: &[String]) -> Command {
    let values = |arg: Arg| {
        let names = arg.get_value_names().unwrap_or_default();
        if names
            .iter()
            .any(|name| name.split('|').any(|n| n == "RULE" || n == "RULES"))
        {
            return arg.value_parser(PossibleValuesParser::new([RULES]));
        }
        match names.iter().any(|name| *name == "COMMAND") {
            true => arg.value_parser(PossibleValuesParser::new(commands.to_vec())),
            false => arg,
        }
    };
    command
        .mut_args(values)
        .mut_subcommands(|command| with_values(command, commands))
}

/// Families and rules.
fn names() -> Vec<String> {
    let ruleset = Ruleset::builtin();
    let families = ruleset.families().into_iter().map(str::to_owned);
    let mut names: Vec<String> = families.chain(ruleset.iter().map(|r| r.id().to_string())).collect();
    names.sort();
    names.dedup();
    names
}

fn bash(script: &str) -> String {
    let names = names().join(" ");
    let functions = format!(
        "_overgrant_rule_names=\"{names}\"

# The names after the last comma.
_overgrant_rules() {{
    local before=\"\"
    [[ $1 == *,* ]] && before=\"${{1%,*}},\"
    COMPREPLY=($(compgen -P \"$before\" -W \"$_overgrant_rule_names\" -- \"${{1##*,}}\"))
}}

"
    );
    let script = script
        .replace(
            &format!("COMPREPLY=($(compgen -W \"{RULES}\" -- \"${{cur}}\"))"),
            "_overgrant_rules \"${cur}\"",
        )
        .replace(RULES, "$_overgrant_rule_names");
    functions + &script
}

fn zsh(script: &str) -> String {
    let names = names().join(" ");
    let functions = format!(
        "
_overgrant_rule() {{
    local -a names
    names=({names})
    compadd \"$@\" - $names
}}
_overgrant_rules() {{
    _sequence _overgrant_rule
}}
"
    );
    // The first lines make it a function that is loaded when it is needed.
    let start = "autoload -U is-at-least\n";
    script
        .replace(&format!(":RULES:({RULES})"), ":RULES:_overgrant_rules")
        .replace(&format!("({RULES})"), "_overgrant_rule")
        .replacen(start, &format!("{start}{functions}"), 1)
}

fn fish(script: &str) -> String {
    let names = names().join(" ");
    let mut out = format!(
        "function __overgrant_rules
    printf '%s\\n' {names}
end

"
    );
    let list = "\"(__fish_complete_list , __overgrant_rules)\"";
    out.push_str(&script.replace(&format!("\"{RULES}\\t''\""), list));
    // What clap makes for fish has no values of positional arguments.
    for command in ["explain", "rules"] {
        out.push_str(&format!(
            "complete -c overgrant -n \"__fish_overgrant_using_subcommand {command}\" -a \"(__overgrant_rules)\"\n"
        ));
    }
    out
}

fn nushell(script: &str) -> String {
    let names: Vec<String> = names().iter().map(|name| format!("\"{name}\"")).collect();
    let function = format!(
        "  def \"nu-complete overgrant rule names\" [] {{\n    [ {} ]\n  }}\n\n",
        names.join(" ")
    );
    let start = "module completions {\n\n";
    script
        .replace(&format!("[ \"{RULES}\" ]"), "nu-complete overgrant rule names")
        .replacen(start, &format!("{start}{function}"), 1)
}
