//! All templates of a run, and how they refer to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::formats::data;
use crate::source::{FileId, HoleKind, Piece, Sources, Span, Text, is_synthesized, join_path, parent_path};
use crate::syntax::{NodeId, Tree};
use crate::value::Value;

use crate::formats::cloudformation::eval::callers::TemplateUses;
use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::template::Template;
use crate::formats::cloudformation::parse::assembly::CloudAssembly;
use crate::formats::cloudformation::parse::doc::{Doc, template_location};

/// What fills in variables that are not CloudFormation's own (`${self:…}` of the Serverless Framework).
pub(crate) trait Variables: Sync {
    /// The value of a scalar that holds such variables; `None` where it holds none.
    fn resolve(&self, template: &Template<'_>, env: TemplateScope<'_>, text: &Text, span: Span) -> Option<Value>;
}

pub(crate) struct World<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) docs: Vec<Doc>,
    pub(crate) variables: Option<&'s dyn Variables>,
    by_path: BTreeMap<Arc<str>, usize>,
    /// The stacks that nest a template: template and resource.
    pub(crate) parents: BTreeMap<usize, Vec<(usize, NodeId)>>,
    /// How each template is used, by its index.
    pub(crate) callers: Vec<TemplateUses>,
    /// Values by export name; `None` where several templates export it.
    exports: BTreeMap<String, Option<Value>>,
    /// The same by the shape of the name, for names that parameters are a part of.
    shapes: BTreeMap<String, Option<Value>>,
    included: Mutex<BTreeMap<FileId, Arc<Tree>>>,
    /// What the CDK wrote, by the folder of its templates.
    assemblies: BTreeMap<String, CloudAssembly>,
}

impl<'s> World<'s> {
    pub(crate) fn new(sources: &'s Sources, docs: Vec<Doc>, variables: Option<&'s dyn Variables>) -> Self {
        let by_path = docs.iter().enumerate().map(|(i, d)| (d.scope.clone(), i)).collect();
        let mut world = Self {
            sources,
            docs,
            variables,
            by_path,
            parents: BTreeMap::new(),
            callers: Vec::new(),
            exports: BTreeMap::new(),
            shapes: BTreeMap::new(),
            included: Mutex::default(),
            assemblies: BTreeMap::new(),
        };
        let mut parents: BTreeMap<usize, Vec<(usize, NodeId)>> = BTreeMap::new();
        for (i, doc) in world.docs.iter().enumerate() {
            let Some(resources) = doc.section("Resources") else {
                continue;
            };
            for (_, node) in doc.tree.entries(resources) {
                if let Some(child) = world.nested(doc, node) {
                    parents.entry(child).or_default().push((i, node));
                }
            }
        }
        world.parents = parents;
        world.read_assemblies();
        world.find_callers();
        world.export();
        world
    }

    fn read_assemblies(&mut self) {
        let is_of_cdk = |d: &&Doc| is_synthesized(self.sources.text(d.tree.file));
        let folders = self
            .docs
            .iter()
            .filter(is_of_cdk)
            .map(|d| parent_path(self.sources.path(d.tree.file)).to_owned());
        let folders: BTreeSet<String> = folders.collect();
        let read = folders.into_iter().map(|folder| {
            let assembly = CloudAssembly::read(self.sources, &folder);
            (folder, assembly)
        });
        self.assemblies = read.collect();
    }

    /// What the CDK wrote beside a template.
    pub(crate) fn assembly(&self, doc: &Doc) -> Option<&CloudAssembly> {
        self.assemblies.get(parent_path(self.sources.path(doc.tree.file)))
    }

    /// What a template of the repository exports under this name. Where parameters are parts of the name, as `certain` says,
    /// it is the only export of that shape: `${Env}-Role` is what `${Stage}-Role` asks for.
    pub(crate) fn exported(&self, name: &Text, certain: Option<&Text>) -> Option<&Value> {
        let by_name = self.exports.get(&name.display());
        by_name.or_else(|| self.shapes.get(&name_shape(certain?)?))?.as_ref()
    }

    /// The tree of an included file, parsed once.
    pub(crate) fn tree(&self, file: FileId) -> Arc<Tree> {
        let mut included = self.included.lock().unwrap_or_else(PoisonError::into_inner);
        included
            .entry(file)
            .or_insert_with(|| Arc::new(data::parse(file, self.sources.path(file), self.sources.text(file))))
            .clone()
    }

    /// The template that the stack at `node` nests, where it is a file of the repository.
    pub(crate) fn nested(&self, doc: &Doc, node: NodeId) -> Option<usize> {
        let location = template_location(&doc.tree, node)?;
        let path = join_path(parent_path(self.sources.path(doc.tree.file)), &location);
        self.by_path.get(path.as_str()).copied()
    }

    /// Whether the file at `path` is one of the templates.
    pub(crate) fn reads(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// Every export of every template. Made only where something is imported.
    fn export(&mut self) {
        let mut exports = BTreeMap::new();
        let mut shapes = BTreeMap::new();
        let imports = |d: &Doc| self.sources.text(d.tree.file).contains("ImportValue");
        if !self.docs.iter().any(imports) {
            return;
        }
        for (i, doc) in self.docs.iter().enumerate() {
            if !self.sources.text(doc.tree.file).contains("Export") {
                continue;
            }
            for export in Template::uses(self, i).iter().flat_map(Template::exports) {
                if let Some(shape) = export.certain.as_ref().and_then(name_shape) {
                    add(&mut shapes, shape, export.value.clone());
                }
                add(&mut exports, export.name.display(), export.value);
            }
        }
        self.exports = exports;
        self.shapes = shapes;
    }
}

/// A name and what is exported under it.
pub(crate) struct Export {
    pub(crate) name: Text,
    /// The name without what only a parameter's default says.
    pub(crate) certain: Option<Text>,
    pub(crate) value: Value,
}

fn add(map: &mut BTreeMap<String, Option<Value>>, key: String, value: Value) {
    map.entry(key)
        .and_modify(|before| *before = None)
        .or_insert(Some(value));
}

/// The name with its parameters left out; `None` where nothing is left, or where there is not one.
fn name_shape(name: &Text) -> Option<String> {
    let mut out = String::new();
    let (mut holes, mut letters) = (0, false);
    for piece in name.pieces() {
        match piece {
            Piece::Lit(lit) => {
                letters |= lit.text.chars().any(char::is_alphanumeric);
                out.push_str(&lit.text);
            }
            Piece::Hole(hole) => {
                holes += 1;
                match hole.kind {
                    HoleKind::Account | HoleKind::Region | HoleKind::Partition => out.push_str(&hole.name),
                    _ => {}
                }
                // No name has this character.
                out.push('\u{0}');
            }
        }
    }
    (holes > 0 && letters).then_some(out)
}
