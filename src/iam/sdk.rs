//! boto3: from a method of a client or resource to the operation, from the operation to the actions that it needs.
//!
//! **Invariant:** what AWS lists for an operation is split into what every call needs ([`SdkOperation::required`]), of what one
//! suffices ([`SdkOperation::alternative_actions`]), and what only some calls need ([`SdkOperation::conditional`], [`SdkOperation::pass_role`]).
//! Sources: botocore's and boto3's own data, AWS's Service Reference; see `rules/facts/README.md`.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use super::actions::ActionSet;
use super::catalogue::layout::{
    Client as ClientColumn, Member as MemberColumn, MemberKind, NeededWhen, Operation as Column, PASS_GUESSED,
    PASSES_ROLE, SdkType, Waiter,
};
pub use super::catalogue::library::{LibraryCall, LibraryEffect, LibraryResult};
use super::catalogue::{Action, catalogue, store, tables};

/// The client with this name: what `boto3.client("s3")` is given. Names have a case.
pub fn client(name: &str) -> Option<Client> {
    store::search(0..store::rows::<ClientColumn>(), ClientColumn::Name, |key| {
        key.cmp(name)
    })
    .map(Client)
}

pub fn clients() -> impl ExactSizeIterator<Item = Client> {
    (0..store::rows::<ClientColumn>()).map(Client)
}

/// Whether some client has a method of this name that calls an operation: `list_objects_v2`.
pub fn is_client_method(name: &str) -> bool {
    static METHODS: OnceLock<HashSet<String>> = OnceLock::new();
    let methods = METHODS.get_or_init(|| clients().flat_map(|c| c.operations()).map(|o| o.method()).collect());
    methods.contains(name)
}

/// The operation after a method of a client: `operation("s3", "list_objects_v2")`.
#[cfg(any(test, feature = "internals"))]
pub fn operation(client_name: &str, method: &str) -> Option<SdkOperation> {
    client(client_name)?.operation(method)
}

/// A client of boto3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(u32);

impl Client {
    /// `stepfunctions`.
    pub fn name(self) -> &'static str {
        store::text(self.0, ClientColumn::Name)
    }

    /// The prefix of its actions: `states`.
    pub fn iam_prefix(self) -> &'static str {
        store::text(self.0, ClientColumn::Prefix)
    }

    /// The operation that a method calls (`list_objects_v2`). The operation's own name is understood too, as
    /// `generate_presigned_url`'s callers sometimes write it.
    pub fn operation(self, method: &str) -> Option<SdkOperation> {
        let rows = self.range(ClientColumn::FirstOperation, ClientColumn::Operations);
        store::search(rows, Column::Name, |key| compare_method(key, method)).map(SdkOperation)
    }

    pub fn operations(self) -> impl Iterator<Item = SdkOperation> {
        self.range(ClientColumn::FirstOperation, ClientColumn::Operations)
            .map(SdkOperation)
    }

    /// The operation that a waiter polls: `bucket_exists`.
    pub fn waiter(self, name: &str) -> Option<SdkOperation> {
        let rows = self.range(ClientColumn::FirstWaiter, ClientColumn::Waiters);
        let row = store::search(rows, Waiter::Name, |key| key.cmp(name))?;
        Some(SdkOperation(store::cell(row, Waiter::Operation)))
    }

    pub fn waiters(self) -> impl Iterator<Item = (&'static str, SdkOperation)> {
        self.range(ClientColumn::FirstWaiter, ClientColumn::Waiters).map(|row| {
            (
                store::text(row, Waiter::Name),
                SdkOperation(store::cell(row, Waiter::Operation)),
            )
        })
    }

    /// What boto3 adds to the client beside its operations: `upload_file`, `generate_presigned_post`.
    pub fn injected(self, method: &str) -> Option<SdkMember> {
        self.resource_type("client")?.method(method)
    }

    /// What `boto3.resource(name)` gives, for the services that have one.
    pub fn service_resource(self) -> Option<SdkResourceType> {
        self.resource_type("ServiceResource")
    }

    /// A type of the resource API: `Bucket`.
    pub fn resource_type(self, name: &str) -> Option<SdkResourceType> {
        let rows = self.range(ClientColumn::FirstType, ClientColumn::Types);
        store::search(rows, SdkType::Name, |key| key.cmp(name)).map(SdkResourceType)
    }

    /// The types of its resource API.
    pub fn resource_types(self) -> impl Iterator<Item = SdkResourceType> {
        self.range(ClientColumn::FirstType, ClientColumn::Types)
            .map(SdkResourceType)
    }

    /// The method's name that is nearest to one that the client does not have.
    #[cfg(any(test, feature = "internals"))]
    pub fn did_you_mean(self, method: &str) -> Option<String> {
        let plain = method.replace('_', "");
        crate::edit_distance::nearest(&plain, self.operations().map(|o| (o.name(), o))).map(SdkOperation::method)
    }

    fn range(self, first: ClientColumn, count: ClientColumn) -> Range<u32> {
        let start = store::cell(self.0, first);
        start..start + store::cell(self.0, count)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// boto3 makes a method's name of an operation's by underscores alone, so without them and without case they are equal.
fn compare_method(operation: &str, method: &str) -> Ordering {
    let plain = method.bytes().filter(|b| *b != b'_').map(|b| b.to_ascii_lowercase());
    operation.bytes().map(|b| b.to_ascii_lowercase()).cmp(plain)
}

/// An operation of an AWS API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SdkOperation(u32);

impl SdkOperation {
    /// `ListObjectsV2`.
    pub fn name(self) -> &'static str {
        store::text(self.0, Column::Name)
    }

    /// boto3's method: `list_objects_v2`.
    pub fn method(self) -> String {
        match store::text(self.0, Column::Method) {
            "" => snake(self.name()),
            irregular => irregular.to_owned(),
        }
    }

    /// The actions that every call needs, all of them.
    pub fn required(self) -> impl ExactSizeIterator<Item = &'static str> {
        store::texts(self.0, Column::Required)
    }

    /// Beside them, one of these is needed; empty when nothing is.
    pub fn alternative_actions(self) -> impl ExactSizeIterator<Item = &'static str> {
        store::texts(self.0, Column::AnyOf)
    }

    /// Actions that some calls need, with what tells. Without `iam:PassRole`.
    pub fn conditional(self) -> impl ExactSizeIterator<Item = OptionalAction> {
        store::list(self.0, Column::Also).map(conditional)
    }

    /// Needs no action at all: `sts:GetCallerIdentity`, unsigned operations.
    #[cfg(any(test, feature = "internals"))]
    pub fn needs_no_action(self) -> bool {
        self.required().len() == 0 && self.alternative_actions().len() == 0
    }

    /// The role that it may pass to a service, which needs `iam:PassRole`.
    pub fn pass_role(self) -> Option<PassRole> {
        let flags = self.flags();
        (flags & PASSES_ROLE != 0).then(|| PassRole {
            to: store::texts(self.0, Column::PassTo).collect(),
            params: store::texts(self.0, Column::PassParams).collect(),
            guessed: flags & PASS_GUESSED != 0,
        })
    }

    /// Newer than the catalogue: that its action has its name is an assumption.
    #[cfg(any(test, feature = "internals"))]
    pub fn is_assumed(self) -> bool {
        self.flags() & super::catalogue::layout::ASSUMED != 0
    }

    /// `get_paginator` takes it.
    #[cfg(any(test, feature = "internals"))]
    pub fn has_paginator(self) -> bool {
        self.flags() & super::catalogue::layout::PAGES != 0
    }

    /// Every action that it may use: required, one of several, conditional.
    pub fn all_actions(self) -> Vec<&'static str> {
        let mut all: Vec<_> = self.required().chain(self.alternative_actions()).collect();
        all.extend(self.conditional().map(|c| c.action));
        if self.pass_role().is_some() {
            all.push("iam:PassRole");
        }
        all
    }

    /// The actions that AWS lists as dependent actions of its own, but for those that [`Self::conditional`] and
    /// [`Self::pass_role`] tell more of.
    fn dependent_actions(self) -> Vec<&'static str> {
        let own = self.required().chain(self.alternative_actions());
        let own = own.filter_map(|name| catalogue().action(name));
        let mut dependent: Vec<_> = own.flat_map(|action| action.dependent().map(Action::name)).collect();
        let is_told = |name: &str| name == "iam:PassRole" || self.conditional().any(|c| c.action == name);
        dependent.retain(|name| !is_told(name));
        dependent
    }

    /// What it needs when what it touches is encrypted with a customer managed key: `kms:Decrypt`.
    pub fn kms_actions(self, client: Client) -> Vec<&'static str> {
        let named = |operation: &str| tables::actions_of("kms-needs", &format!("{}.{operation}", client.name()));
        named(self.name()).or_else(|| named("*")).unwrap_or_default()
    }

    fn flags(self) -> u32 {
        store::cell(self.0, Column::Flags)
    }
}

impl fmt::Debug for SdkOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An action that AWS lists beside an operation's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionalAction {
    pub action: &'static str,
    pub trigger: Trigger,
}

/// When a conditional action is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Nothing in the call tells.
    Unknown,
    /// One of these keyword arguments is in the call. None of them: no call of its own accord needs it.
    Params(Vec<&'static str>),
    /// An ordinary caller never needs it.
    Never,
    /// The `Bucket` argument has this shape: `*--x-s3`.
    Bucket(&'static str),
}

fn conditional(list: u32) -> OptionalAction {
    let mut items = store::list_at(list);
    let action = items.next().map_or("", store::string);
    let when = items.next().unwrap_or_default();
    let mut texts = items.map(store::string);
    let trigger = if when == NeededWhen::Params as u32 {
        Trigger::Params(texts.collect())
    } else if when == NeededWhen::Never as u32 {
        Trigger::Never
    } else if when == NeededWhen::Bucket as u32 {
        Trigger::Bucket(texts.next().unwrap_or(""))
    } else {
        Trigger::Unknown
    };
    OptionalAction { action, trigger }
}

/// A role that an operation passes to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassRole {
    /// The services it may be passed to, as `iam:PassedToService` has them; empty where unknown.
    pub to: Vec<&'static str>,
    /// Where the call names the role, as paths: `Role`, `Targets.[].RoleArn`. Empty where no parameter does.
    pub params: Vec<&'static str>,
    /// From the parameters' names, not from AWS's reference.
    pub guessed: bool,
}

/// A type of boto3's resource API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SdkResourceType(u32);

impl SdkResourceType {
    /// `Bucket`, `ServiceResource`.
    pub fn name(self) -> &'static str {
        store::text(self.0, SdkType::Name)
    }

    /// The identifiers, in the order of the constructor's arguments. Reading them calls nothing.
    pub fn ids(self) -> impl ExactSizeIterator<Item = &'static str> {
        store::texts(self.0, SdkType::Ids)
    }

    /// What reading any other attribute calls: `table.item_count` → DescribeTable.
    pub fn load(self) -> Option<SdkOperation> {
        store::cell(self.0, SdkType::Load).checked_sub(1).map(SdkOperation)
    }

    /// An action, a waiter (`wait_until_exists`) or what boto3 adds (`upload_file`).
    pub fn method(self, name: &str) -> Option<SdkMember> {
        self.member(name, MemberKind::Method)
    }

    /// `bucket.objects`: its methods `all`, `filter`, `limit`, `page_size` and `pages` call [`SdkMember::calls`], its items are
    /// `SdkMember::gives`, and its other methods are that type's [`Self::batch`].
    pub fn collection(self, name: &str) -> Option<SdkMember> {
        self.member(name, MemberKind::Collection)
    }

    /// `s3.Bucket(…)`, `bucket.Object(…)`, `bucket.Acl()`: calls nothing.
    pub fn sub_resource(self, name: &str) -> Option<Self> {
        self.member(name, MemberKind::Sub)?.returns()
    }

    /// `instance.vpc`: an attribute that is a resource; reading it calls [`Self::load`] as reading other attributes does.
    pub fn reference(self, name: &str) -> Option<Self> {
        self.member(name, MemberKind::Reference)?.returns()
    }

    /// What a collection of this type does at once: `bucket.objects.delete()` → DeleteObjects, after the listing.
    pub fn batch(self, name: &str) -> Option<SdkMember> {
        self.member(name, MemberKind::Batch)
    }

    /// All of these.
    pub fn members(self) -> impl Iterator<Item = SdkMember> {
        self.range().map(SdkMember)
    }

    fn member(self, name: &str, kind: MemberKind) -> Option<SdkMember> {
        let start = store::lower_bound(self.range(), MemberColumn::Name, |key| key < name);
        (start..self.range().end)
            .take_while(|row| store::text(*row, MemberColumn::Name) == name)
            .find(|row| store::cell(*row, MemberColumn::Kind) == kind as u32)
            .map(SdkMember)
    }

    fn range(self) -> Range<u32> {
        let start = store::cell(self.0, SdkType::FirstMember);
        start..start + store::cell(self.0, SdkType::Members)
    }
}

impl fmt::Debug for SdkResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method, collection or sub-resource of a type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SdkMember(u32);

impl SdkMember {
    pub fn name(self) -> &'static str {
        store::text(self.0, MemberColumn::Name)
    }

    /// The operations that it calls.
    pub fn calls(self) -> impl ExactSizeIterator<Item = SdkOperation> {
        store::list(self.0, MemberColumn::Calls).map(SdkOperation)
    }

    /// Actions that it needs although it calls no operation: `generate_db_auth_token` → `rds-db:connect`.
    pub fn needs(self) -> impl ExactSizeIterator<Item = &'static str> {
        store::texts(self.0, MemberColumn::Needs)
    }

    /// The type of what it returns, or of a collection's items.
    pub fn returns(self) -> Option<SdkResourceType> {
        store::cell(self.0, MemberColumn::Gives)
            .checked_sub(1)
            .map(SdkResourceType)
    }
}

impl fmt::Debug for SdkMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a call into a library that calls AWS itself needs, by qualified name:
/// `aws_lambda_powertools.utilities.parameters.get_secret`.
pub fn library_call(qualified_name: &str) -> Option<&'static LibraryCall<'static>> {
    static CALLS: OnceLock<Vec<LibraryCall<'static>>> = OnceLock::new();
    let calls = CALLS.get_or_init(|| {
        tables::fields("library-calls")
            .filter_map(|fields| LibraryCall::parse(&fields).ok())
            .collect()
    });
    calls.iter().find(|call| call.is_about(qualified_name))
}

/// What a function or class of a library returns and does, by qualified name: `functools.partial`.
pub fn library_effects(qualified_name: &str) -> &'static [LibraryEffect<'static>] {
    static FUNCTIONS: OnceLock<HashMap<&str, Vec<LibraryEffect<'static>>>> = OnceLock::new();
    let functions = FUNCTIONS.get_or_init(|| {
        let entry = |fields: Vec<&'static str>| {
            let effects = fields[1..].iter().filter_map(|words| LibraryEffect::parse(words));
            (fields[0], effects.collect())
        };
        tables::fields("python-functions").map(entry).collect()
    });
    let library = || functions.get(&*format!("{}.*", qualified_name.split('.').next()?));
    functions
        .get(qualified_name)
        .or_else(library)
        .map_or(&[], Vec::as_slice)
}

/// What a call of a library's function returns.
pub fn library_result(qualified_name: &str) -> Option<LibraryResult<'static>> {
    library_effects(qualified_name).iter().find_map(|effect| match effect {
        LibraryEffect::Returns(result) => Some(*result),
        _ => None,
    })
}

/// What a library of Python may call of AWS without a line of the code saying so, by the name that is imported, `a.b.c`, or
/// the longest part of it that is known; `None` for a library that no one knows: it may call anything.
pub fn library(imported: &str) -> Option<ActionSet> {
    let stubs = ["mypy_boto3", "types_boto3", "types_aiobotocore"];
    let is_stub = stubs.iter().any(|name| imported.starts_with(name));
    let imported = match imported.split_once('_') {
        Some((_, package)) if is_stub => package,
        _ => imported,
    };
    let mut name = match imported.split_once('.') {
        Some((first, _)) if first.starts_with("boto3_") => "boto3",
        None if imported.starts_with("boto3_") => "boto3",
        _ => imported,
    };
    loop {
        if let Some(patterns) = tables::actions_of("python-libraries", name) {
            return Some(ActionSet::expand_all(patterns));
        }
        name = name.rsplit_once('.')?.0;
    }
}

/// What calls of an operation may need in addition to its own actions: a service may work with the caller's permissions, and AWS
/// lists actions that others depend on. `role` is the parameter that passes a role, where one is given: a service may work with
/// that role instead. Patterns. Service Authorization Reference, "Actions, resources, and condition keys": dependent actions.
pub fn companion_actions(client_name: &str, operation: &str, role: Option<&str>) -> impl Iterator<Item = &'static str> {
    let of = |key: &str| tables::actions_of("besides", key);
    let known = client(client_name).and_then(|c| c.operation(operation));
    let dependent = known.into_iter().flat_map(SdkOperation::dependent_actions);
    let always = of(&format!("{client_name}.*")).unwrap_or_default();
    let with_role = role.and_then(|role| of(&format!("{client_name}+{role}")));
    let listed = with_role.or_else(|| of(&format!("{client_name}.{operation}")));
    let own = listed.unwrap_or_else(|| match is_plain_read(operation) {
        true => Vec::new(),
        false => of(client_name).unwrap_or_default(),
    });
    let listed = always.into_iter().chain(own).filter(|pattern| !pattern.is_empty());
    listed.chain(dependent)
}

/// What a service does with the rights of the caller when a call has a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerRight {
    /// Client and operation: `polly.StartSpeechSynthesisTask`.
    operation: String,
    /// The path of the parameter: `Image.S3Object`.
    pub parameter: &'static str,
    pub holds: RightOn,
    pub actions: Vec<&'static str>,
}

/// How a parameter says what something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightOn {
    /// A map with a bucket and a key.
    Object,
    /// The name of a bucket.
    Bucket,
    /// `s3://bucket/key`, or a URL of Amazon S3.
    Uri,
    /// An ARN.
    Arn,
    /// It does not say it.
    Any,
}

/// What a service does with the caller's rights for an operation, by the parameters of the call.
pub fn caller_rights(client: &str, operation: &str) -> impl Iterator<Item = &'static CallerRight> + use<> {
    static RIGHTS: OnceLock<Vec<CallerRight>> = OnceLock::new();
    let all = RIGHTS.get_or_init(|| {
        tables::fields("caller-rights")
            .flat_map(|row| rights_of(&row))
            .collect()
    });
    let name = format!("{client}.{operation}");
    all.iter().filter(move |right| right.operation == name)
}

fn rights_of(row: &[&'static str]) -> Vec<CallerRight> {
    let Some((client, operations)) = row.first().and_then(|names| names.split_once('.')) else {
        return Vec::new();
    };
    let right = |operation: &str, words: &'static str| {
        let mut words = words.splitn(3, ' ');
        Some(CallerRight {
            operation: format!("{client}.{operation}"),
            parameter: words.next()?,
            holds: match words.next()? {
                "object" => RightOn::Object,
                "bucket" => RightOn::Bucket,
                "uri" => RightOn::Uri,
                "arn" => RightOn::Arn,
                _ => RightOn::Any,
            },
            actions: words.next()?.split(", ").collect(),
        })
    };
    let rights = |operation| row[1..].iter().filter_map(move |words| right(operation, words));
    operations.split(", ").flat_map(rights).collect()
}

/// Whether an operation only tells what there is.
fn is_plain_read(operation: &str) -> bool {
    const WORDS: &[&str] = &[
        "BatchDescribe",
        "BatchGet",
        "Describe",
        "Get",
        "Head",
        "List",
        "Lookup",
        "Search",
    ];
    WORDS.iter().any(|word| operation.starts_with(word))
}

/// What the role of a Lambda function needs for a feature although no line of its code calls it. The features:
/// [`lambda_features`].
pub fn lambda_baseline(feature: &str) -> Option<Vec<&'static str>> {
    tables::actions_of("lambda-baseline", feature)
}

/// `logs`, `vpc`, `tracing`, `efs`, `sqs event source` …
pub fn lambda_features() -> impl Iterator<Item = &'static str> {
    tables::keys("lambda-baseline")
}

/// botocore's way of making a method's name (`botocore.xform_name`): a word begins at a capital that small letters follow and
/// at a capital after a small letter or digit; capitals before a final plural `s` are one word (`ListWebACLs`).
fn snake(name: &str) -> String {
    let bytes = name.as_bytes();
    let small = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_lowercase);
    let capital = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_uppercase);
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    // `…ACLs`: the plural's capitals stay together.
    let capitals = name
        .strip_suffix('s')
        .map_or(0, |head| head.bytes().rev().take_while(u8::is_ascii_uppercase).count());
    let plural = if capitals >= 2 {
        name.len() - 1 - capitals
    } else {
        name.len()
    };
    let mut snake = String::with_capacity(name.len() + 8);
    for (i, c) in name.char_indices() {
        let begins = i > 0
            && capital(i)
            && if i >= plural {
                i == plural
            } else {
                small(i + 1) || small(i - 1) || digit(i - 1)
            };
        if begins && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
