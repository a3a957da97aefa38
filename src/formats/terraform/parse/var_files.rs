//! Files for `-var-file`: each is one way to apply a configuration, and every one is judged.
//!
//! Terraform documentation, "Variable Definition Precedence". A file belongs to the root module that declares its variables:
//! the nearest one above it, else the only one in the repository that declares all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Problem, ProblemKind, Sources, is_within};

use crate::formats::terraform::parse::directory::{Directory, File, FileRole, HclExpr, RootVariables};

/// How many ways to apply one root module are distinguished.
const MAX_WAYS: usize = 32;

/// The ways to apply each root module, by its directory, none where no file says how; and what is left out of them.
pub(crate) fn variable_sets<'a>(
    files: &'a BTreeMap<String, Vec<File>>,
    directories: &BTreeMap<&'a str, Directory<'a>>,
    roots: &[&'a str],
    sources: &Sources,
) -> (BTreeMap<&'a str, Vec<RootVariables<'a>>>, Vec<Problem>) {
    let mut by_root: BTreeMap<&str, Vec<Vec<RootVariables<'a>>>> = BTreeMap::new();
    for (path, files) in files {
        let mut by_owner: BTreeMap<&str, Vec<RootVariables<'a>>> = BTreeMap::new();
        let configured = files
            .iter()
            .any(|f| matches!(f.role, FileRole::Config | FileRole::Override));
        for file in files {
            let chosen = match file.role {
                FileRole::OtherValues => true,
                // Beside no configuration, nothing reads it without being asked to.
                FileRole::Values | FileRole::AutoValues => !configured,
                _ => false,
            };
            if !chosen {
                continue;
            }
            let values: RootVariables<'a> = values(file);
            if let Some(root) = owner(path, &values, directories, roots) {
                by_owner.entry(root).or_default().push(values);
            }
        }
        for (root, chosen) in by_owner {
            by_root.entry(root).or_default().push(alternatives(chosen));
        }
    }
    let mut left_out = Vec::new();
    let by_root = by_root.into_iter().map(|(root, folders)| {
        let mut sets = alternatives(folders.into_iter().flatten().collect());
        leave_layers_out(&mut sets, &directories[root], sources);
        let rest = sets.split_off(sets.len().min(MAX_WAYS));
        left_out.extend(rest.iter().filter_map(|set| {
            let value = set.values().max_by_key(|e| e.tree.span(e.node))?;
            let message = "too many variable files for one configuration: this file is not used";
            Some(Problem::new(
                ProblemKind::Exhausted,
                value.tree.span(value.node),
                message,
            ))
        }));
        (root, sets)
    });
    (by_root.collect(), left_out)
}

fn values(file: &File) -> RootVariables<'_> {
    let expr = |node| HclExpr {
        tree: &file.hcl.tree,
        node,
    };
    let attributes = file.hcl.body.attributes.iter();
    attributes.map(|a| (&*a.name, expr(a.value))).collect()
}

fn owner<'a>(
    path: &str,
    values: &RootVariables<'_>,
    directories: &BTreeMap<&'a str, Directory<'a>>,
    roots: &[&'a str],
) -> Option<&'a str> {
    let declares = |root: &&&'a str, name: &str| directories[**root].variables.contains_key(name);
    let above = |root: &&&'a str| is_within(path, root);
    let near = roots
        .iter()
        .filter(above)
        .filter(|root| values.keys().any(|name| declares(root, name)))
        .max_by_key(|root| root.len());
    if near.is_some() {
        return near.copied();
    }
    let mut fitting = roots
        .iter()
        .filter(|root| !values.is_empty() && values.keys().all(|name| declares(root, name)));
    fitting.next().filter(|_| fitting.next().is_none()).copied()
}

/// Takes out what is no way to apply a root module: values that are for several of them, in a folder that has none of its own
/// for this one, as a variable that another way sets has no value.
fn leave_layers_out(sets: &mut Vec<RootVariables<'_>>, root: &Directory<'_>, sources: &Sources) {
    const SHARED: [&str; 6] = ["base", "common", "default", "defaults", "global", "shared"];
    let is_shared = |e: &HclExpr<'_>| {
        let path = sources.path(e.tree.span(e.node).file);
        let name = path.rsplit('/').next().unwrap_or(path);
        name.split('.').next().is_some_and(|stem| SHARED.contains(&stem))
    };
    let given: BTreeSet<&str> = sets.iter().flat_map(RootVariables::keys).copied().collect();
    let wanted: Vec<&str> = root.open_variables().filter(|name| given.contains(name)).collect();
    sets.retain(|set| !set.values().all(is_shared) || wanted.iter().all(|name| set.contains_key(name)));
}

/// Files that set a variable of another one are alternatives to it; the others are given with each of them.
fn alternatives<'a>(files: Vec<RootVariables<'a>>) -> Vec<RootVariables<'a>> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for name in files.iter().flat_map(RootVariables::keys) {
        *uses.entry(name).or_default() += 1;
    }
    let (common, mut chosen): (Vec<_>, Vec<_>) = files
        .into_iter()
        .filter(|file| !file.is_empty())
        .partition(|file| file.keys().all(|name| uses[name] == 1));
    let common: RootVariables<'a> = common.into_iter().flatten().collect();
    if chosen.is_empty() {
        chosen.extend(Some(common).filter(|c| !c.is_empty()));
        return chosen;
    }
    for file in &mut chosen {
        file.extend(common.iter().map(|(name, value)| (*name, *value)));
    }
    chosen
}
