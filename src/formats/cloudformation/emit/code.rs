//! Where the code of functions, layers, tasks, and jobs is: as paths of the repository.

use super::resources::Base;
use crate::formats::cloudformation::eval::template::Template;
use crate::source::{Span, file_name, join_path};
use crate::value::{MapEntry, Value};

impl Template<'_> {
    /// The properties of a function, layer, task, job, or state machine, with where its code or definition is. `aws cloudformation
    /// package` takes a path for `Code`, `Content`, and `DefinitionS3Location`.
    pub(super) fn with_code(&self, base: &Base, props: Value) -> Value {
        let more = match &*base.kind {
            "AWS::Lambda::Function" => self.code_paths(base, props.get("Code")),
            "AWS::Lambda::LayerVersion" => self.code_paths(base, props.get("Content")),
            "AWS::ECS::TaskDefinition" => self.container_paths(&props),
            "AWS::Glue::Job" => self.script_path(&props),
            "AWS::StepFunctions::StateMachine" => {
                let path = self.definition_path(props.get("DefinitionS3Location"));
                path.into_iter().collect()
            }
            "AWS::CloudFormation::Stack" => self.template_path(props.get("TemplateURL")).into_iter().collect(),
            _ => return props,
        };
        let entries = props.entries().unwrap_or(&[]).iter().cloned().chain(more).collect();
        Value::map(entries, props.span)
    }

    /// `DefinitionPath` of a state machine whose definition is in a file.
    pub(crate) fn definition_path(&self, uri: Option<&Value>) -> Option<MapEntry> {
        let uri = uri?;
        let path = self.local_path(&self.doc.tree, &uri.as_str()?)?;
        Some(MapEntry::synthetic(
            "DefinitionPath",
            uri.span,
            Value::synthetic(&path, uri.span),
        ))
    }

    /// `TemplatePath` of a nested stack whose template is read.
    pub(crate) fn template_path(&self, location: Option<&Value>) -> Option<MapEntry> {
        let location = location?;
        let path = self.local_path(&self.doc.tree, &location.as_str()?)?;
        let at = location.span;
        let is_read = self.world.reads(&path);
        is_read.then(|| MapEntry::synthetic("TemplatePath", at, Value::synthetic(&path, at)))
    }

    /// `CodePaths` of a function or layer whose code is at `code`: a path, or what the build's metadata names, with its
    /// `Dockerfile` (AWS SAM Developer Guide, "Building container images"; AWS CDK Developer Guide, "Assets").
    pub(crate) fn code_paths(&self, base: &Base, code: Option<&Value>) -> Vec<MapEntry> {
        let said = |names: [&str; 2]| names.iter().find_map(|name| base.metadata.as_ref()?.get(name));
        let context = said(["DockerContext", "aws:asset:path"]);
        let local = |place: &Value| self.local_path(&self.doc.tree, &place.as_str()?);
        let Some((place, path)) = context.or(code).and_then(|place| Some((place, local(place)?))) else {
            return self.uploaded(code);
        };
        let name = file_name(&path);
        if [".zip", ".jar"].iter().any(|end| name.ends_with(end)) {
            return Vec::new();
        }
        let mut out = vec![paths(&path, place.span)];
        let dockerfile = said(["Dockerfile", "aws:asset:dockerfile-path"]);
        let named = dockerfile.map_or(Some("Dockerfile".into()), Value::as_str);
        if let Some(file) = named.filter(|_| dockerfile.is_some() || said(["DockerContext", "DockerTag"]).is_some()) {
            let at = dockerfile.unwrap_or(place).span;
            out.push(MapEntry::synthetic(
                "Dockerfile",
                at,
                Value::synthetic(&join_path(&path, &file), at),
            ));
        }
        let target = said(["DockerBuildTarget", "aws:asset:docker-build-target"]);
        out.extend(target.map(|t| MapEntry::synthetic("DockerTarget", t.span, t.clone())));
        out
    }

    /// What the CDK uploads for a function or a layer whose metadata does not say it.
    fn uploaded(&self, code: Option<&Value>) -> Vec<MapEntry> {
        let assembly = self.world.assembly(self.doc);
        let Some((code, assembly)) = code.zip(assembly) else {
            return Vec::new();
        };
        let key = code.get("S3Key").filter(|key| key.as_str().is_some());
        let file = key.and_then(|key| assembly.assets.file(&key.as_str()?));
        if let (Some(key), Some(path)) = (key, file) {
            return vec![paths(path, key.span)];
        }
        code.get("ImageUri")
            .map_or_else(Vec::new, |image| self.image_paths(image))
    }

    /// `CodePaths` and `Dockerfile` of an image that the CDK builds.
    fn image_paths(&self, image: &Value) -> Vec<MapEntry> {
        let address = image.as_text().map(|text| text.display());
        let asset = self.world.assembly(self.doc).zip(address);
        let Some(asset) = asset.and_then(|(assembly, address)| assembly.assets.image(&address)) else {
            return Vec::new();
        };
        let entry = |name: &str, text: &str| MapEntry::synthetic(name, image.span, Value::synthetic(text, image.span));
        let target = asset.target.as_ref().map(|target| entry("DockerTarget", target));
        let all = [paths(&asset.folder, image.span), entry("Dockerfile", &asset.dockerfile)];
        all.into_iter().chain(target).collect()
    }

    /// The same of a task with one container, with the `Command` that it is given.
    fn container_paths(&self, props: &Value) -> Vec<MapEntry> {
        let containers = props.get("ContainerDefinitions").map_or(&[][..], Value::items);
        let [container] = containers else { return Vec::new() };
        let Some(image) = container.get("Image") else {
            return Vec::new();
        };
        let mut out = self.image_paths(image);
        if out.is_empty() || container.get("EntryPoint").is_some() {
            return Vec::new();
        }
        let command = container.get("Command");
        out.extend(command.map(|c| MapEntry::synthetic("Command", c.span, c.clone())));
        out
    }

    /// `CodePaths` of a job whose script the CDK uploads.
    fn script_path(&self, props: &Value) -> Vec<MapEntry> {
        let command = props.get("Command").and_then(|c| c.get("ScriptLocation"));
        let assembly = self.world.assembly(self.doc);
        let Some((script, assembly)) = command.zip(assembly) else {
            return Vec::new();
        };
        let file = script.as_text().and_then(|text| assembly.assets.file(&text.display()));
        file.map(|path| paths(path, script.span)).into_iter().collect()
    }
}

fn paths(path: &str, span: Span) -> MapEntry {
    MapEntry::synthetic("CodePaths", span, Value::seq(vec![Value::synthetic(path, span)], span))
}
