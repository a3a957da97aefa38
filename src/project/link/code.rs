//! Where the code of functions is: in folders, packages, images, templates.

use std::collections::BTreeSet;

use super::index::target_of;
use super::workloads::{Linking, is_in_folders};
use crate::formats::docker::{self, Runs};
use crate::model::Resource;
use crate::project::{CodePlace, ContentGap, Handler, ResourceId, WorkloadCode};
use crate::source::{FileId, file_name, folders_around, join_path, parent_path};
use crate::value::Value;

/// How many folders around a function its code is looked for in.
pub(super) const NEAR_FOLDERS: usize = 3;

/// Where something begins to run, not yet looked for.
pub(super) struct Start {
    /// With slashes, without the ending.
    pub(super) module: String,
    pub(super) function: Option<String>,
}

impl Start {
    /// `package.main.handler`, `package/main.handler`.
    pub(super) fn from_handler(handler: &str) -> Option<Self> {
        let (module, function) = handler.rsplit_once('.')?;
        Some(Self {
            module: module.trim_start_matches("./").replace('.', "/"),
            function: Some(function.to_owned()),
        })
    }

    fn from_command(runs: Runs) -> Option<Self> {
        let (module, function) = match runs {
            Runs::Handler(handler) => return Self::from_handler(&handler),
            Runs::Script(path) => (path.trim_start_matches('/').trim_end_matches(".py").to_owned(), None),
            Runs::Module(module) => (module.replace('.', "/"), None),
            Runs::Object { module, name } => (module.replace('.', "/"), Some(name)),
        };
        Some(Self { module, function })
    }
}

impl Linking<'_, '_> {
    /// A function's code, where it is Python of the repository. What it takes to see it is added to `wanted`.
    pub(super) fn code(
        &self,
        id: ResourceId,
        r: &Resource,
        wanted: &mut BTreeSet<String>,
    ) -> Result<WorkloadCode, ContentGap> {
        if let Some(name) = other_runtime(r) {
            return Err(ContentGap::Runtime(name));
        }
        let package = self.package(r);
        let handler = r.get("Handler").and_then(Value::as_str);
        let holders = [Some(id), package].into_iter().flatten();
        let inline = holders.filter_map(|holder| Some((holder, *self.inline.get(&holder)?)));
        // Lambda writes `ZipFile` into a file named index: for the handler of another module it is a placeholder.
        let of_index = |holder: ResourceId| {
            let named = handler
                .as_deref()
                .and_then(|h| h.rsplit_once('.'))
                .map(|(module, _)| module);
            holder != id || r.get("Handler").is_none() || named == Some("index")
        };
        let inline = inline.filter(|(holder, _)| of_index(*holder)).take(1).next();
        let text = |holder: ResourceId| self.project.resources[holder].path(&["Code", "ZipFile"]);
        if let Some((written, i)) = inline.and_then(|(holder, i)| Some((text(holder)?, i))) {
            return Ok(WorkloadCode {
                span: r.props.get("Handler").map_or(written.span, |h| h.span),
                place: CodePlace::Inline(i),
                handler: Some(Handler {
                    file: written.span.file,
                    function: Some(handler.as_deref().map_or("handler", last_part).to_owned()),
                }),
            });
        }
        let holder = match (r.get("CodePaths"), package) {
            (Some(_), _) => r,
            (None, Some(package)) => &self.project.resources[package],
            (None, None) => return Err(gap_of_package(r)),
        };
        let Some(written) = holder.get("CodePaths") else {
            return Err(ContentGap::PackageParts(package_path(holder).unwrap_or_default()));
        };
        let resolved = |path: String| self.project.sources.resolved(&path).into_owned();
        let written_paths: Vec<String> = texts(written).into_iter().map(resolved).collect();
        // Of what the CDK staged, the original is the code.
        let paths: Vec<String> = (written_paths.iter().cloned())
            .map(|path| self.staged.original(path))
            .collect();
        // The label stands where a person wrote where the code is.
        let span = written.items().first().map_or(written.span, |p| p.span);
        let place = |handler: Option<Handler>| {
            let file = handler.as_ref().map(|h| self.project.sources.path(h.file));
            let is_staged =
                file.is_some_and(|file| !is_in_folders(file, &paths) && is_in_folders(file, &written_paths));
            WorkloadCode {
                span,
                place: CodePlace::Paths(if is_staged { &written_paths } else { &paths }.clone()),
                handler,
            }
        };
        let command = r.path(&["ImageConfig", "Command"]).map(texts);
        let mut folders = paths.clone();
        let named = handler.or_else(|| command.as_ref()?.first().map(Into::into));
        let is_other = named.as_ref().filter(|name| name.contains("::"));
        if let Some(name) = is_other {
            return Err(ContentGap::OtherLanguage(name.clone().into_owned()));
        }
        let mut start = named.and_then(|h| Start::from_handler(&h));
        // What a task starts in the place of the image's command.
        let words = r.get("Command").map(texts);
        start = start.or_else(|| Start::from_command(docker::started_program(&words?)?));
        let mut dockerfile = None;
        if let Some(file) = r.get("Dockerfile").and_then(Value::as_str) {
            let target = r.get("DockerTarget").and_then(Value::as_str);
            if let Some(image) = self.image(&file, target.as_deref(), wanted) {
                // A file that is copied by its name is in the place of one in a folder.
                let (files, others): (Vec<&String>, _) = image.copied.iter().partition(|c| c.ends_with(".py"));
                folders.extend(files.into_iter().chain(others).map(|c| join_path(&paths[0], c)));
                if image.is_of_other_language() {
                    return Err(ContentGap::Command(file.into_owned()));
                }
                start = start.or_else(|| Start::from_command(docker::started_program(&image.command)?));
                dockerfile = Some(file.into_owned());
            }
        }
        if paths != written_paths {
            folders.extend(written_paths.iter().cloned());
        }
        let Some(start) = start else {
            // An image of its folder.
            let any = self.has_modules_in(&paths);
            return match (r.get("Handler"), dockerfile) {
                (Some(handler), _) => Err(ContentGap::UnknownHandler(shown(handler))),
                (None, _) if any => Ok(place(None)),
                (None, Some(dockerfile)) => Err(ContentGap::Command(dockerfile)),
                (None, None) => Err(ContentGap::NoPython(paths.first().cloned().unwrap_or_default())),
            };
        };
        if let Some(handler) = self
            .renamed(holder, &start)
            .or_else(|| self.find_start(&start, &folders))
        {
            return Ok(place(Some(handler)));
        }
        if let Some(script) = r.get("Handler").and_then(Value::as_str).filter(|h| h.ends_with(".sh")) {
            let folder = paths.first().map_or("", String::as_str);
            return Err(ContentGap::Script(join_path(folder, &script)));
        }
        let mut gap = None;
        for path in &folders {
            let file = if path.ends_with(".py") {
                path.clone()
            } else {
                join_path(path, &format!("{}.py", start.module))
            };
            match self.project.sources.find(&file) {
                Some(_) => gap = Some(ContentGap::NoAws(file.clone())),
                None => gap = gap.or_else(|| Some(ContentGap::NoFile(file.clone()))),
            }
            if self.project.sources.find(&file).is_none() {
                if *path != parent_path(self.project.sources.path(r.header.file)) && !path.ends_with(".py") {
                    wanted.insert(format!("{path}/"));
                }
                wanted.insert(file);
            }
        }
        Err(gap.unwrap_or(ContentGap::NotSaid))
    }

    /// Whether a function's code is said to be in a folder of the repository, so that a file of another one is not its.
    pub(super) fn is_in_own_folder(&self, r: &Resource) -> bool {
        let here = self.project.sources.path(r.header.file);
        let said = r.get("CodePaths").map(texts).unwrap_or_default();
        is_in_folders(here, &said) || self.has_modules_in(&said)
    }

    /// Whether Python was read in one of these folders.
    fn has_modules_in(&self, folders: &[String]) -> bool {
        let mut modules = self.project.modules.iter();
        modules.any(|m| is_in_folders(self.project.sources.path(m.file), folders))
    }

    /// The script of a job of AWS Glue, where the repository puts it into the bucket. What it takes to see it is added to
    /// `wanted`. AWS Glue API Reference, "JobCommand".
    pub(super) fn code_of_job(&self, r: &Resource, wanted: &mut BTreeSet<String>) -> Result<WorkloadCode, ContentGap> {
        let command = r.get("Command").map(|c| c.items().first().unwrap_or(c));
        let written = command.and_then(|c| c.get("ScriptLocation"));
        let Some(written) = written.filter(|v| v.as_str().as_deref() != Some("")) else {
            return Err(ContentGap::NotSaid);
        };
        let Some(text) = written.to_text() else {
            return Err(ContentGap::UnknownPlace(shown(written)));
        };
        let resources = &self.project.resources;
        let is_object = |id: &ResourceId| &*resources[*id].kind == "AWS::S3::Object";
        let referred = || {
            let targets = text.holes().filter_map(|h| h.target.as_ref());
            targets.flat_map(|t| self.index.target(t)).copied().find(is_object)
        };
        let by_key = || {
            let shown = text.display();
            let ends = |id: &ResourceId| {
                let key = resources[*id].get("Key").and_then(Value::as_text);
                key.is_some_and(|key| shown.ends_with(&format!("/{}", key.display())))
            };
            let mut found = resources.ids().filter(is_object).filter(ends);
            found.next().filter(|_| found.next().is_none())
        };
        let uploaded = || {
            let path = texts(r.get("CodePaths")?).pop()?;
            Some(self.staged.original(path))
        };
        let stored = || referred().or_else(by_key).and_then(|id| package_path(&resources[id]));
        let found = uploaded()
            .or_else(stored)
            .or_else(|| self.script_by_name(&text.display()));
        let Some(path) = found else {
            return Err(ContentGap::Stored(text.display()));
        };
        let path = self.project.sources.resolved(&path).into_owned();
        if !path.ends_with(".py") {
            return Err(ContentGap::OtherLanguage(path));
        }
        let Some(file) = self.python_file(&path) else {
            if self.project.sources.find(&path).is_some() {
                return Err(ContentGap::NoAws(path));
            }
            wanted.insert(path.clone());
            return Err(ContentGap::NoFile(path));
        };
        Ok(WorkloadCode {
            span: written.span,
            place: CodePlace::Paths(vec![path]),
            handler: Some(Handler { file, function: None }),
        })
    }

    /// The folders of layers from which code imports: a layer holds them as `python/`, or is built of them. AWS Lambda
    /// Developer Guide, "Working with layers for Python Lambda functions".
    pub(super) fn layers(&self) -> Vec<String> {
        let resources = &self.project.resources;
        let layers = resources.iter().filter(|r| &*r.kind == "AWS::Lambda::LayerVersion");
        let code = layers.filter_map(|r| {
            let packed = || resources[self.package(r)?].get("CodePaths");
            r.get("CodePaths").or_else(packed)
        });
        let mut out: Vec<String> = code
            .flat_map(texts)
            .map(|path| self.staged.original(path))
            .flat_map(|path| [join_path(&path, "python"), path])
            .collect();
        out.sort();
        out.dedup();
        out
    }

    /// The folders that Dockerfiles copy beside the code of an image. Which folder is the context is not said: the nearest around
    /// the file that has them.
    pub(super) fn copied_beside(&self) -> Vec<String> {
        const MOST_FILES: usize = 200;
        let sources = self.project.sources;
        let is_dockerfile = |file: &FileId| file_name(sources.path(*file)).starts_with("Dockerfile");
        let mut out = Vec::new();
        for file in sources.ids().filter(is_dockerfile).take(MOST_FILES) {
            let around = || folders_around(parent_path(sources.path(file))).take(NEAR_FOLDERS + 1);
            for root in docker::read(sources.text(file), None).roots {
                let mut folders = around().map(|context| join_path(context, &root));
                out.extend(folders.find(|folder| self.has_modules_in(std::slice::from_ref(folder))));
            }
        }
        out.sort();
        out.dedup();
        out
    }

    /// The package of files of the repository that a function or layer is made of: named by its path, or by the key under
    /// which it is put into a bucket.
    pub(super) fn package(&self, r: &Resource) -> Option<ResourceId> {
        if let Some(path) = package_path(r) {
            return self.packages.get(&path).copied();
        }
        let key = r.get("S3Key").or_else(|| r.path(&["Code", "S3Key"]))?;
        // The same key in several folders is that of the own one.
        let by_key = || {
            let folder = |r: &Resource| parent_path(self.project.sources.path(r.header.file));
            let all = self.stored.get(&key.as_text()?.display())?.as_slice();
            let is_own = |id: &&ResourceId| folder(&self.project.resources[**id]) == folder(r);
            let own: Vec<ResourceId> = all.iter().filter(is_own).copied().collect();
            match (own.as_slice(), all) {
                ([one], _) | ([], [one]) => Some(*one),
                _ => None,
            }
        };
        let named = target_of(key).and_then(|t| self.index.target(t).first().copied());
        let object = &self.project.resources[named.or_else(by_key)?];
        self.packages.get(&package_path(object)?).copied()
    }

    /// The image that the Dockerfile at `path` makes.
    pub(super) fn image(
        &self,
        path: &str,
        target: Option<&str>,
        wanted: &mut BTreeSet<String>,
    ) -> Option<docker::Image> {
        match self.project.sources.find(path) {
            Some(file) => Some(docker::read(self.project.sources.text(file), target)),
            None => {
                wanted.insert(path.to_owned());
                None
            }
        }
    }

    /// What a Dockerfile starts, in these folders or what it copies of them.
    pub(super) fn handler_of_image(&self, image: &docker::Image, folders: &[String]) -> Option<Handler> {
        let start = Start::from_command(docker::started_program(&image.command)?)?;
        let copied = image
            .copied
            .iter()
            .flat_map(|c| folders.iter().map(move |f| join_path(f, c)));
        let folders: Vec<String> = folders.iter().cloned().chain(copied).collect();
        self.find_start(&start, &folders)
    }

    /// The file of a package's that is called what `start` names.
    fn renamed(&self, package: &Resource, start: &Start) -> Option<Handler> {
        let files = package.get("CodeFiles")?.items();
        let name = format!("{}.py", start.module);
        let called = |f: &&Value| f.get("Name").and_then(Value::as_str).is_some_and(|n| *n == *name);
        let path = files.iter().find(called)?.get("Path")?.as_str()?;
        Some(Handler {
            file: self.python_file(&path)?,
            function: start.function.clone(),
        })
    }

    /// Where `start` is in `folders`; an absolute path in a container may stand for a part of itself.
    fn find_start(&self, start: &Start, folders: &[String]) -> Option<Handler> {
        let mut module = start.module.as_str();
        loop {
            let main = |path: &String| {
                let main = || self.python_file(&join_path(path, &format!("{module}/__main__.py")));
                start.function.is_none().then(main).flatten()
            };
            let found = folders
                .iter()
                .find_map(|path| main(path).or_else(|| self.module(path, module)));
            if let Some(file) = found {
                return Some(Handler {
                    file,
                    function: start.function.clone(),
                });
            }
            match module.split_once('/') {
                Some((_, rest)) if start.function.is_none() => module = rest,
                _ => return None,
            }
        }
    }

    /// The file of a handler's module in a folder, or the file that is all there is.
    pub(super) fn module(&self, path: &str, module: &str) -> Option<FileId> {
        let base = join_path(path, module);
        let only = || {
            self.python_file(path)
                .filter(|_| path.ends_with(&format!("{module}.py")))
        };
        self.python_file(&format!("{base}.py"))
            .or_else(|| self.python_file(&format!("{base}/__init__.py")))
            .or_else(only)
    }

    /// The file at a path, where it is Python that was read.
    pub(super) fn python_file(&self, path: &str) -> Option<FileId> {
        let file = self.project.sources.find(path)?;
        let modules = &self.project.modules;
        modules.binary_search_by_key(&file, |m| m.file).is_ok().then_some(file)
    }
}

/// The runtime of a function, where it is not one of Python.
pub(super) fn other_runtime(r: &Resource) -> Option<String> {
    let name = r.get("Runtime").and_then(Value::as_str)?;
    (!name.is_empty() && !name.starts_with("python")).then(|| name.into_owned())
}

/// Why what a function's package is made of is not known: the package is not made here.
pub(super) fn gap_of_package(r: &Resource) -> ContentGap {
    if let Some(text) = r.path(&["Code", "ZipFile"]) {
        let handler = r.get("Handler").map(|h| (h, h.as_str()));
        return match handler {
            Some((_, Some(name))) if !name.starts_with("index.") => ContentGap::Placeholder,
            Some((written, None)) => ContentGap::UnknownHandler(shown(written)),
            _ => ContentGap::Inline(shown(text)),
        };
    }
    let is_image = r
        .get("PackageType")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind == "Image");
    if is_image || said_of_code(r, "ImageUri").is_some() {
        return ContentGap::Image;
    }
    let Some(place) = place_of_package(r) else {
        return ContentGap::NotSaid;
    };
    let Some(text) = place.as_text().filter(|text| text.is_known()) else {
        return ContentGap::UnknownPlace(shown(place));
    };
    let is_file = r.has("Filename") || r.has("CodeUri") && !text.display().contains("://");
    match (is_file, package_path(r)) {
        (true, Some(path)) => ContentGap::Package(path),
        (true, None) => ContentGap::Package(text.display()),
        (false, _) => ContentGap::Stored(text.display()),
    }
}

/// A value for people.
pub(super) fn shown(value: &Value) -> String {
    let mut first = None;
    value.each_value(&mut |v| first = first.take().or_else(|| v.to_text()));
    first.map(|text| text.display()).unwrap_or_default()
}

/// What a function, or its `Code`, says.
pub(super) fn said_of_code<'r>(r: &'r Resource, name: &str) -> Option<&'r Value> {
    r.get(name).or_else(|| r.path(&["Code", name]))
}

/// What a function says of where its package is.
pub(super) fn place_of_package(r: &Resource) -> Option<&Value> {
    let uri = |name: &str| r.get(name).map(|v| v.get("Key").unwrap_or(v));
    let stored = said_of_code(r, "S3Key").or_else(|| said_of_code(r, "Filename"));
    stored.or_else(|| uri("CodeUri")).or_else(|| uri("Code"))
}

pub(super) fn package_path(r: &Resource) -> Option<String> {
    Some(r.get("PackagePath")?.as_str()?.into_owned())
}

fn texts(list: &Value) -> Vec<String> {
    let known = list.items().iter().filter_map(Value::as_str);
    known.map(|text| text.into_owned()).collect()
}

fn last_part(handler: &str) -> &str {
    handler.rsplit('.').next().unwrap_or(handler)
}
