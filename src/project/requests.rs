//! Requests by and to what the repository declares: who is meant, which resource, and the policies that apply.
//!
//! **Invariant:** names that are written and references to the repository's own resources are filled in, as they are in the
//! account and Region that the question is about; what else is not known stays a hole.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::{Identity, IdentityId, Project, ResourceId};
use crate::access::Caller;
use crate::iam::arn::is_account_id;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::{ClauseItem, Document, Statement};
use crate::model::resource_types;
use crate::source::{Hole, HoleKind, Piece, Span, Text};
use crate::terms::IdentityKind;
use crate::value::Value;

/// Stands for the account where nothing says which one is deployed to.
const SOME_ACCOUNT: &str = "123456789012";
const SOME_REGION: &str = "us-east-1";

/// How many names may be made of each other.
const MAX_DEPTH: usize = 4;

/// The account and the Region that a question is about.
#[derive(Clone, Debug)]
pub struct RepositoryPlace<'p> {
    project: &'p Project<'p>,
    pub account: String,
    pub region: String,
    /// Addresses that several resources have: names that AWS makes for these follow from the whole address.
    shared: HashSet<Arc<str>>,
    /// Names that are known in part are filled in too, with holes.
    partial: bool,
}

/// The account of examples. AWS Account Management Reference, "AWS account identifiers".
const EXAMPLE_ACCOUNT: &str = "111122223333";

/// Stand for the account and the Region in texts that are not finished.
const ANY_ACCOUNT: char = '\u{1}';
const ANY_REGION: char = '\u{2}';

impl<'p> RepositoryPlace<'p> {
    pub fn new(project: &'p Project<'p>, account: String, region: String) -> Self {
        Self {
            project,
            account,
            region,
            shared: HashSet::new(),
            partial: false,
        }
    }

    pub fn project(&self) -> &'p Project<'p> {
        self.project
    }

    /// A text with what is known of its holes.
    pub(super) fn filled_text(&self, text: &Text) -> Text {
        self.filled(text, 0)
    }

    /// Any account and Region: they stay holes, with the same names in every format.
    pub fn anywhere(project: &'p Project<'p>) -> Self {
        Self {
            shared: shared_names(project),
            ..Self::new(project, ANY_ACCOUNT.to_string(), ANY_REGION.to_string())
        }
    }

    /// The place that texts are about, which may be ARNs: the account is the one of the settings, or that of an ARN, and the
    /// Region is that of the first ARN that has one.
    pub fn of_names<'t>(project: &'p Project<'p>, texts: impl IntoIterator<Item = &'t str>) -> Self {
        let (mut account, mut region) = (project.own.only_account().map(str::to_owned), None);
        for text in texts {
            let part = |n: usize| text.splitn(6, ':').nth(n).filter(|_| text.starts_with("arn:"));
            let named = part(4).filter(|a| is_account_id(a));
            account = account.or_else(|| named.map(str::to_owned));
            let named = part(3).filter(|r| !r.is_empty() && !r.contains('*'));
            region = region.or_else(|| named.map(str::to_owned));
        }
        Self::new(
            project,
            account.unwrap_or_else(|| SOME_ACCOUNT.to_owned()),
            region.unwrap_or_else(|| SOME_REGION.to_owned()),
        )
    }

    /// Names that are known in part are filled in too, with holes, and names that AWS makes differ between templates and root
    /// modules.
    #[must_use]
    pub fn with_partial_names(self) -> Self {
        Self {
            partial: true,
            shared: shared_names(self.project),
            ..self
        }
    }

    /// The users and roles that a text names: by address, logical ID, name, ARN, or a pattern of these, also after the kind
    /// (`role deploy`, `role/deploy`).
    pub fn identities(&self, who: &str) -> Vec<IdentityId> {
        let in_scope = |id: &IdentityId| {
            let identity = &self.project.identities[*id];
            identity.kind != IdentityKind::Group && self.project.sources.file(identity.header.file).in_scope
        };
        self.named_identities(who).into_iter().filter(in_scope).collect()
    }

    /// The same in all that was read, and groups.
    pub fn named_identities(&self, who: &str) -> Vec<IdentityId> {
        let all = || self.project.identities.iter_enumerated();
        let named: Vec<IdentityId> = all()
            .filter(|(_, i)| self.is_named(i.resource, who))
            .map(|(id, _)| id)
            .collect();
        if !named.is_empty() {
            return named;
        }
        let instances = all().filter(|(_, i)| self.is_instance(i.resource, who));
        let instances: Vec<IdentityId> = instances.map(|(id, _)| id).collect();
        let said = who.split_once([' ', '/']).filter(|_| instances.is_empty());
        let Some((kind, name)) = said.filter(|(kind, _)| matches!(*kind, "group" | "role" | "user")) else {
            return instances;
        };
        // As lists write it: `role deploy`.
        let named = all().filter(|(_, i)| i.kind.name() == kind && self.is_named(i.resource, name.trim()));
        named.map(|(id, _)| id).collect()
    }

    /// The resources that an address, a logical ID, or an ARN names; the bucket of an object too.
    pub fn resources(&self, what: &str) -> Vec<ResourceId> {
        let ids = self.project.resources.ids();
        let is_of = |arn: &str| what.strip_prefix(arn).is_some_and(|rest| rest.starts_with('/'));
        let named = ids.filter(|id| {
            let is_bucket = &*self.project.resources[*id].kind == "AWS::S3::Bucket";
            self.is_named(*id, what) || is_bucket && self.arn(*id).is_some_and(|arn| is_of(&arn))
        });
        let named: Vec<ResourceId> = named.collect();
        if !named.is_empty() {
            return named;
        }
        let all = self.project.resources.ids();
        all.filter(|id| self.is_instance(*id, what)).collect()
    }

    /// Whether an address names all instances of a resource, of which this is one: `aws_iam_role.r` of `aws_iam_role.r["a"]`.
    fn is_instance(&self, id: ResourceId, text: &str) -> bool {
        let address = self.project.resources[id].address.full();
        let mut without = String::new();
        let mut deep = 0_usize;
        for c in address.chars() {
            match c {
                '[' => deep += 1,
                ']' => deep = deep.saturating_sub(1),
                _ if deep == 0 => without.push(c),
                _ => {}
            }
        }
        without != *address && glob::matches(text, &without, CaseSensitivity::Sensitive)
    }

    fn is_named(&self, id: ResourceId, text: &str) -> bool {
        let r = &self.project.resources[id];
        let matches = |name: &str| glob::matches(text, name, CaseSensitivity::Sensitive);
        matches(&r.address.full())
            || matches(&r.address.name)
            || self.name(id, 0).is_some_and(|name| matches(&name))
            || self.arn(id).is_some_and(|arn| matches(&arn))
    }

    /// Where it is declared, for lists of candidates.
    pub fn describe(&self, id: IdentityId) -> String {
        let identity = &self.project.identities[id];
        let at = self.project.sources.positions(identity.header).0;
        let path = self.project.sources.path(identity.header.file);
        let address = self.project.resources[identity.resource].address.full();
        format!("{path}:{}:{}: {address}", at.line, at.column)
    }

    pub fn caller(&self, id: IdentityId) -> Option<Caller> {
        let resource = self.project.identities[id].resource;
        let arn = match self.project.identities[id].kind {
            // A session of the role that AWS makes for it.
            IdentityKind::PermissionSet => {
                let name = self.name(resource, 0)?;
                format!(
                    "arn:aws:iam::{}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{name}",
                    self.account
                )
            }
            _ => self.arn(resource)?,
        };
        Caller::parse(&arn)
    }

    /// The ARN of a user or role of which all is known, in the account of examples.
    pub(super) fn example_arn(&self, identity: &Identity) -> Option<String> {
        let asks = matches!(identity.kind, IdentityKind::Role | IdentityKind::User);
        let arn = self.arn(identity.resource).filter(|_| asks)?;
        let arn = arn.replace(ANY_ACCOUNT, EXAMPLE_ACCOUNT);
        let arn = arn.replace(ANY_REGION, SOME_REGION);
        Caller::parse(&arn).map(|_| arn)
    }

    /// The same of one that the repository only names.
    pub(super) fn example_arn_of(&self, kind: IdentityKind, name: &str) -> Option<String> {
        let asks = matches!(kind, IdentityKind::Role | IdentityKind::User);
        let arn = format!("arn:aws:iam::{EXAMPLE_ACCOUNT}:{}/{name}", kind.name());
        (asks && Caller::parse(&arn).is_some()).then_some(arn)
    }

    /// The physical name; of a name that AWS makes, the address stands for it.
    pub(super) fn name(&self, id: ResourceId, depth: usize) -> Option<String> {
        self.name_text(id, depth)?.known().map(Cow::into_owned)
    }

    fn name_text(&self, id: ResourceId, depth: usize) -> Option<Text> {
        let r = &self.project.resources[id];
        let form = resource_types::find(&r.kind).and_then(|t| t.arn.as_ref());
        let property = form.and_then(|f| f.property).unwrap_or(match &*r.kind {
            "AWS::IAM::User" => "UserName",
            "AWS::IAM::Group" => "GroupName",
            _ => "Name",
        });
        let written = r.get(property).filter(|v| !v.is_null());
        match written {
            // In any account, a name that is not known is one name all the same.
            Some(value) if self.is_anywhere() => Some(match value.to_text() {
                Some(text) => self.filled(&text, depth + 1),
                None => Text::hole(Hole::new(HoleKind::Existing, r.address.name.clone(), value.span)),
            }),
            Some(value) => {
                let text = value.as_text()?;
                let filled = self.filled(text, depth + 1);
                (self.partial || filled.is_known()).then_some(filled)
            }
            // What CloudFormation makes is known in part; policies name identities by reference, and those keep one name.
            None if self.partial && r.namespace() != Some("IAM") && r.generated_name().is_some() => r.generated_name(),
            None => {
                let address = match (self.shared.contains(&r.address.name), self.partial) {
                    (true, true) => Cow::Owned(format!("{}-{}", r.address.scope, r.address.name)),
                    (true, false) => r.address.full(),
                    (false, _) => Cow::Borrowed(&*r.address.name),
                };
                let name = address.replace(['.', '/', '[', ']', '"', '#'], "-");
                Some(Text::synthetic(&name, r.header))
            }
        }
    }

    /// The ARN of a resource; `None` where its type or its name is not known.
    pub fn arn(&self, id: ResourceId) -> Option<String> {
        self.arn_text(id, 0)?.known().map(Cow::into_owned)
    }

    /// Whether it has an ARN, known or not.
    pub fn has_arn(&self, id: ResourceId) -> bool {
        let kind = &self.project.resources[id].kind;
        resource_types::find(kind).is_some_and(|t| t.arn.is_some())
    }

    /// The ARN as far as it is known.
    pub fn partial_arn(&self, id: ResourceId) -> Option<Text> {
        self.arn_text(id, 0)
    }

    /// The ARNs that policies on a resource are about, with holes for the account and the Region.
    pub(super) fn arns_of(&self, id: ResourceId) -> Vec<Text> {
        let Some(arn) = self.partial_arn(id).map(|arn| with_holes(&arn)) else {
            return Vec::new();
        };
        let below = |tail: &str| {
            let mut within = arn.clone();
            within.append(&Text::synthetic(tail, self.project.resources[id].header));
            within
        };
        match &*self.project.resources[id].kind {
            "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::KMS::Key" | "AWS::SNS::Topic" | "AWS::SQS::Queue" => vec![arn],
            "AWS::ECR::Repository" | "AWS::SecretsManager::Secret" => vec![arn],
            "AWS::Elasticsearch::Domain" | "AWS::OpenSearchService::Domain" | "AWS::S3::Bucket" => {
                vec![below("/*"), arn]
            }
            _ => vec![below("/*"), below(":*"), arn],
        }
    }

    fn arn_text(&self, id: ResourceId, depth: usize) -> Option<Text> {
        let name = self.name_text(id, depth)?;
        self.arn_of(id, &name)
    }

    /// The ARN of a resource with this name.
    fn arn_of(&self, id: ResourceId, name: &Text) -> Option<Text> {
        let r = &self.project.resources[id];
        let form = resource_types::find(&r.kind)?.arn.as_ref()?;
        let path = r.get("Path").and_then(Value::as_str).unwrap_or(Cow::Borrowed("/"));
        let path = path.trim_start_matches('/');
        let place = match form.service {
            "s3" => ":".to_owned(),
            "iam" => format!(":{}", self.account),
            _ => format!("{}:{}", self.region, self.account),
        };
        let head = format!("arn:aws:{}:{place}:{}{path}", form.service, form.before);
        let mut out = Text::synthetic(&head, r.header);
        // The ARN of a parameter in a hierarchy has one slash there. AWS Systems Manager User Guide, "Restricting access to
        // Parameter Store parameters using IAM policies".
        let in_hierarchy = form.service == "ssm" && name.display().starts_with('/');
        out.append(&if in_hierarchy {
            name.slice(1..name.len())
        } else {
            name.clone()
        });
        Some(out)
    }

    /// A text with what is known of its holes.
    pub(super) fn filled(&self, text: &Text, depth: usize) -> Text {
        let mut out = Text::default();
        for piece in text.pieces() {
            match piece {
                Piece::Lit(_) => out.push(piece.clone()),
                Piece::Hole(hole) => match self.fill(hole, depth) {
                    Some(known) => out.append(&known),
                    None => out.push(piece.clone()),
                },
            }
        }
        out
    }

    /// What is known of the parts of a statement, item by item.
    pub(super) fn fill_statement(&self, s: &mut Statement) {
        let fill = |item: &mut ClauseItem| {
            if !item.text.is_known() {
                item.text = self.filled(&item.text, 0);
            }
            item.text = with_holes(&item.text);
        };
        for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
            // What the items stood for was found without this.
            if !clause.is_known() {
                clause.sets = std::sync::OnceLock::new();
            }
            clause.items.iter_mut().for_each(fill);
        }
        for item in s.principal.iter_mut().flat_map(|p| &mut p.items) {
            fill(&mut item.value);
        }
        for condition in &mut s.conditions {
            condition.values.iter_mut().for_each(fill);
        }
    }

    fn fill(&self, hole: &Hole, depth: usize) -> Option<Text> {
        let known = |text: &str| Some(Text::synthetic(text, hole.span));
        match hole.kind {
            HoleKind::Account => return known(&self.account),
            HoleKind::Partition => return known("aws"),
            HoleKind::Region => return known(&self.region),
            HoleKind::UrlSuffix => return known("amazonaws.com"),
            _ if depth >= MAX_DEPTH => return None,
            _ => {}
        }
        let target = hole.target.as_ref()?;
        let [id] = *self.project.resources_at(target) else {
            return None;
        };
        let form = resource_types::find(&self.project.resources[id].kind)?.arn.as_ref()?;
        let attribute = &*target.attribute;
        let is_user = &*self.project.resources[id].kind == "AWS::IAM::User";
        let found = if form.names.contains(&attribute) || is_user && matches!(attribute, "" | "id" | "name") {
            self.name_text(id, depth + 1)
        } else if form.arns.contains(&attribute) {
            self.arn_text(id, depth + 1).map(|arn| form.attribute(attribute, arn))
        } else {
            None
        }?;
        // It stands where the reference does.
        match found.known() {
            Some(text) => known(&text),
            None => Some(found),
        }
    }

    fn is_anywhere(&self) -> bool {
        self.account.starts_with(ANY_ACCOUNT)
    }

    /// A document with what is known filled in.
    pub(super) fn document(&self, document: &Document) -> Document {
        let mut out = document.clone();
        let fill = |item: &mut ClauseItem| {
            if !item.text.is_known() {
                item.text = self.filled(&item.text, 0);
            }
        };
        for s in &mut out.statements {
            for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
                // An item with a hole makes it incomplete, and is one item all the same.
                if clause.items.iter().any(|i| !i.text.is_known()) {
                    clause.complete = true;
                    clause.sets = std::sync::OnceLock::new();
                }
                clause.items.iter_mut().for_each(fill);
            }
            if let Some(clause) = &mut s.principal {
                clause.complete |= clause.items.iter().any(|i| !i.value.text.is_known());
                clause.items.iter_mut().for_each(|p| fill(&mut p.value));
            }
            for condition in &mut s.conditions {
                condition.complete |= condition.values.iter().any(|i| !i.text.is_known());
                condition.values.iter_mut().for_each(fill);
            }
        }
        out
    }
}

/// Addresses that several resources have.
fn shared_names(project: &Project<'_>) -> HashSet<Arc<str>> {
    let mut seen: HashSet<Arc<str>> = HashSet::new();
    let names = project.resources.iter().map(|r| r.address.name.clone());
    names.filter(|name| !seen.insert(name.clone())).collect()
}

/// A text in which the account and the Region are holes again.
fn with_holes(text: &Text) -> Text {
    let is_open = |p: &Piece| matches!(p, Piece::Lit(lit) if lit.text.contains([ANY_ACCOUNT, ANY_REGION]));
    if !text.pieces().iter().any(is_open) {
        return text.clone();
    }
    let mut out = Text::default();
    for piece in text.pieces() {
        let Piece::Lit(lit) = piece else {
            out.push(piece.clone());
            continue;
        };
        if !lit.text.contains([ANY_ACCOUNT, ANY_REGION]) {
            out.push(piece.clone());
            continue;
        }
        let span = text.span_of(0..text.len()).unwrap_or(Span::NOWHERE);
        for part in lit.text.split_inclusive([ANY_ACCOUNT, ANY_REGION]) {
            let known = part.trim_end_matches([ANY_ACCOUNT, ANY_REGION]);
            if !known.is_empty() {
                out.append(&Text::synthetic(known, span));
            }
            let hole = match part.chars().last() {
                Some(ANY_ACCOUNT) => Some(Hole::new(HoleKind::Account, "AWS::AccountId", span)),
                Some(ANY_REGION) => Some(Hole::new(HoleKind::Region, "AWS::Region", span)),
                _ => None,
            };
            if let Some(hole) = hole {
                out.append(&Text::hole(hole));
            }
        }
    }
    out
}
