//! The table of methods, as it is kept.
//!
//! A method that passes a role is an operation of `rules/facts/pass-role.txt`, which is made from AWS's models, and what
//! `rules/facts/hand/passed-roles.txt` says that the passer gains from it. The others are in `rules/facts/hand/escalation.txt`.

use super::methods::{Danger, Technique};

const OPERATIONS: &str = include_str!("../../rules/facts/pass-role.txt");
const GAINS: &str = include_str!("../../rules/facts/hand/passed-roles.txt");
const OTHERS: &str = include_str!("../../rules/facts/hand/escalation.txt");

/// What the tables say together.
pub(super) struct MethodTable {
    /// Those that only paths show come last.
    pub(super) methods: Vec<Technique>,
    /// The services that run code of the customer's with the credentials of a role.
    pub(super) running: Vec<&'static str>,
}

impl MethodTable {
    pub(super) fn read() -> Self {
        let operations: Vec<&str> = lines(OPERATIONS).collect();
        let mut methods: Vec<Technique> = lines(OTHERS).filter_map(without_role).collect();
        let mut running: Vec<&str> = Vec::new();
        for line in lines(GAINS) {
            if let Some(services) = line.strip_prefix("runs\t") {
                running.extend(services.split(", "));
                continue;
            }
            let Some(gain) = PassedRole::of(line) else { continue };
            for name in gain.operations.split(", ") {
                let Some(operation) = find(&operations, gain.client, name) else {
                    continue;
                };
                let services = gain.services(operation);
                if gain.is_code {
                    running.extend(&services);
                }
                methods.extend(gain.methods(operation, &services));
            }
        }
        methods.sort_by_key(|t| t.only_paths);
        running.sort_unstable();
        running.dedup();
        Self { methods, running }
    }
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|l| !l.is_empty() && !l.starts_with('#'))
}

/// The value of `name=value` in a line.
fn value(line: &'static str, name: &str) -> Option<&'static str> {
    let mut fields = line.split('\t');
    fields.find_map(|f| f.strip_prefix(name)?.strip_prefix('='))
}

/// A method of `escalation.txt`.
fn without_role(line: &'static str) -> Option<Technique> {
    let mut fields = line.split('\t').skip(1);
    let kind = fields.next()?;
    let how = match kind {
        "self" => Danger::Own,
        "other" => Danger::Other,
        _ => Danger::Target,
    };
    let actions = fields.next()?.split(' ').collect();
    let mut method = Technique::new(how, actions, fields.next()?)?;
    method.on = fields
        .next()
        .map(|types| types.split(' ').collect())
        .unwrap_or_default();
    method.only_paths = kind == "reach";
    Some(method)
}

/// The line of an operation. The table is sorted.
fn find(operations: &[&'static str], client: &str, name: &str) -> Option<&'static str> {
    let start = format!("{client}\t{name}\t");
    let at = operations.partition_point(|line| **line < *start);
    operations.get(at).copied().filter(|line| line.starts_with(&start))
}

/// A line of `passed-roles.txt` that makes methods.
struct PassedRole {
    line: &'static str,
    client: &'static str,
    operations: &'static str,
    what: &'static str,
    is_code: bool,
}

impl PassedRole {
    fn of(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let (client, operations, gain) = (fields.next()?, fields.next()?, fields.next()?);
        matches!(gain, "code" | "calls" | "credentials").then_some(())?;
        Some(Self {
            line,
            client,
            operations,
            what: fields.next()?,
            is_code: gain == "code",
        })
    }

    fn has(&self, flag: &str) -> bool {
        self.line.split('\t').skip(4).any(|f| f == flag)
    }

    /// The services whose roles are meant.
    fn services(&self, operation: &'static str) -> Vec<&'static str> {
        let named = value(self.line, "to").or_else(|| value(operation, "to"));
        named.map(|n| n.split(", ").collect()).unwrap_or_default()
    }

    /// One for each of the alternatives that the operation needs too.
    fn methods(&self, operation: &'static str, services: &[&'static str]) -> Vec<Technique> {
        let own: Vec<&str> = operation
            .split('\t')
            .nth(2)
            .into_iter()
            .flat_map(|a| a.split(", "))
            .collect();
        let alternatives = value(self.line, "with").unwrap_or_default().split(" | ");
        let all = alternatives.filter_map(|with| {
            let others = with.split(", ").filter(|a| !a.is_empty());
            let actions = std::iter::once("iam:PassRole").chain(own.iter().copied()).chain(others);
            let is_in_policies = self.has("policy");
            let how = match is_in_policies {
                true => Danger::Pass,
                false => Danger::Start,
            };
            let mut method = Technique::new(how, actions.collect(), self.what)?;
            method.services = services.to_vec();
            method.only_paths = !is_in_policies;
            method.makes_profile = self.has("profile");
            Some(method)
        });
        all.collect()
    }
}
