//! `terraform_remote_state`: the outputs of another root module, where the state that is read is that of a folder of the repository.
//!
//! Terraform documentation, "The terraform_remote_state Data Source", "Backend Configuration".

use std::rc::Rc;

use crate::source::{Span, Text, join_path, parent_path};
use crate::value::{MapEntry, Value};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator, View};
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::parse::directory::{Decl, Directory, FileBlock, RootVariables};

/// The arguments by which a backend finds a state, the one that names it last.
const PLACES: [(&str, &[&str]); 3] = [
    ("s3", &["bucket", "key"]),
    ("gcs", &["bucket", "prefix"]),
    ("azurerm", &["storage_account_name", "container_name", "key"]),
];

impl<'a> TerraformEvaluator<'a> {
    /// The outputs that a data source reads; `None` where the state is of no folder here, or of several.
    pub(crate) fn remote_outputs(&self, decl: &Decl<'a>, env: &EvalScope<'a>, view: View, span: Span) -> Option<Value> {
        let text = |value: &Value| value.as_str().map(std::borrow::Cow::into_owned);
        let backend = text(&self.expr(decl.expr("backend")?, env))?;
        let config = self.expr(decl.expr("config")?, env);
        let given = |name: &str| config.get(name).and_then(text);
        let directory = match &*backend {
            "local" => self.directory_of_state(&join_path(self.root, &given("path")?))?,
            backend => {
                let (_, places) = PLACES.iter().find(|(name, _)| *name == backend)?;
                let wanted: Vec<(&str, String)> = places
                    .iter()
                    .map(|place| Some((*place, given(place)?)))
                    .collect::<Option<_>>()?;
                self.only(|d| {
                    let mut parts = d.backends.iter().filter(|b| b.block.label(0) == backend);
                    parts.any(|part| {
                        wanted
                            .iter()
                            .all(|(name, is)| argument(*part, name).as_ref() == Some(is))
                    })
                })?
            }
        };
        let module = self.root_module(directory);
        let entries = directory.outputs.iter().map(|(name, output)| MapEntry {
            key: Text::synthetic(name, output.block().header),
            key_span: output.block().header,
            value: self.output(&module, name, view, span),
        });
        Some(Value::map(entries.collect(), span))
    }

    /// The folder that keeps its state in this file: its backend says so, or the file is in it.
    fn directory_of_state(&self, file: &str) -> Option<&'a Directory<'a>> {
        let is_named = |d: &Directory<'a>| {
            let mut parts = d.backends.iter().filter(|b| b.block.label(0) == "local");
            parts.any(|part| argument(*part, "path").is_some_and(|path| join_path(&d.path, &path) == file))
        };
        let is_default = |d: &Directory<'a>| d.path == parent_path(file) && d.backends.is_empty();
        self.only(is_named)
            .or_else(|| self.only(is_default).filter(|_| file.ends_with("/terraform.tfstate")))
    }

    /// The only folder of which this is so.
    fn only(&self, is_it: impl Fn(&Directory<'a>) -> bool) -> Option<&'a Directory<'a>> {
        let mut found = self.repository.directories.values().filter(|d| is_it(d));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// A folder as a root module, without any values but those that are read without being asked for.
    fn root_module(&self, directory: &'a Directory<'a>) -> Rc<TerraformModule<'a>> {
        let known = self.modules.borrow().get(directory.path.as_str()).cloned();
        known.unwrap_or_else(|| {
            let module = TerraformModule::root(directory, directory.path.as_str().into(), RootVariables::new());
            self.modules.borrow_mut().insert(module.scope.clone(), module.clone());
            module
        })
    }
}

/// What a backend block says; variables are not allowed there.
fn argument(part: FileBlock<'_>, name: &str) -> Option<String> {
    let value = part.block.body.attribute(name)?.value;
    part.tree.text(value).and_then(Text::known).map(Into::into)
}
