//! Code of functions that is written in the template itself, and the policies in it. CloudFormation User Guide, "AWS::Lambda::Function Code"; archive
//! provider, "archive_file".

use crate::model::{Inline, LoweredUnit, kinds};
use crate::python::Program;
use crate::python::build;
use crate::python::syntax;
use crate::python::syntax::Parsed;
use crate::source::Sources;
use crate::value::Value;

/// Adds a module for each function of `unit` whose Python code it holds.
pub fn inline(sources: &Sources, unit: &mut LoweredUnit) {
    let mut found = Vec::new();
    for (resource, r) in unit.resources.iter_enumerated() {
        let is_python = match &*r.kind {
            "AWS::Lambda::Function" => {
                let runtime = r.get("Runtime").and_then(Value::as_str);
                runtime.is_some_and(|name| name.starts_with("python"))
            }
            kinds::ARCHIVE => true,
            _ => continue,
        };
        let Some(code) = r.path(&["Code", "ZipFile"]) else {
            continue;
        };
        let Some(text) = code.as_text() else { continue };
        if !is_python {
            continue;
        }
        let Parsed { code, tree, .. } = syntax::parse_text(code.span.file, text);
        let modules = [build::build(&code, tree.as_ref()).0];
        found.push(super::lower_program(&Program::new(sources, &modules)));
        let [module] = modules;
        unit.inline.push(Inline { resource, module });
    }
    for mut more in found {
        unit.resources.extend(more.resources);
        unit.loose.append(&mut more.loose);
    }
}
