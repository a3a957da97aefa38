//! Projects of CodeBuild: what the commands of a buildspec call, where it is written in the project.
//!
//! AWS CodeBuild User Guide, "Build specification reference for CodeBuild".

use super::{Parts, Understood, Users};
use crate::formats::data;
use crate::iam::states::TaskActions;
use crate::iam::targets::is_harmless_command;
use crate::model::Resource;
use crate::project::{Definition, DefinitionGap, WorkloadKind};
use crate::source::Span;
use crate::value::Value;

/// How deep commands may stand in commands.
const MAX_DEPTH: usize = 4;

pub(super) fn project(users: &mut Users<'_, '_, '_>, r: &Resource) {
    let content = definition(users, r);
    users.push(WorkloadKind::Build, r.get("ServiceRole"), content);
}

fn definition(users: &Users<'_, '_, '_>, r: &Resource) -> Understood<Definition> {
    let source = r
        .get("Source")
        .filter(|s| !s.is_null())
        .ok_or(DefinitionGap::Commands)?;
    let named = source.get("BuildSpec").or_else(|| source.get("Buildspec"));
    let spec = named.filter(|s| !s.is_null()).ok_or(DefinitionGap::Commands)?;
    let text = spec.as_text().ok_or(DefinitionGap::Unknown(spec.span))?;
    // Else it is the path of a file in the source.
    if !text.with_placeholders().contains('\n') {
        return Err(DefinitionGap::Commands);
    }
    let spec_value = data::from_yaml(text, spec.span).ok_or(DefinitionGap::Broken(spec.span))?;
    let phases = spec_value.get("phases").ok_or(DefinitionGap::Broken(spec.span))?;
    let phases = phases.entries().ok_or(DefinitionGap::Broken(phases.span))?;
    let mut parts = Parts::new(users.linking, spec.span);
    parts.may_need("codebuild");
    for phase in phases {
        for list in ["commands", "finally"] {
            let commands = phase.value.get(list).map_or(&[][..], Value::items);
            for command in commands {
                let text = command.to_text().ok_or(DefinitionGap::Unknown(command.span))?;
                for line in text.with_placeholders().replace("\\\n", " ").lines() {
                    add(&mut parts, line, command.span, 0)?;
                }
            }
        }
    }
    Ok(parts.out)
}

/// What a line of a shell calls.
fn add(parts: &mut Parts<'_, '_>, line: &str, at: Span, depth: usize) -> Understood {
    let unknown = |command: &str| DefinitionGap::Command(command.trim().to_owned(), at);
    // Text that is run as commands, and requests that are signed by hand.
    let hidden = ["<(", "eval ", "-exec", "sigv4", "AWS_CONTAINER"];
    if depth > MAX_DEPTH || hidden.iter().any(|word| line.contains(word)) {
        return Err(unknown(line));
    }
    let mut plain = line.to_owned();
    // The innermost command first.
    while let Some(start) = plain.rfind("$(") {
        let end = plain[start..].find(')').ok_or_else(|| unknown(line))? + start;
        let inner = plain[start + 2..end].to_owned();
        add(parts, &inner, at, depth + 1)?;
        plain.replace_range(start..=end, "X");
    }
    while let Some(start) = plain.find('`') {
        let end = plain[start + 1..].find('`').ok_or_else(|| unknown(line))? + start + 1;
        let inner = plain[start + 1..end].to_owned();
        add(parts, &inner, at, depth + 1)?;
        plain.replace_range(start..=end, "X");
    }
    for command in commands(&plain) {
        add_command(parts, command, at, &unknown)?;
    }
    Ok(())
}

/// The commands of a line, outside quotes.
fn commands(line: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut from, mut quote) = (0, None);
    for (at, c) in line.char_indices() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(q)) if c == q => quote = None,
            ('#', None) if line[..at].ends_with(char::is_whitespace) || at == 0 => {
                out.push(&line[from..at]);
                return out;
            }
            ('&' | '|' | ';', None) => {
                out.push(&line[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(&line[from..]);
    out
}

fn add_command(
    parts: &mut Parts<'_, '_>,
    command: &str,
    at: Span,
    unknown: &dyn Fn(&str) -> DefinitionGap,
) -> Understood {
    let is_assignment = |word: &str| {
        word.split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let mut words = command.split_whitespace().skip_while(|word| is_assignment(word));
    let Some(program) = words.next() else { return Ok(()) };
    let rest: Vec<&str> = words.collect();
    let of = |key: String| TaskActions::of_target(&key);
    let actions = match (program, rest.as_slice()) {
        ("aws", ["--version" | "configure", ..]) => return Ok(()),
        ("aws", [service, operation, ..]) => {
            let known = of(format!("cli {service} {operation}"));
            known.or_else(|| TaskActions::of_cli_call(service, operation))
        }
        ("docker", ["push" | "pull", ..]) => of(format!("docker {}", rest[0])),
        ("docker", ["build" | "tag" | "login" | "images" | "version" | "--version", ..]) => return Ok(()),
        ("pip" | "pip3", ["install", ..]) => return Ok(()),
        (_, ["--version"]) => return Ok(()),
        _ if is_harmless_command(program) => return Ok(()),
        _ => None,
    };
    let actions = actions.ok_or_else(|| unknown(command))?;
    let service = rest.first().copied().unwrap_or(program);
    parts.add("command", at, service, actions.uncertain(), None);
    Ok(())
}
