//! `--check`: what the hand-kept part names exists.

use std::fs;
use std::path::Path;

use super::catalogue::Catalogue;
use super::{passing, source, text};

pub fn run(root: &Path) -> Result<(), String> {
    let catalogue = Catalogue::read(root)?;
    let mut missing = Vec::new();
    let mut named = 0;
    for path in source::files_in(&root.join("hand"))? {
        let file = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        for line in text::lines(&file) {
            let actions: Vec<&str> = match name {
                "notable-actions.txt" | "helper-resources.txt" | "star-only.txt" => vec![line.at(0)],
                "checked-arns.txt" if !line.at(0).ends_with(":*") => vec![line.at(0)],
                "cdk-grants.txt" => text::items(line.at(1))
                    .chain(text::items(line.at(2)))
                    .filter(|a| !a.contains('*'))
                    .collect(),
                "api-names.txt" | "kms-needs.txt" | "library-calls.txt" | "lambda-baseline.txt" => {
                    text::items(line.at(1)).collect()
                }
                "corrections.txt" if line.at(0) == "action" => vec![line.at(1)],
                "corrections.txt" => line.list("all").chain(line.list("any")).collect(),
                "exposure.txt" => vec![line.at(1)],
                "escalation.txt" => line.at(2).split(' ').collect(),
                "passed-roles.txt" => {
                    let with = line.value("with").unwrap_or_default();
                    with.split(" | ").flat_map(text::items).collect()
                }
                "injected-methods.txt" => line.list("needs").collect(),
                _ => Vec::new(),
            };
            named += actions.len();
            missing.extend(
                actions
                    .into_iter()
                    .filter(|a| !catalogue.has_live(a))
                    .map(|a| format!("{name}: `{a}` is no action")),
            );
        }
    }
    let table = fs::read_to_string(root.join(passing::FILE)).unwrap_or_default();
    let lost = passing::unknown(root, &table)?;
    missing.extend(lost.iter().map(|o| format!("passed-roles.txt: `{o}` passes no role")));
    if !missing.is_empty() {
        return Err(missing.join("\n"));
    }
    println!("{named} actions named by hand, all known");
    for operation in passing::unjudged(root, &table)? {
        println!("{operation} passes a role, and `passed-roles.txt` does not say what the passer gains");
    }
    Ok(())
}
