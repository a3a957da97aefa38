//! What the files of one directory declare: a Terraform module before anyone calls it.
//!
//! **Invariant:** declarations keep the order of files and lines; `*_override.tf` is merged the way Terraform's page
//! "Override Files" says, argument by argument, block type by block type.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use crate::source::{FileId, parent_path};
use crate::syntax::hcl::{Attribute, Body, HclBlock, HclFile};
use crate::syntax::{NodeId, NodeKind as Node, Tree};

/// An expression and the tree that it is a node of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HclExpr<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) node: NodeId,
}

/// Values that are chosen for the variables of a root module.
pub(crate) type RootVariables<'a> = BTreeMap<&'a str, HclExpr<'a>>;

/// One block of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileBlock<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) block: &'a HclBlock,
}

/// A declaration: its block, and the blocks that override it.
#[derive(Clone, Debug)]
pub(crate) struct Decl<'a> {
    pub(crate) parts: Vec<FileBlock<'a>>,
}

impl<'a> Decl<'a> {
    pub(crate) fn block(&self) -> &'a HclBlock {
        self.parts[0].block
    }

    /// The attribute that counts, and its tree.
    pub(crate) fn attribute(&self, name: &str) -> Option<(&'a Attribute, HclExpr<'a>)> {
        self.parts.iter().rev().find_map(|p| {
            let attribute = p.block.body.attribute(name)?;
            let expr = HclExpr {
                tree: p.tree,
                node: attribute.value,
            };
            Some((attribute, expr))
        })
    }

    pub(crate) fn expr(&self, name: &str) -> Option<HclExpr<'a>> {
        self.attribute(name).map(|(_, e)| e)
    }
}

/// A parsed file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) id: FileId,
    pub(crate) role: FileRole,
    pub(crate) hcl: HclFile,
    /// Files that it reads and that are not here.
    pub(crate) wanted: Vec<String>,
}

/// What a file is for, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileRole {
    Config,
    Override,
    /// `terraform.tfvars`: read without being asked for.
    Values,
    /// `*.auto.tfvars`: so too, and counts for more. Terraform documentation, "Variable Definition Precedence".
    AutoValues,
    /// `prod.tfvars`: one of those that are chosen on the command line.
    OtherValues,
    Terragrunt,
}

/// Files of Terraform and OpenTofu in their own language.
const CODE: [&str; 2] = [".tf", ".tofu"];

/// Whether a file has code of Terraform or OpenTofu, in their own language.
pub(crate) fn is_hcl_file(path: &str) -> bool {
    CODE.iter().any(|end| path.ends_with(end))
}

/// Whether a file has code of Terraform or OpenTofu, in their own language or in JSON.
pub(crate) fn is_code_file(path: &str) -> bool {
    is_hcl_file(path.strip_suffix(".json").unwrap_or(path))
}

/// Whether a file has values of variables, in either syntax.
pub(crate) fn is_values_file(path: &str) -> bool {
    path.strip_suffix(".json").unwrap_or(path).ends_with(".tfvars")
}

impl FileRole {
    pub(crate) fn of(path: &str) -> Self {
        let name = &path[parent_path(path).len()..];
        let name = name.trim_start_matches('/');
        let stem = name.trim_end_matches(".json");
        if let Some(values) = stem.strip_suffix(".tfvars") {
            return match values {
                "terraform" => Self::Values,
                _ if values.ends_with(".auto") => Self::AutoValues,
                _ => Self::OtherValues,
            };
        }
        if stem == "terragrunt.hcl" {
            return Self::Terragrunt;
        }
        let stem = stem.trim_end_matches(".tf").trim_end_matches(".tofu");
        if stem == "override" || stem.ends_with("_override") {
            Self::Override
        } else {
            Self::Config
        }
    }
}

/// One directory's declarations.
#[derive(Debug, Default)]
pub(crate) struct Directory<'a> {
    pub(crate) path: String,
    pub(crate) variables: BTreeMap<&'a str, Decl<'a>>,
    pub(crate) locals: BTreeMap<&'a str, (&'a Attribute, HclExpr<'a>)>,
    pub(crate) outputs: BTreeMap<&'a str, Decl<'a>>,
    pub(crate) modules: BTreeMap<&'a str, Decl<'a>>,
    pub(crate) providers: Vec<Decl<'a>>,
    /// `backend` blocks of `terraform`.
    pub(crate) backends: Vec<FileBlock<'a>>,
    /// `required_providers` blocks of `terraform`.
    pub(crate) requirements: Vec<FileBlock<'a>>,
    /// Resources and data sources in order, by address: `aws_iam_role.r`, `data.aws_region.here`.
    pub(crate) resources: Vec<(String, Decl<'a>)>,
    by_address: HashMap<String, usize>,
    /// For [`Directory::refers_to_document`].
    documents: OnceLock<HashSet<String>>,
    /// Values that Terraform reads without being asked for, in its order: the last one counts.
    pub(crate) values: BTreeMap<&'a str, HclExpr<'a>>,
    pub(crate) files: Vec<FileId>,
}

impl<'a> Directory<'a> {
    /// `files` are those of one directory, sorted by path.
    pub(crate) fn new(path: String, files: &'a [File]) -> Self {
        let mut directory = Self {
            path,
            ..Self::default()
        };
        for role in [
            FileRole::Config,
            FileRole::Override,
            FileRole::Values,
            FileRole::AutoValues,
        ] {
            for file in files.iter().filter(|f| f.role == role) {
                directory.files.push(file.id);
                match role {
                    FileRole::Values | FileRole::AutoValues => directory.values(&file.hcl),
                    _ => directory.add_file(&file.hcl, role == FileRole::Override),
                }
            }
        }
        directory
    }

    pub(crate) fn resource(&self, address: &str) -> Option<&Decl<'a>> {
        self.by_address.get(address).map(|i| &self.resources[*i].1)
    }

    /// Whether something other than an output refers to a `data "aws_iam_policy_document"`.
    pub(crate) fn refers_to_document(&self, name: &str) -> bool {
        let names = || {
            let declared = self.resources.iter().map(|(_, d)| d).chain(self.modules.values());
            let bodies = declared.flat_map(|d| d.parts.iter().map(|p| (p.tree, &p.block.body)));
            let mut out = HashSet::new();
            let mut open: Vec<(&'a Tree, &'a Body)> = bodies.collect();
            while let Some((tree, body)) = open.pop() {
                body.attributes
                    .iter()
                    .for_each(|a| documents_in(tree, a.value, &mut out));
                open.extend(body.blocks.iter().map(|b| (tree, &b.body)));
            }
            self.locals
                .values()
                .for_each(|(_, e)| documents_in(e.tree, e.node, &mut out));
            out
        };
        self.documents.get_or_init(names).contains(name)
    }

    /// The variables that need a value which no file gives that is read without being asked for.
    pub(crate) fn open_variables(&self) -> impl Iterator<Item = &'a str> {
        let open = |name: &str, decl: &Decl<'a>| decl.expr("default").is_none() && !self.values.contains_key(name);
        let variables = self.variables.iter();
        variables
            .filter(move |(name, decl)| open(name, decl))
            .map(|(name, _)| *name)
    }

    /// Whether there is one.
    pub(crate) fn needs_values(&self) -> bool {
        self.open_variables().next().is_some()
    }

    fn values(&mut self, hcl: &'a HclFile) {
        for a in &hcl.body.attributes {
            let expr = HclExpr {
                tree: &hcl.tree,
                node: a.value,
            };
            self.values.insert(&a.name, expr);
        }
    }

    fn add_file(&mut self, hcl: &'a HclFile, overrides: bool) {
        let tree = &hcl.tree;
        for block in &hcl.body.blocks {
            let part = FileBlock { tree, block };
            let name = block.label(0);
            match &*block.kind {
                "variable" => add_declaration(&mut self.variables, name, part, overrides),
                "output" => add_declaration(&mut self.outputs, name, part, overrides),
                "module" => add_declaration(&mut self.modules, name, part, overrides),
                "locals" => self.locals(tree, &block.body),
                "provider" => self.providers.push(Decl { parts: vec![part] }),
                "terraform" => {
                    let backends = block.body.blocks("backend").map(|block| FileBlock { tree, block });
                    self.backends.extend(backends);
                    let required = block.body.blocks("required_providers");
                    self.requirements
                        .extend(required.map(|block| FileBlock { tree, block }));
                }
                "resource" => self.resource_block("", part, overrides),
                "data" => self.resource_block("data.", part, overrides),
                "ephemeral" => self.resource_block("ephemeral.", part, overrides),
                "check" => {
                    for block in block.body.blocks("data") {
                        self.resource_block("data.", FileBlock { tree, block }, false);
                    }
                }
                _ => {}
            }
        }
    }

    fn locals(&mut self, tree: &'a Tree, body: &'a Body) {
        for a in &body.attributes {
            let expr = HclExpr { tree, node: a.value };
            self.locals.insert(&a.name, (a, expr));
        }
    }

    fn resource_block(&mut self, prefix: &str, part: FileBlock<'a>, overrides: bool) {
        let [kind, name] = [part.block.label(0), part.block.label(1)];
        if kind.is_empty() || name.is_empty() {
            return;
        }
        let address = format!("{prefix}{kind}.{name}");
        match self.by_address.get(&address) {
            Some(i) if overrides => self.resources[*i].1.parts.push(part),
            Some(_) => {
                // Declared twice: refused by Terraform, and both are there to be read.
                let address = format!("{address}#{}", self.resources.len());
                self.add(address, part);
            }
            None => self.add(address, part),
        }
    }

    fn add(&mut self, address: String, part: FileBlock<'a>) {
        self.by_address.insert(address.clone(), self.resources.len());
        self.resources.push((address, Decl { parts: vec![part] }));
    }
}

fn add_declaration<'a>(map: &mut BTreeMap<&'a str, Decl<'a>>, name: &'a str, part: FileBlock<'a>, overrides: bool) {
    match map.get_mut(name) {
        Some(decl) if overrides => decl.parts.push(part),
        Some(_) => {}
        None => {
            map.insert(name, Decl { parts: vec![part] });
        }
    }
}

/// Adds the names of the policy documents that an expression refers to.
fn documents_in(tree: &Tree, node: NodeId, out: &mut HashSet<String>) {
    let mut open = vec![node];
    while let Some(n) = open.pop() {
        let inner = tree.children(n).next();
        let of_type = |i: &NodeId| tree.kind(*i) == Node::Attr && tree.name(*i) == "aws_iam_policy_document";
        if tree.kind(n) == Node::Attr && inner.is_some_and(|i| of_type(&i)) {
            out.insert(tree.name(n).to_owned());
        }
        open.extend(tree.children(n));
    }
}

/// Every directory of the run.
#[derive(Default)]
pub(crate) struct Repository<'a> {
    pub(crate) directories: BTreeMap<&'a str, Directory<'a>>,
    /// How many nodes all expressions have.
    pub(crate) nodes: u64,
}

/// The literal local path in a module call's `source`.
pub(crate) fn source_of(decl: &Decl<'_>) -> Option<String> {
    let source = decl.expr("source")?;
    if source.tree.kind(source.node) != Node::Str {
        return None;
    }
    let text = source.tree.text(source.node)?.known()?.into_owned();
    (text.starts_with("./") || text.starts_with("../") || text == "." || text == "..").then_some(text)
}
