//! What a check is given, and where its findings go.

use std::collections::{BTreeMap, HashMap};

use super::options::FileOptions;
use super::{RuleId, Ruleset, Selection};
use crate::finding::{Cause, CountingUnit, Finding, Subject};
use crate::iam::{ClauseItem, Document, DocumentOrigin};
use crate::project::{DocumentId, Effects, Project, ResourceId, StatementRef};
use crate::source::{FileId, Span, parent_path};
use crate::test_code::is_test_code;
use crate::unjudged::Unjudged;

/// A check that needs code.
pub type CodeCheck = fn(&Context<'_>, &mut FindingSink<'_>);

/// What a check may ask.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub project: &'a Project<'a>,
    /// What each identity may do in all.
    pub effects: &'a Effects<'a>,
    pub(super) ruleset: &'a Ruleset,
    pub(super) selection: &'a Selection,
}

impl<'a> Context<'a> {
    /// The documents that someone may change: not what the SAM translator or the CDK writes by itself.
    pub fn documents(&self) -> impl Iterator<Item = (DocumentId, &'a Document)> + use<'a> {
        let generated = |d: &Document| matches!(d.origin, DocumentOrigin::Generated(_) | DocumentOrigin::CdkGrant(_));
        self.project
            .documents
            .iter_enumerated()
            .filter(move |(_, d)| !generated(d))
    }

    /// The options of a rule that hold in a file.
    pub fn options(&self, rule: RuleId, file: FileId) -> FileOptions<'a> {
        FileOptions {
            specs: self.ruleset.get(&rule).map_or(&[], |r| r.options()),
            given: self.selection.options().values_of(&rule, file.0),
        }
    }

    /// Whether a remedy may replace or remove the item: it is written where it is used, letter for letter, and whatever is
    /// decided at deployment.
    pub fn is_literal(&self, item: &ClauseItem) -> bool {
        let written = self.project.sources.slice(item.span);
        let known = item.text.known();
        item.via.is_none() && item.branch.is_none() && known.is_some_and(|text| written.contains(&*text))
    }

    /// Whether the account in an item is supplied by what lists the accounts of the repository's own organization:
    /// `var.organization_accounts`, `data.aws_organizations_organization.this.accounts`. No such account is a stranger.
    pub fn is_organization_account(&self, item: &ClauseItem) -> bool {
        let sources = self.project.sources;
        let steps = std::iter::successors(item.via.as_deref(), |step| step.from.as_deref());
        let mut origins = steps.take(MAX_STEPS).map(|step| sources.slice(step.span));
        let written = sources.slice(item.span);
        let mut parts = written.split("${").skip(1).filter_map(|rest| rest.split('}').next());
        item.text.holes().any(|hole| names_organization(&hole.name))
            || origins.any(names_organization)
            || parts.any(names_organization)
    }

    /// Whether what stands in a module is a value that only an example or a test passes to it: `at` is a place in the module.
    /// Other callers pass other values, so that what follows from this one is not true of the module.
    pub fn is_example_value(&self, item: &ClauseItem, at: Span) -> bool {
        let sources = self.project.sources;
        if is_example(sources.path(at.file)) {
            return false;
        }
        let steps = std::iter::successors(item.via.as_deref(), |step| step.from.as_deref());
        let mut origins = steps.take(MAX_STEPS).map(|step| step.span).chain([item.span]);
        let mut targets = item.text.holes().filter_map(|hole| hole.target.as_ref());
        let of_example = |span: Span| is_example(sources.path(span.file));
        origins.any(of_example)
            || targets.any(|t| {
                let first = self.project.resources_at(t).first();
                first.is_some_and(|id| of_example(self.project.resources[*id].header))
            })
    }

    /// Every statement of every document.
    pub fn statements(&self) -> impl Iterator<Item = StatementRef<'a>> + use<'a> {
        let project = self.project;
        self.documents().flat_map(|(id, _)| project.statements(id))
    }

    /// A finding about one statement: cause and subject filled in; labels are the caller's. Where the document is put to
    /// use elsewhere, the engine adds those places as secondary labels.
    pub fn at_statement(&self, rule: RuleId, s: StatementRef<'_>, message: impl Into<String>) -> Finding {
        let mut f = Finding::new(rule, message).cause(Cause::Statement(s.document_id, s.index));
        f.subject = self.document_subject(s.document);
        f.subject.sid = s.sid.as_ref().and_then(|s| s.text.known()).map(|s| s.into_owned());
        f.subject.pointer.push_str(&s.pointer);
        f
    }

    /// A finding about a whole document.
    pub fn at_document(&self, rule: RuleId, document: DocumentId, message: impl Into<String>) -> Finding {
        let mut f = Finding::new(rule, message).cause(Cause::Document(document));
        f.subject = self.document_subject(&self.project.documents[document]);
        f
    }

    /// A finding about a resource.
    pub fn at_resource(&self, rule: RuleId, resource: ResourceId, message: impl Into<String>) -> Finding {
        let r = &self.project.resources[resource];
        let mut f = Finding::new(rule, message).cause(Cause::Resource(resource));
        f.subject = Subject {
            kind: r.format.short_name().to_owned(),
            address: r.address.name.to_string(),
            ..Subject::default()
        };
        f
    }

    /// A finding about a part of a resource, which is there only where the resource is.
    pub fn at_part(
        &self,
        rule: RuleId,
        resource: ResourceId,
        message: impl Into<String>,
        (span, label): (Span, impl Into<String>),
    ) -> Finding {
        let r = &self.project.resources[resource];
        self.at_resource(rule, resource, message)
            .under_guard(r.branch.as_ref())
            .primary(span, label)
            .in_resource(r.header)
    }

    fn document_subject(&self, d: &Document) -> Subject {
        let syntax = |span: Span| self.project.sources.path(span.file).rsplit('.').next();
        Subject {
            kind: d.format.short_name().to_owned(),
            address: d.owner.as_ref().map(|o| o.address.to_string()).unwrap_or_default(),
            attribute: d.owner.as_ref().map(|o| o.attribute.to_string()).unwrap_or_default(),
            policy_kind: Some(d.kind.name().to_owned()),
            apart: d.used_at.iter().any(|u| syntax(u.span) != syntax(d.span)),
            ..Subject::default()
        }
    }
}

/// How many steps of a value's way are looked at.
const MAX_STEPS: usize = 16;

/// Whether a reference names the own organization, by its words: `var.org_account_ids`, `OrganizationAccounts`.
fn names_organization(reference: &str) -> bool {
    const LONGEST: usize = 200;
    const OWN: [&str; 6] = [
        "org",
        "organisation",
        "organisations",
        "organization",
        "organizations",
        "orgs",
    ];
    const OTHERS: [&str; 9] = [
        "client",
        "customer",
        "customers",
        "external",
        "other",
        "partner",
        "partners",
        "third",
        "vendor",
    ];
    if reference.len() > LONGEST {
        return false;
    }
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in reference.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase() || words.is_empty() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    let has = |all: &[&str]| words.iter().any(|w| all.contains(&w.as_str()));
    has(&OWN) && !has(&OTHERS)
}

/// Of one rule so many findings are reported of one unit. No document that AWS takes has as many: a longer list is one mistake,
/// and is no one's to read.
const MAX_ALIKE: usize = 1_000;

/// Takes findings of the rules that are on.
#[derive(Debug, Default)]
pub struct FindingSink<'r> {
    pub findings: Vec<Finding>,
    /// What a check looked at and could not judge.
    pub unjudged: Vec<Unjudged>,
    selection: Option<&'r Selection>,
    reported: HashMap<CountingUnit, BTreeMap<RuleId, RuleCount>>,
}

/// The findings of one rule in one unit.
#[derive(Debug, Default)]
struct RuleCount {
    count: usize,
    /// The last one, by its place among all.
    last: usize,
}

impl<'r> FindingSink<'r> {
    /// For the rules of `selection`; `Out::default()` takes every finding.
    pub fn new(selection: &'r Selection) -> Self {
        Self {
            selection: Some(selection),
            ..Self::default()
        }
    }

    /// Whether `rule` is selected: a check that serves several rules may save work.
    pub fn is_selected(&self, rule: RuleId) -> bool {
        self.selection.is_none_or(|s| s.is_on(&rule))
    }

    /// Whether the finding would only be counted: what it says in addition need not be found out.
    pub fn is_only_counted(&self, finding: &Finding) -> bool {
        let reported = unit(finding, finding.span()).and_then(|unit| self.reported.get(&unit)?.get(&finding.rule));
        reported.is_some_and(|reported| reported.count == MAX_ALIKE)
    }

    /// Takes a finding; one of a rule that is not selected is dropped. Of very many that are alike the last one counts the
    /// rest, and hides what they would hide.
    pub fn push(&mut self, finding: Finding) {
        let at = finding.span();
        self.add_finding(finding, at, |f| f);
    }

    /// Takes the finding at `at` that `make` completes, where it is to be reported.
    pub(super) fn push_with(&mut self, base: Finding, at: Span, make: impl FnOnce(Finding) -> Finding) {
        self.add_finding(base, Some(at), make);
    }

    fn add_finding(&mut self, mut finding: Finding, at: Option<Span>, make: impl FnOnce(Finding) -> Finding) {
        if !self.is_selected(finding.rule) {
            return;
        }
        if let Some(unit) = unit(&finding, at) {
            let reported = self.reported.entry(unit).or_default().entry(finding.rule).or_default();
            if reported.count == MAX_ALIKE {
                let last = &mut self.findings[reported.last];
                last.more += 1;
                last.secrets.append(&mut finding.secrets);
                return;
            }
            reported.count += 1;
            reported.last = self.findings.len();
        }
        self.findings.push(make(finding));
    }
}

/// What a finding is counted in.
fn unit(finding: &Finding, at: Option<Span>) -> Option<CountingUnit> {
    finding.cause.unit().or(at.map(|at| CountingUnit::File(at.file)))
}

/// Whether a path is one of examples or of tests.
fn is_example(path: &str) -> bool {
    let folders = parent_path(path);
    let named = ["example", "examples", "sample", "samples"];
    let shows = |folder: &str| named.iter().any(|n| folder.eq_ignore_ascii_case(n));
    is_test_code(path) || folders.split('/').any(shows)
}

#[cfg(test)]
mod tests {
    use super::names_organization;

    #[test]
    fn a_reference_names_the_own_organization_by_its_words() {
        for own in [
            "var.organization_accounts",
            "var.org_account_ids[0]",
            "module.organization.account_ids",
            "data.aws_organizations_organization.this.accounts[*].id",
            "OrganizationAccountId",
            "!Ref OrgAccounts",
        ] {
            assert!(names_organization(own), "{own}");
        }
        for other in [
            "var.accounts",
            "var.partner_org_accounts",
            "var.vendor_account",
            "ForgeAccount",
            "local.organ",
        ] {
            assert!(!names_organization(other), "{other}");
        }
    }
}
