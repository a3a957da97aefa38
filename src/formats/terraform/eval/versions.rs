//! Which version of the AWS provider a module is written for, where that decides what an attribute is.
//!
//! A version is written as a constraint in `required_providers`, or in the `provider` block as before Terraform 0.13; the root
//! module's counts. Where none says it, references that are all written as `"${…}"` are of Terraform 0.11, for which no provider
//! after 2.70 was made. AWS provider documentation, "Terraform AWS Provider Version 3 Upgrade Guide".

use crate::source::Text;
use crate::syntax::hcl::Body;
use crate::syntax::{NodeId, NodeKind as Node, Tree};

use crate::formats::terraform::eval::evaluator::TerraformEvaluator;
use crate::formats::terraform::parse::directory::Directory;

impl<'a> Directory<'a> {
    /// Whether the version that is asked for is before 3.0; `None` where nothing says it.
    fn is_before_v3(&self) -> Option<bool> {
        let of_providers = (self.providers.iter())
            .filter(|d| d.block().label(0) == "aws")
            .filter_map(|d| d.expr("version"));
        let of_terraform = self.requirements.iter().filter_map(|p| {
            let value = p.block.body.attribute("aws")?.value;
            Some((p.tree, value))
        });
        let written = of_providers.map(|e| (e.tree, e.node)).chain(of_terraform);
        let asked: Vec<bool> = written
            .filter_map(|(tree, node)| excludes_v3(&constraint(tree, node)?))
            .collect();
        (!asked.is_empty()).then(|| asked.contains(&true))
    }

    /// How references are written: all in templates, some outside, or `None` where there are none.
    fn has_old_syntax(&self) -> Option<bool> {
        let mut found = None;
        let declared = (self.resources.iter().map(|(_, d)| d)).chain(self.modules.values());
        let declared = declared.chain(self.outputs.values()).chain(self.variables.values());
        let mut open: Vec<(&'a Tree, &'a Body)> = declared
            .flat_map(|d| d.parts.iter().map(|p| (p.tree, &p.block.body)))
            .collect();
        while let Some((tree, body)) = open.pop() {
            open.extend(body.blocks.iter().map(|b| (tree, &b.body)));
            let mut nodes: Vec<NodeId> = body.attributes.iter().map(|a| a.value).collect();
            while let Some(node) = nodes.pop() {
                match tree.kind(node) {
                    Node::Template => found = Some(true),
                    Node::Ident | Node::Attr => return Some(false),
                    _ => nodes.extend(tree.children(node)),
                }
            }
        }
        found
    }
}

impl<'a> TerraformEvaluator<'a> {
    /// Whether a module is applied with a version of the AWS provider before 3.0, as far as its root and itself say.
    pub(crate) fn is_before_v3(&self, directory: &Directory<'a>) -> bool {
        let root = self.repository.directories.get(self.root);
        let asked = root
            .and_then(Directory::is_before_v3)
            .or_else(|| directory.is_before_v3());
        asked.unwrap_or_else(|| {
            let of_root = root.and_then(Directory::has_old_syntax);
            of_root != Some(false) && directory.has_old_syntax() == Some(true)
        })
    }
}

/// `aws = "~> 2.0"`, or `aws = { version = "~> 2.0" }`.
fn constraint(tree: &Tree, node: NodeId) -> Option<String> {
    if tree.kind(node) != Node::Map {
        return tree.text(node).and_then(Text::known).map(Into::into);
    }
    let children: Vec<NodeId> = tree.children(node).collect();
    children.chunks(2).find_map(|pair| {
        let [key, value] = pair else { return None };
        let is_version = match tree.kind(*key) {
            Node::Ident => tree.name(*key) == "version",
            _ => tree.text(*key).and_then(Text::known).as_deref() == Some("version"),
        };
        is_version.then(|| constraint(tree, *value).filter(|_| tree.kind(*value) == Node::Str))?
    })
}

/// Whether no version that fits a constraint is 3.0 or later; `None` where it has no upper end.
fn excludes_v3(constraint: &str) -> Option<bool> {
    let mut bounded = None;
    for part in constraint.split(',').map(str::trim) {
        let number = part.trim_start_matches(|c: char| !c.is_ascii_digit());
        let operator = part[..part.len() - number.len()].trim().trim_end_matches('v').trim();
        let mut digits = number.split('.').map(|n| n.trim().parse::<u32>().unwrap_or(0));
        let major = digits.next().filter(|_| !number.is_empty())?;
        let rest = digits.all(|n| n == 0);
        let below = match operator {
            "" | "=" | "<=" => major < 3,
            // `~> 2` lets 3.0 through; `~> 2.0` does not.
            "~>" => major < 3 && number.contains('.'),
            "<" => major < 3 || major == 3 && rest,
            ">=" | ">" if major >= 3 => return Some(false),
            _ => continue,
        };
        bounded = Some(bounded.unwrap_or(false) || below);
    }
    bounded
}

#[cfg(test)]
mod tests {
    use super::excludes_v3;

    #[test]
    fn the_upper_end_of_a_constraint_decides() {
        for (constraint, expected) in [
            ("1.9.0", Some(true)),
            ("= 2.70.0", Some(true)),
            ("~> 2.0", Some(true)),
            ("~> 2", Some(false)),
            (">= 2.7.0, < 3.0", Some(true)),
            (">= 2.7.0, < 4.0", Some(false)),
            (">= 2.0", None),
            (">= 3.0", Some(false)),
            ("~> 5.31", Some(false)),
            ("< 3.1", Some(false)),
            ("", None),
        ] {
            assert_eq!(excludes_v3(constraint), expected, "{constraint}");
        }
    }
}
