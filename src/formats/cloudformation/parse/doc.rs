//! A template as it is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::iam::SourceFormat;
use crate::source::{Span, Text};
use crate::syntax::{NodeId, NodeKind, Tree};

/// A template as it is written.
pub(crate) struct Doc {
    pub(crate) tree: Arc<Tree>,
    pub(crate) root: NodeId,
    /// The path of its file; with `#2` for the second template of a stream.
    pub(crate) scope: Arc<str>,
    /// SAM where the translator is at work on it.
    pub(crate) format: SourceFormat,
    /// Names that it does not declare may still be resources: a translator or another part of the service makes them.
    pub(crate) open: bool,
}

impl Doc {
    pub(crate) fn new(tree: Arc<Tree>, root: NodeId, scope: Arc<str>) -> Self {
        let sam = is_sam(&tree, root);
        Self {
            tree,
            root,
            scope,
            format: if sam {
                SourceFormat::Sam
            } else {
                SourceFormat::Cloudformation
            },
            open: sam,
        }
    }

    /// A part of a `serverless.yml`.
    pub(crate) fn serverless_part(tree: Arc<Tree>, root: NodeId, scope: Arc<str>) -> Self {
        Self {
            format: SourceFormat::Serverless,
            open: true,
            ..Self::new(tree, root, scope)
        }
    }

    /// The logical id of the resource at `node`.
    pub(crate) fn name_of(&self, node: NodeId) -> String {
        let resources = self.section("Resources").into_iter();
        let mut entries = resources.flat_map(|r| self.tree.entries(r));
        let found = entries.find(|(_, n)| *n == node);
        found
            .and_then(|(key, _)| self.tree.text(key))
            .map(Text::display)
            .unwrap_or_default()
    }

    /// The parameters that it declares, each with whether it has a default.
    pub(crate) fn declared_parameters(&self) -> BTreeMap<String, bool> {
        let parameters = self.section("Parameters").into_iter();
        let entries = parameters.flat_map(|p| self.tree.entries(p));
        let named = entries.filter_map(|(key, node)| Some((self.tree.text(key)?.known()?.into_owned(), node)));
        named
            .map(|(name, node)| (name, self.tree.get(node, "Default").is_some()))
            .collect()
    }

    /// A parameter has no default.
    pub(crate) fn needs_values(&self) -> bool {
        self.declared_parameters().values().any(|has_default| !has_default)
    }

    pub(crate) fn section(&self, name: &str) -> Option<NodeId> {
        self.tree
            .get(self.root, name)
            .filter(|node| self.tree.kind(*node) == NodeKind::Map)
    }
}

/// The local file that a nested stack or application names.
pub(crate) fn template_location(tree: &Tree, node: NodeId) -> Option<String> {
    let kind = tree.text(tree.get(node, "Type")?)?.known()?;
    let key = match &*kind {
        "AWS::CloudFormation::Stack" => "TemplateURL",
        "AWS::Serverless::Application" => "Location",
        _ => return None,
    };
    let location = tree.get(tree.get(node, "Properties")?, key)?;
    let location = tree.text(location)?.known()?;
    let local = !location.contains("://") && !location.contains("${") && !location.is_empty();
    local.then(|| location.into_owned())
}

/// Whether the document at `root` is a template: it has resources with types, or says what it is.
pub(crate) fn is_template(tree: &Tree, root: NodeId) -> bool {
    if tree.kind(root) != NodeKind::Map {
        return false;
    }
    if tree.get(root, "AWSTemplateFormatVersion").is_some() {
        return true;
    }
    let Some(resources) = tree.get(root, "Resources") else {
        return false;
    };
    tree.entries(resources).any(|(key, node)| {
        let name = tree.text(key).and_then(Text::known).unwrap_or_default();
        name.starts_with("Fn::")
            || tree
                .get(node, "Type")
                .and_then(|t| tree.text(t))
                .is_some_and(|t| t.prefix().contains("::"))
    })
}

fn is_sam(tree: &Tree, root: NodeId) -> bool {
    let named = |node| {
        tree.text(node)
            .is_some_and(|t: &Text| t.prefix().starts_with("AWS::Serverless"))
    };
    let transform = tree
        .get(root, "Transform")
        .is_some_and(|t| named(t) || tree.children(t).any(named));
    transform
        || tree.get(root, "Resources").is_some_and(|resources| {
            tree.entries(resources)
                .any(|(_, node)| tree.get(node, "Type").is_some_and(named))
        })
}

/// The keys of a map that stand in it again further down, by their places.
pub(crate) fn superseded(tree: &Tree, map: NodeId) -> BTreeMap<Span, String> {
    let mut last: BTreeMap<String, Span> = BTreeMap::new();
    let mut out = BTreeMap::new();
    for (key, _) in tree.entries(map) {
        let name = tree
            .text(key)
            .and_then(Text::known)
            .filter(|name| !name.starts_with("Fn::"));
        let Some(name) = name.map(|name| name.into_owned()) else {
            continue;
        };
        if let Some(before) = last.insert(name.clone(), tree.span(key)) {
            out.insert(before, name);
        }
    }
    out
}
