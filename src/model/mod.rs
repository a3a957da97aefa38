//! What one unit (a file, a template, a Terraform root module, a Python module) says, whatever its format.
//!
//! **Invariant:** resources are canonical: `kind` is a CloudFormation type name (or one of [`kinds`]) and `props` has
//! CloudFormation's property names, so that everything after lowering is written once for all formats. References to other
//! resources are holes with a [`crate::source::HoleTarget`]; `project` resolves them.
//!
//! A function's code, where it lies in the repository, is its property `CodePaths`: files and folders, as paths like
//! `SourceFile::path`. A package that a tool makes of such files is named by `PackagePath` on both sides; what
//! its files are called in it, where that differs, is in `CodeFiles`: `{Name, Path}`. An image is built by the `Dockerfile` at
//! that path, up to `DockerTarget`, in the folder `CodePaths`. The file that holds the definition of a state machine is its
//! `DefinitionPath`, and the file that holds the template of a nested stack its `TemplatePath`.
//!
//! A role that code makes has, as places, what may give it more (`Widened`) and what may use it too (`HandedOn`); a policy of
//! it that a method of the CDK grants is called after that: `CdkGrant`.

pub mod resource_types;

use std::borrow::Cow;
use std::sync::Arc;

use crate::iam::{DeclaredContract, Document, LikelyKind, PolicyHolder, PolicyKind, SourceFormat};
use crate::index::{IndexVec, ResourceId};
use crate::source::{Hole, HoleKind, HoleTarget, Problem, Span, Text};
use crate::value::guard::{combined, worlds_or_each};
use crate::value::{Guard, Value, ValueKind};

/// Kinds that CloudFormation has no type for.
pub mod kinds {
    /// `{Role|User|Group: name, arn or reference, PolicyArn}`: `aws_iam_role_policy_attachment`, `attach_role_policy`.
    pub const ATTACHMENT: &str = "Overgrant::PolicyAttachment";
    /// Terraform `provider "aws"`: `{AccessKey, SecretKey, Token, Profile, AssumeRole…}`.
    pub const PROVIDER: &str = "Overgrant::Provider";
    /// Terraform `backend "s3"`: `{AccessKey, SecretKey, Token}`.
    pub const BACKEND: &str = "Overgrant::Backend";
    /// Template or module output: `{Name, Value, Sensitive, Export}`.
    pub const OUTPUT: &str = "Overgrant::Output";
    /// Template parameter or module variable: `{Name, Default, NoEcho}`.
    pub const PARAMETER: &str = "Overgrant::Parameter";
    /// `boto3.client|resource|Session(...)`: the keyword arguments under their own names, and `Service`, `Callee`.
    pub const BOTO3_CLIENT: &str = "Overgrant::Boto3Client";
    /// A boto3 operation that makes no resource: `{Service, Operation, …keyword arguments}`.
    pub const BOTO3_CALL: &str = "Overgrant::Boto3Call";
    /// `os.environ["NAME"] = value`: `{Name, Value}`.
    pub const ENVIRON: &str = "Overgrant::Environ";
    /// `data "aws_iam_policy"` look-up by name or ARN: `{Name, Arn}`.
    pub const POLICY_LOOKUP: &str = "Overgrant::PolicyLookup";
    /// A request that Terraform makes (`data "http"`): `{Url, …}`.
    pub const HTTP_REQUEST: &str = "Overgrant::HttpRequest";
    /// What is given to a module, tool, or provider that was not read, and may hand on a role: arguments that are texts,
    /// each under the key that is nearest to it.
    pub const HANDED_ON: &str = "Overgrant::HandedOn";
    /// A package made of files of the repository (Terraform `archive_file`): `{CodePaths, CodeFiles, PackagePath}`, or of one
    /// text, `Code.ZipFile`.
    pub const ARCHIVE: &str = "Overgrant::Archive";
    /// Account-wide password policy (`aws_iam_account_password_policy`), properties as in the IAM API.
    pub const PASSWORD_POLICY: &str = "Overgrant::AccountPasswordPolicy";
}

/// The name of a resource and where that name means something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Template path, Terraform module directory (with the instance path for called modules), Python file.
    pub scope: Arc<str>,
    /// `aws_iam_role.r`, `UploadRole`, `handler>create_role`.
    pub name: Arc<str>,
}

impl Address {
    /// In a Terraform module that another one of the repository calls: its scope is the caller's, `#` and the calls.
    pub fn in_called_module(&self) -> bool {
        self.scope.contains("#module.")
    }

    /// What is deployed as one: the template, the root module.
    pub fn root(&self) -> &str {
        self.scope.split('#').next().unwrap_or_default()
    }

    /// As Terraform writes it, with the calls that lead there: `module.app.aws_iam_role.r`; else the name.
    pub fn full(&self) -> Cow<'_, str> {
        full_address(&self.scope, &self.name)
    }
}

/// [`Address::full`] of the parts of an address.
pub fn full_address<'a>(scope: &str, name: &'a str) -> Cow<'a, str> {
    match scope.split_once("#module.") {
        Some((_, calls)) => format!("module.{calls}.{name}").into(),
        None => name.into(),
    }
}

/// A resource, provider, output or call that matters to us.
#[derive(Clone, Debug)]
pub struct Resource {
    pub kind: Arc<str>,
    /// As written: `aws_s3_bucket_policy`, `put_bucket_policy`.
    pub type_name: Arc<str>,
    pub address: Address,
    pub format: SourceFormat,
    /// What a person points at to name it: the block's header, the logical id, the callee.
    pub header: Span,
    /// All of it.
    pub extent: Span,
    /// A map with canonical property names. Values keep the spans of where they are written.
    pub props: Value,
    /// CloudFormation `Metadata`.
    pub metadata: Option<Value>,
    /// How many instances `count` or `for_each` makes, when more than one and known.
    pub instances: Option<u32>,
    /// Set when a condition decides whether it exists: "if IsProd".
    pub branch: Option<Guard>,
    /// The account that it is made in, where a deployment makes things in several; `None` is the account of most.
    pub account: Option<Arc<str>>,
}

impl Resource {
    /// The resource as it may be deployed, where conditions decide about its settings: each case, with the condition in
    /// [`Resource::branch`]. Empty where it is always the same. Policies among its properties are not decided.
    pub fn alternatives(&self) -> Vec<Self> {
        let entries = self.props.entries().unwrap_or(&[]);
        let settings = entries.iter().map(|e| &e.value).filter(|v| !holds_statements(v, 0));
        let worlds = worlds_or_each(settings);
        if worlds.iter().all(Guard::is_always) {
            return Vec::new();
        }
        let possible = worlds
            .iter()
            .filter(|w| !self.branch.as_ref().is_some_and(|b| b.excludes(w)));
        let decided = possible.filter_map(|world| {
            let when = combined(self.branch.as_ref(), world);
            let props = self.props.decide(&when)?;
            Some(Self {
                props,
                branch: Some(when),
                ..self.clone()
            })
        });
        decided.collect()
    }

    /// The construct of the CDK that makes it: `Orders/Save` of `Orders/Save/Resource`. AWS CDK Developer Guide, "Construct tree
    /// and paths".
    pub fn construct_path(&self) -> Option<String> {
        let path = self.metadata.as_ref()?.get("aws:cdk:path")?.as_str()?;
        Some(path.strip_suffix("/Resource").unwrap_or(&path).to_owned())
    }

    /// `S3` of `AWS::S3::Bucket`.
    pub fn namespace(&self) -> Option<&str> {
        self.kind.split("::").nth(1)
    }

    /// The name that CloudFormation makes where the template gives none: the stack's name, the logical ID, and a random suffix.
    /// AWS CloudFormation User Guide, "Name type".
    pub fn generated_name(&self) -> Option<Text> {
        if !self.format.is_cloudformation() {
            return None;
        }
        let hole = |name: &str| Text::hole(Hole::new(HoleKind::Existing, name, self.header));
        let mut out = hole("AWS::StackName");
        out.append(&Text::synthetic(&format!("-{}-", self.address.name), self.header));
        out.append(&hole("suffix"));
        Some(out)
    }

    pub fn get(&self, prop: &str) -> Option<&Value> {
        self.props.get(prop)
    }

    /// Whether a property is there and not null, known or not.
    pub fn has(&self, prop: &str) -> bool {
        self.get(prop).is_some_and(|v| !v.is_null())
    }

    /// Follows property names: `path(&["Environment", "Variables"])`.
    pub fn path(&self, props: &[&str]) -> Option<&Value> {
        self.props.path(props)
    }
}

/// Whether policies stand in a value.
fn holds_statements(value: &Value, depth: u32) -> bool {
    let inside = |v: &Value| holds_statements(v, depth + 1);
    match &value.kind {
        _ if depth > 6 => true,
        ValueKind::Map(entries) => value.get("Statement").is_some() || entries.iter().any(|e| inside(&e.value)),
        ValueKind::Seq(items) => items.iter().any(inside),
        ValueKind::OneOf(branches) => branches.iter().any(|b| inside(&b.value)),
        ValueKind::Json(_) => true,
        _ => false,
    }
}

/// What the name of a file or of its folder says of a policy in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suggested {
    pub likely: LikelyKind,
    /// It is said of a policy that allows all of everything too: by the folder, or by the name that AWS gave to it.
    pub for_all: bool,
    /// File and folder say the same.
    pub twice: bool,
}

/// A value with the shape of a policy document that no known resource holds, or a bare document.
#[derive(Clone, Debug)]
pub struct UnattachedPolicy {
    pub value: Value,
    pub format: SourceFormat,
    /// What the surroundings say it is; else its shape decides.
    pub kind: Option<PolicyKind>,
    /// What the name of the file or of its folder suggests.
    pub suggested: Option<Suggested>,
    /// IAM prefix for a resource policy.
    pub service: Option<Arc<str>>,
    /// What it is put on, where no resource stands for that.
    pub holders: Vec<PolicyHolder>,
    /// The roles of the unit that it is a policy of.
    pub roles: Vec<HoleTarget>,
    /// `aws_iam_policy_document.x`, `TRUST_POLICY`; `None` for a bare file.
    pub name: Option<Address>,
    /// As written: `data.aws_iam_policy_document`, `dict`; empty for a bare file.
    pub type_name: Arc<str>,
}

/// Python that stands inside another file: `Code.ZipFile` of a function or of a package.
#[derive(Debug)]
pub struct Inline {
    /// The function or package: index into [`LoweredUnit::resources`], and after linking into `Project::resources`.
    pub resource: ResourceId,
    /// What it refers to has places in the file around it.
    pub module: crate::python::PythonModule,
}

/// What lowering made of one unit.
#[derive(Debug, Default)]
pub struct LoweredUnit {
    pub resources: IndexVec<ResourceId, Resource>,
    pub loose: Vec<UnattachedPolicy>,
    /// Filled from `resources` and `loose` by `formats::policies`.
    pub documents: Vec<Document>,
    /// Documents of which nothing is known but where they stand; filled with [`LoweredUnit::documents`].
    pub unread: Vec<Document>,
    pub problems: Vec<Problem>,
    /// Problems of a template as it stands, which are none where another unit fills it in.
    pub unfilled: Vec<Problem>,
    /// Every node that a suppression comment can cover; filled only for files in which `overgrant:` occurs.
    pub extents: Vec<Span>,
    /// Code that calls no account: under the mocks of a test library, in test cases.
    pub test_code: Vec<Span>,
    /// Policies that nothing in the repository puts to use, and that no output hands on.
    pub unused: Vec<Span>,
    /// What is deployed to an account whose number is known: [`Address::root`], and the number.
    pub deployed_to: Vec<(Arc<str>, Arc<str>)>,
    /// Objects that say which account what is in them belongs to. Those around others come first.
    pub homes: Vec<(Span, Arc<str>)>,
    /// Files that were referred to and are not among the sources, as paths like `SourceFile::path`;
    /// a folder ends with `/`; for some files of a folder, [`crate::source::MATCHING`] and a pattern come after it. The caller
    /// may read them and run again.
    pub wanted: Vec<String>,
    /// Defaults of parameters and variables that nothing here gives a value: place and name.
    pub defaults: Vec<(Span, Arc<str>)>,
    /// Documents that nothing here refers to, or only an output does.
    pub unattached: Vec<Span>,
    /// Where something that is not here may add policies to the identities of a scope, and the scope.
    pub completed: Vec<(Span, Arc<str>)>,
    /// What Python code says beyond its resources, for the analysis of calls in `project`.
    pub modules: Vec<crate::python::PythonModule>,
    pub inline: Vec<Inline>,
    pub contracts: Vec<DeclaredContract>,
}
