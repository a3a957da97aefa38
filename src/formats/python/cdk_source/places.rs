//! Where the code of a function is: paths as Python puts them together, and the ways in which the CDK takes code.

use super::super::resources::{CallLowering, method_of, synthetic_entry};
use super::ConstructCall;
use crate::python::{AccessStep, BindingValue, ExprId, ExprKind, FStringPart, Reaching};
use crate::source::{Hole, HoleKind, Span, Text, join_path, parent_path};
use crate::value::{MapEntry, Value};

/// How many parts of a path, and names that hold one, are followed.
const MAX_DEPTH: u32 = 12;

/// What a path begins at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CodePath {
    /// The folder in which the CDK runs.
    Relative(String),
    /// The top of the repository.
    InRepository(String),
}

impl CodePath {
    fn map(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Relative(path) => Self::Relative(change(&path)),
            Self::InRepository(path) => Self::InRepository(change(&path)),
        }
    }

    fn join(self, rest: &str) -> Option<Self> {
        (!rest.starts_with('/')).then(|| self.map(|path| join_path(path, rest)))
    }

    /// With a text right after it.
    fn followed_by(self, more: &str) -> Self {
        self.map(|path| join_path("", format!("{path}{more}").trim_start_matches('/')))
    }

    fn parent(self) -> Option<Self> {
        match &self {
            Self::Relative(path) | Self::InRepository(path) if path.is_empty() => None,
            _ => Some(self.map(|path| parent_path(path).to_owned())),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Relative(path) | Self::InRepository(path) => path,
        }
    }
}

impl CallLowering<'_> {
    /// `CodePaths` and what else says where the code of a function is, as a template has it.
    pub(super) fn code_of_function(&self, made: &ConstructCall<'_>) -> Vec<MapEntry> {
        let handler = made.keyword(self, "handler");
        let value = |e: ExprId| self.values.value(self.module, self.written(e).unwrap_or(e));
        let named = |out: &mut Vec<MapEntry>| {
            if let Some(handler) = handler {
                out.push(synthetic_entry("Handler", value(handler)));
            }
        };
        let mut out = Vec::new();
        if made.class == "PythonFunction" {
            let Some(entry) = made.keyword(self, "entry") else {
                return out;
            };
            let text = |name: &str, other: &str| match made.keyword(self, name) {
                Some(e) => value(e),
                None => Value::synthetic(other, self.span_of(entry)),
            };
            let (index, function) = (text("index", "index.py"), text("handler", "handler"));
            let span = function.span;
            let known = index.as_str().zip(function.as_str());
            let handler = known.map(|(index, function)| format!("{}.{function}", index.trim_end_matches(".py")));
            let handler = handler.map(|h| Value::synthetic(&h, span));
            out.push(synthetic_entry(
                "Handler",
                handler.unwrap_or_else(|| Value::unknown_other("handler", span)),
            ));
            out.push(self.folder_entry(entry));
            return out;
        }
        let Some(code) = made.keyword(self, "code") else {
            named(&mut out);
            return out;
        };
        let m = self.module_ref();
        let written = self.written(code).unwrap_or(code);
        let Some(call) = m.call(written) else {
            named(&mut out);
            out.push(self.unknown_place(code));
            return out;
        };
        match &*self.class_of(call) {
            "from_asset" | "asset" | "AssetCode" => {
                named(&mut out);
                out.extend(call.argument(0, "path").map(|path| self.folder_entry(path)));
            }
            "from_inline" | "inline" | "InlineCode" => {
                named(&mut out);
                out.extend(
                    call.argument(0, "code")
                        .map_or_else(Vec::new, |text| self.inline_code(text)),
                );
            }
            // What an image is made of, or what is built in one.
            "from_image_asset" | "from_asset_image" | "from_docker_build" => {
                let is_image = self.class_of(call) != "from_docker_build";
                let Some(folder) = call.argument(0, if is_image { "directory" } else { "path" }) else {
                    return out;
                };
                let at = self.span_of(folder);
                match is_image {
                    true => out.push(synthetic_entry("PackageType", Value::synthetic("Image", at))),
                    false => named(&mut out),
                }
                let file = call
                    .keyword("file")
                    .and_then(|e| value(e).as_str().map(|f| f.into_owned()));
                let file = file.as_deref().unwrap_or("Dockerfile");
                let paths = self.folder_entry_with(folder, file);
                let path = paths
                    .value
                    .items()
                    .first()
                    .and_then(Value::as_str)
                    .map(|p| p.into_owned());
                out.push(paths);
                if let Some(path) = path {
                    let file = join_path(&path, file);
                    out.push(synthetic_entry("Dockerfile", Value::synthetic(&file, at)));
                }
                if let Some(target) = call.keyword("target") {
                    out.push(synthetic_entry("DockerTarget", value(target)));
                }
                if let Some(command) = call.keyword("cmd") {
                    let config = Value::map(vec![synthetic_entry("Command", value(command))], at);
                    out.push(synthetic_entry("ImageConfig", config));
                }
            }
            "from_ecr" | "from_ecr_image" | "EcrImageCode" => {
                let at = self.span_of(written);
                out.push(synthetic_entry("PackageType", Value::synthetic("Image", at)));
            }
            "from_bucket" | "bucket" | "S3Code" => {
                named(&mut out);
                let key = call.argument(1, "key").map(value);
                out.extend(key.map(|key| synthetic_entry("S3Key", key)));
            }
            _ => {
                named(&mut out);
                out.push(self.unknown_place(code));
            }
        }
        out
    }

    /// The folder of a layer.
    pub(super) fn code_of_layer(&self, made: &ConstructCall<'_>) -> Option<MapEntry> {
        let m = self.module_ref();
        if made.class == "PythonLayerVersion" {
            return made.keyword(self, "entry").map(|path| self.folder_entry(path));
        }
        let code = made.keyword(self, "code")?;
        let call = m.call(m.defining_expression(code)?)?;
        let is_asset = matches!(&*self.class_of(call), "from_asset" | "asset" | "AssetCode");
        let path = call.argument(0, "path").filter(|_| is_asset)?;
        Some(self.folder_entry(path))
    }

    fn span_of(&self, expr: ExprId) -> Span {
        self.module_ref().expr(expr).span
    }

    fn unknown_place(&self, expr: ExprId) -> MapEntry {
        let at = self.span_of(expr);
        let shown = self
            .program
            .sources
            .slice(at)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let shown = crate::phrase::clip(&shown, crate::phrase::MAX_LABEL);
        synthetic_entry("CodeUri", Value::unknown(Hole::new(HoleKind::Other, shown, at)))
    }

    /// The place that a path leads to, as `CodePaths`, or as a package.
    fn folder_entry(&self, path: ExprId) -> MapEntry {
        self.folder_entry_with(path, "")
    }

    /// The same of a folder that has this file.
    fn folder_entry_with(&self, path: ExprId, file: &str) -> MapEntry {
        let Some(found) = self.code_path(path, 0) else {
            return self.unknown_place(path);
        };
        let at = self.span_of(path);
        let sources = self.program.sources;
        // A Dockerfile is read only later.
        let place = self.locate(&found, |p| {
            sources.has_folder(&join_path(p, parent_path(file))) || file.is_empty() && sources.find(p).is_some()
        });
        let value = Value::synthetic(&place, at);
        match place.ends_with(".zip") || place.ends_with(".jar") {
            true => synthetic_entry("PackagePath", value),
            false => synthetic_entry("CodePaths", Value::seq(vec![value], at)),
        }
    }

    /// A path from the top of the repository. The CDK runs in the folder of `cdk.json`; a file may also be meant from its own.
    fn locate(&self, path: &CodePath, is_there: impl Fn(&str) -> bool) -> String {
        let CodePath::Relative(rest) = path else {
            return path.text().to_owned();
        };
        let own = parent_path(&self.scope);
        let mut folders = vec![own];
        while let Some(last) = folders.last().copied().filter(|last| !last.is_empty()) {
            folders.push(parent_path(last));
        }
        let has_settings = |folder: &&str| self.program.sources.find(&join_path(folder, "cdk.json")).is_some();
        let app = folders.iter().copied().find(has_settings);
        let all = app.into_iter().chain(folders.iter().copied());
        let mut paths = all.map(|folder| join_path(folder, rest));
        let first = join_path(app.unwrap_or(own), rest);
        paths.find(|p| is_there(p)).unwrap_or(first)
    }

    /// Code as text: written here, or read from a file, which Lambda gets under the name `index.py`.
    fn inline_code(&self, text: ExprId) -> Vec<MapEntry> {
        let at = self.span_of(text);
        let value = self.values.value(self.module, text);
        if value.as_text().is_some_and(Text::is_known) {
            let code = Value::map(vec![synthetic_entry("ZipFile", value)], at);
            return vec![synthetic_entry("Code", code)];
        }
        let Some(path) = self.file_read(text, 0).and_then(|path| self.code_path(path, 0)) else {
            return vec![self.unknown_place(text)];
        };
        let path = self.locate(&path, |p| self.program.sources.find(p).is_some());
        let entry = |key, text: &str| synthetic_entry(key, Value::synthetic(text, at));
        let file = Value::map(vec![entry("Name", "index.py"), entry("Path", &path)], at);
        let paths = Value::seq(vec![Value::synthetic(&path, at)], at);
        vec![
            synthetic_entry("CodePaths", paths),
            synthetic_entry("CodeFiles", Value::seq(vec![file], at)),
        ]
    }

    /// The path of the file whose text an expression is: `open(path).read()`, `path.read_text()`.
    fn file_read(&self, expr: ExprId, depth: u32) -> Option<ExprId> {
        let m = self.module_ref();
        let made = m.defining_expression(expr)?;
        let call = m.call(made).filter(|_| depth < MAX_DEPTH)?;
        let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
            return None;
        };
        match &**name {
            "read_text" => Some(*of),
            "read" => {
                let opened = match &m.expr(*of).kind {
                    ExprKind::Name(file) => match m.reaching_bindings(file, *of) {
                        Reaching::Found(found) => match found.bindings.as_slice() {
                            [one] => match &one.bound {
                                BindingValue::Value(source)
                                    if matches!(source.steps.as_slice(), [] | [AccessStep::Enter]) =>
                                {
                                    source.expr
                                }
                                _ => return None,
                            },
                            _ => return None,
                        },
                        Reaching::Free => return None,
                    },
                    _ => *of,
                };
                let call = m.call(opened).filter(|call| method_of(m, call) == "open")?;
                match &m.expr(call.function).kind {
                    ExprKind::Attr { of, .. } if call.positional(0).is_none() => Some(*of),
                    _ => call.argument(0, "file"),
                }
            }
            "decode" | "strip" | "replace" => self.file_read(*of, depth + 1),
            _ => None,
        }
    }

    /// The path that an expression gives.
    fn code_path(&self, expr: ExprId, depth: u32) -> Option<CodePath> {
        if depth > MAX_DEPTH {
            return None;
        }
        let m = self.module_ref();
        let inner = |e: ExprId| self.code_path(e, depth + 1);
        let found = match &m.expr(expr).kind {
            ExprKind::Name(name) if &**name == "__file__" => Some(CodePath::InRepository(self.scope.to_string())),
            ExprKind::Name(_) => self.written(expr).filter(|e| *e != expr).and_then(inner),
            ExprKind::Attr { of, name, .. } if &**name == "parent" => inner(*of)?.parent(),
            ExprKind::Index { of, index } => match &m.expr(*of).kind {
                ExprKind::Attr { of, name, .. } if &**name == "parents" => {
                    let n: u32 = self.values.value(self.module, *index).as_number().map(|n| n as u32)?;
                    (0..=n.min(MAX_DEPTH)).try_fold(inner(*of)?, |path, _| path.parent())
                }
                _ => None,
            },
            ExprKind::Binary { op, left, right } if &**op == "/" => inner(*left)?.join(inner(*right)?.text()),
            ExprKind::Binary { op, left, right } if &**op == "+" && !self.is_text(expr) => {
                let (left, right) = (inner(*left)?, self.values.value(self.module, *right));
                Some(left.followed_by(&right.as_str()?))
            }
            ExprKind::Join(parts) if !self.is_text(expr) => self.joined_path(parts, depth),
            ExprKind::Call(_) => self.path_of_call(expr, depth),
            _ => None,
        };
        found.or_else(|| {
            let value = self.values.value(self.module, expr);
            let text = value.as_str()?;
            (!text.starts_with('/')).then(|| CodePath::Relative(join_path("", &text)))
        })
    }

    fn is_text(&self, expr: ExprId) -> bool {
        self.values.value(self.module, expr).as_str().is_some()
    }

    /// An f-string that begins with a path.
    fn joined_path(&self, parts: &[FStringPart], depth: u32) -> Option<CodePath> {
        let (first, rest) = parts.split_first()?;
        let FStringPart::Value(first) = first else { return None };
        let base = self.code_path(*first, depth + 1)?;
        let mut more = String::new();
        for part in rest {
            match part {
                FStringPart::Lit(text) => more.push_str(&text.known()?),
                FStringPart::Value(e) => more.push_str(&self.values.value(self.module, *e).as_str()?),
            }
        }
        Some(base.followed_by(&more))
    }

    fn path_of_call(&self, expr: ExprId, depth: u32) -> Option<CodePath> {
        let m = self.module_ref();
        let call = m.call(expr)?;
        let inner = |e: ExprId| self.code_path(e, depth + 1);
        let first = || call.positional(0).and_then(inner);
        let rest = |from: usize, base: CodePath| {
            let mut paths = (from..).map_while(|n| call.positional(n));
            paths.try_fold(base, |base, e| match inner(e)? {
                CodePath::Relative(more) => base.join(&more),
                whole @ CodePath::InRepository(_) => Some(whole),
            })
        };
        let library = self.program.library(self.module, call.function).unwrap_or_default();
        match &*library {
            "os.path.join" => return rest(1, first()?),
            "os.path.dirname" => return first()?.parent(),
            "os.path.abspath" | "os.path.realpath" | "os.path.normpath" | "os.fspath" | "str" => return first(),
            "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath" => {
                return match call.args.is_empty() {
                    true => Some(CodePath::Relative(String::new())),
                    false => rest(1, first()?),
                };
            }
            "os.getcwd" | "pathlib.Path.cwd" => return Some(CodePath::Relative(String::new())),
            _ => {}
        }
        let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
            return None;
        };
        match &**name {
            "resolve" | "absolute" | "as_posix" | "__str__" => inner(*of),
            "joinpath" => rest(0, inner(*of)?),
            "with_name" => inner(*of)?
                .parent()?
                .join(&self.values.value(self.module, call.positional(0)?).as_str()?),
            _ => None,
        }
    }
}
