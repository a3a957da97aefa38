//! Tests of single items and of the clauses that hold them.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::{Captured, CapturedElement, Captures, EffectivePart, Eval, GrantLimit};
use crate::checks::{only_service, sensitive_actions};
use crate::iam::actions::is_one_operation;
use crate::iam::arn::{self, Arn, ArnField, Breadth};
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::pattern::{Pattern, is_star};
use crate::iam::principal::{IdentityType, PrincipalOrigin, origin_of};
use crate::iam::resource_fit::Resources;
use crate::iam::variables::has_variable;
use crate::iam::{self, AccessLevel, ActionSet, ClauseItem, PolicyKind, PrincipalItem, PrincipalType, Truth};
use crate::project::targets::ResourceRefs;
use crate::project::{StatementGrant, StatementRef, is_majority};
use crate::rules::spec::{Account, ClauseTest, ItemTest, PrincipalIdentity};
use crate::source::{HoleKind, Span, Text};
use crate::value::Provenance;

/// One thing that an [`ItemTest`] asks about.
#[derive(Clone, Copy)]
pub(super) struct TestedItem<'p> {
    pub(super) of: CapturedElement,
    pub(super) text: &'p Text,
    pub(super) span: Span,
    pub(super) via: Option<&'p Provenance>,
    pub(super) principal: Option<&'p PrincipalItem>,
    /// The clause that knows what the item stands for, its place there, and the statement.
    pub(super) set: Option<(&'p iam::Clause, usize, StatementRef<'p>)>,
    /// The item as the model has it.
    pub(super) item: Option<&'p ClauseItem>,
}

impl<'p> TestedItem<'p> {
    pub(super) fn item(item: &'p ClauseItem, of: CapturedElement) -> Self {
        Self {
            of,
            via: Some(&item.via),
            item: Some(item),
            ..Self::text(&item.text, item.span)
        }
    }

    /// A text that is no item of a policy.
    pub(super) fn text(text: &'p Text, span: Span) -> Self {
        Self {
            of: CapturedElement::Text,
            text,
            span,
            via: None,
            principal: None,
            set: None,
            item: None,
        }
    }

    pub(super) fn principal(p: &'p PrincipalItem) -> Self {
        Self {
            principal: Some(p),
            ..Self::item(&p.value, CapturedElement::Principal)
        }
    }

    pub(super) fn captured(self) -> Captured<'p> {
        Captured {
            of: self.of,
            text: Some(Cow::Borrowed(self.text)),
            via: self.via,
            actions: self.actions(),
            item: self.item,
            ..Captured::at_span(self.span)
        }
    }

    /// Of what was captured, by itself.
    pub(super) fn from_captured(c: &'p Captured<'p>) -> Option<Self> {
        Some(Self {
            of: c.of,
            via: c.via,
            item: c.item,
            ..Self::text(c.text.as_deref()?, c.span)
        })
    }

    /// What it stands for as an item of `Action`.
    fn actions(self) -> Option<&'p ActionSet> {
        let (clause, index, _) = self.set?;
        clause.item_actions().get(index)
    }

    fn case(self) -> CaseSensitivity {
        match self.of {
            CapturedElement::Action => CaseSensitivity::Insensitive,
            _ => CaseSensitivity::Sensitive,
        }
    }
}

/// What a [`ClauseTest`] goes through.
pub(super) enum Items<'p> {
    Written(&'p [ClauseItem], CapturedElement),
    /// The items of an `Action` or a `NotAction`.
    Actions(&'p iam::Clause, StatementRef<'p>),
    Principals(&'p [PrincipalItem]),
    Made(Vec<TestedItem<'p>>),
}

impl<'p> Items<'p> {
    fn len(&self) -> usize {
        match self {
            Self::Written(items, _) => items.len(),
            Self::Actions(clause, _) => clause.items.len(),
            Self::Principals(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = TestedItem<'p>> {
        (0..self.len()).map(|i| match self {
            Self::Written(items, of) => TestedItem::item(&items[i], *of),
            Self::Actions(clause, s) => TestedItem {
                set: Some((clause, i, *s)),
                ..TestedItem::item(&clause.items[i], CapturedElement::Action)
            },
            Self::Principals(items) => TestedItem::principal(&items[i]),
            Self::Made(items) => items[i],
        })
    }
}

/// The items of an element, as a [`ClauseTest`] sees them.
pub(super) struct ClauseItems<'p> {
    pub(super) items: Items<'p>,
    /// `false` when there may be further items.
    pub(super) complete: bool,
    /// All of it comes from what is not known, and it may not be there.
    pub(super) vague: bool,
    pub(super) key: Option<Span>,
    pub(super) span: Option<Span>,
}

impl Eval<'_, '_> {
    /// `clause` is `None` where the element is absent.
    pub(super) fn clause<'p>(
        &self,
        t: &ClauseTest,
        clause: Option<&ClauseItems<'p>>,
        found: &mut Captures<'p>,
    ) -> Truth {
        let mut truth = Truth::Yes;
        if let Some(present) = t.present {
            truth = truth.and(match clause.is_some_and(|c| c.vague) {
                true => Truth::Unknown,
                false => (clause.is_some() == present).into(),
            });
        }
        let Some(clause) = clause else {
            return truth.and((t.any.is_none() && t.all.is_none()).into());
        };
        let more = if clause.complete { Truth::No } else { Truth::Unknown };
        let mut witnesses: Option<Vec<TestedItem<'p>>> = None;
        if let Some(test) = &t.any {
            let mut any = more;
            let mut fit = Vec::new();
            for item in clause.items.iter() {
                let answer = self.item(test, item);
                any = any.or(answer);
                if answer.is_yes() {
                    fit.push(item);
                }
            }
            truth = truth.and(any);
            witnesses = Some(fit);
        }
        if truth.is_no() {
            return truth;
        }
        if let Some(test) = &t.all {
            let all = clause.items.iter().map(|i| self.item(test, i)).fold(!more, Truth::and);
            truth = truth.and(all).and((clause.items.len() > 0 || !clause.complete).into());
        }
        if let Some(test) = &t.none {
            let any = clause.items.iter().map(|i| self.item(test, i)).fold(more, Truth::or);
            truth = truth.and(!any);
        }
        if truth.is_yes() {
            if t.capture.is_some() {
                for w in witnesses.unwrap_or_else(|| clause.items.iter().collect()) {
                    found.add(t.capture.as_ref(), || w.captured());
                }
            }
            if let Some(key) = clause.key {
                found.add(t.key.as_ref(), || Captured::at_span(key));
            }
            if let Some(span) = clause.span {
                found.add(t.value.as_ref(), || Captured::at_span(span));
            }
        }
        truth
    }

    pub(super) fn item(&self, t: &ItemTest, one: TestedItem<'_>) -> Truth {
        let text = one.text;
        let case = one.case();
        let any = |words: &[String], test: &dyn Fn(&str) -> Truth| {
            if words.is_empty() {
                Truth::Yes
            } else {
                words.iter().map(|w| test(w)).fold(Truth::No, Truth::or)
            }
        };
        let known = text.known();
        // Where nothing in the item is special, no pattern has to be made of it.
        let found = OnceCell::new();
        let plain = || {
            let special = |b: u8| matches!(b, b'*' | b'?' | b'$');
            *found.get_or_init(|| known.as_deref().filter(|t| !t.bytes().any(special)))
        };
        let made = OnceCell::new();
        let pattern = || made.get_or_init(|| Pattern::new(text, case));
        let same = |w: &str| match &known {
            Some(known) => match case {
                CaseSensitivity::Sensitive => **known == *w,
                CaseSensitivity::Insensitive => known.eq_ignore_ascii_case(w),
            }
            .into(),
            // Some filling of the holes may give the word.
            None => pattern()
                .overlaps(&self.words.pattern(&glob_literal(w), case))
                .and(Truth::Unknown),
        };
        let mut truth = any(&t.is, &same).and(any(&t.one_of, &same));
        truth = truth.and(any(&t.glob, &|w| match &known {
            Some(known) => glob::matches(w, known, case).into(),
            None => self.words.pattern(w, case).covers(pattern()),
        }));
        if truth.is_no() {
            return truth;
        }
        truth = truth.and(any(&t.covers, &|w| match plain() {
            Some(_) if !w.contains('$') => same(w),
            _ => pattern().covers(&self.words.pattern(w, case)),
        }));
        truth = truth.and(any(&t.covered_by, &|w| match plain() {
            Some(item) if !w.contains('$') => glob::matches(w, item, case).into(),
            _ => self.words.pattern(w, case).covers(pattern()),
        }));
        if let Some(wanted) = t.known {
            truth = truth.and((known.is_some() == wanted).into());
        }
        if truth.is_no() {
            return truth;
        }
        if let Some(wildcard) = t.wildcard {
            let has = Truth::from(plain().is_none() && pattern().has_wildcard());
            let has = if known.is_some() { has } else { has.or(Truth::Unknown) };
            truth = truth.and(if wildcard { has } else { !has });
        }
        if truth.is_no() {
            return truth;
        }
        truth = truth.and(any(&t.service, &|w| service(one).matches_word(w)));
        if !t.account.is_empty() {
            let account = self.account(one);
            let fits = t
                .account
                .iter()
                .map(|a| account.matches_account(*a))
                .fold(Truth::No, Truth::or);
            truth = truth.and(fits);
        }
        if !t.principal.is_empty() {
            let fits = |kind: &PrincipalType| one.principal.is_some_and(|p| p.kind == *kind);
            truth = truth.and(t.principal.iter().any(fits).into());
        }
        if !t.identity.is_empty() {
            let identity = one.principal.and_then(|p| self.identity_of(p));
            truth = truth.and(identity.is_some_and(|i| t.identity.contains(&i)).into());
        }
        if !t.form.is_empty() {
            let fits = t.form.iter().map(|form| form.matches(text)).fold(Truth::No, Truth::or);
            truth = truth.and(fits);
        }
        if let Some(wanted) = t.variable {
            let has = known.as_deref().map_or(Truth::Unknown, |k| has_variable(k).into());
            truth = truth.and(if wanted { has } else { !has });
        }
        if let Some(expression) = &t.matches {
            truth = truth.and(match (&known, self.words.regex(expression)) {
                (Some(known), Some(regex)) => regex.is_match(known).into(),
                (None, Some(_)) => Truth::Unknown,
                (_, None) => Truth::No,
            });
        }
        if truth.is_no() {
            return truth;
        }
        if !t.access_level.is_empty() {
            truth = truth.and(self.levels(one, &t.access_level));
        }
        if let Some(wanted) = t.one_operation {
            let one = match (known.as_deref(), one.actions()) {
                (Some(text), Some(set)) => is_one_operation(text, set).into(),
                (Some(text), None) => is_one_operation(text, &ActionSet::expand(text)).into(),
                (None, _) => Truth::Unknown,
            };
            truth = truth.and(if wanted { one } else { !one });
        }
        if let Some(wanted) = t.whole_type {
            let whole = Truth::from(arn::breadth_of(text) <= Breadth::WholeType);
            truth = truth.and(if wanted { whole } else { !whole });
        }
        if let Some(wanted) = t.mostly_granted {
            let most = Truth::from(self.is_mostly_granted(one));
            truth = truth.and(if wanted { most } else { !most });
        }
        if let Some(wanted) = t.partly_denied {
            let denied = Truth::from(self.is_partly_denied(one));
            truth = truth.and(if wanted { denied } else { !denied });
        }
        if let Some(wanted) = t.own_service {
            let own = Truth::from(self.is_own_service(one));
            truth = truth.and(if wanted { own } else { !own });
        }
        if let Some(wanted) = t.granted {
            let granted = Truth::from(self.is_granted(one));
            truth = truth.and(if wanted { granted } else { !granted });
        }
        combine(truth, &t.all, &t.any, &t.none, t.not.as_deref(), |inner| {
            self.item(inner, one)
        })
    }

    /// Whether someone may come to have an action that the item stands for: not all of them are denied or outside a
    /// boundary, and one fits a resource of the statement. What is not known may be one; a pattern that matches no action is
    /// none.
    fn is_granted(&self, one: TestedItem<'_>) -> bool {
        let (Some(set), Some((_, _, s))) = (one.actions(), one.set) else {
            return true;
        };
        if set.is_empty() {
            return !one.text.is_known();
        }
        let withheld = self.context.project.withheld(s.document_id).for_statement(s.index);
        let mut left = set.iter().filter(|a| !withheld.contains(a.id()));
        match self.resources(s) {
            Some(mut resources) => left.any(|a| resources.may_fit(a)),
            None => left.next().is_some(),
        }
    }

    /// The resources of a statement, where not every action may fit them.
    fn resources<'p>(&self, s: StatementRef<'p>) -> Option<Resources<'p>> {
        let named = |text: &Text| ResourceRefs::new(self.context.project).as_arn(text);
        Resources::new(s.statement.resource.as_ref()?, named)
    }

    /// Of the actions of an item of an Allow statement, those that are not denied or outside a boundary and that fit a
    /// resource of the statement. `None` where that is all of them.
    pub(super) fn effective_part(&self, actions: &ActionSet, s: StatementRef<'_>) -> Option<EffectivePart> {
        if !s.statement.allows() || actions.len() < 2 {
            return None;
        }
        let given = self.context.project.granted_part(s, actions);
        let (StatementGrant { kept, at_most, .. }, left) = (&given, &given.fitting);
        let limit = match (*at_most || left.len() < kept.len(), kept.len() < actions.len()) {
            _ if left.is_empty() => return None,
            (false, false) => return None,
            (true, false) => GrantLimit::Resources,
            (false, true) => GrantLimit::Denied,
            (true, true) => GrantLimit::Both,
        };
        Some(EffectivePart {
            limit,
            at_most: given.at_most,
            actions: given.fitting,
        })
    }

    /// Where a Deny takes some of the actions of an Allow statement away on some of its resources.
    pub(super) fn partly_denied(&self, actions: &ActionSet, s: StatementRef<'_>) -> Option<Span> {
        let withheld = self.context.project.withheld(s.document_id);
        withheld.partial_deny(s.index, actions).filter(|_| s.statement.allows())
    }

    /// Whether a pattern in an identity policy is about one named resource, and holds no sensitive action that fits it.
    pub(super) fn is_harmless(&self, s: StatementRef<'_>, at: &Captured<'_>) -> bool {
        let Some(actions) = at.granted().filter(|_| at.actions.is_some_and(|a| a.len() > 1)) else {
            return false;
        };
        let grants = matches!(s.document.kind, PolicyKind::Identity | PolicyKind::Session) && s.statement.allows();
        let one = |resources: Resources<'_>| match (resources.items(), resources.texts()) {
            ([item], [text]) => {
                let refers = item.text.as_hole().is_some_and(|h| h.kind == HoleKind::Resource);
                refers || arn::breadth_of(text) == Breadth::Exact
            }
            _ => false,
        };
        grants && !actions.intersects(sensitive_actions()) && self.resources(s).is_some_and(one)
    }

    /// Whether someone comes to have most of what an item stands for: of the actions that change something (or of all, where
    /// none does), no more than half are denied or outside a boundary.
    fn is_mostly_granted(&self, one: TestedItem<'_>) -> bool {
        let (Some(set), Some((_, _, s))) = (one.actions().filter(|a| !a.is_empty()), one.set) else {
            return true;
        };
        let lost = self.context.project.withheld(s.document_id).for_statement(s.index);
        if !set.intersects(lost) {
            return true;
        }
        is_majority(&set.difference(lost), set)
    }

    /// Whether a Deny takes some of what an item stands for away from all holders, or on some resources.
    fn is_partly_denied(&self, one: TestedItem<'_>) -> bool {
        let (Some(set), Some((_, _, s))) = (one.actions(), one.set) else {
            return false;
        };
        let withheld = self.context.project.withheld(s.document_id);
        set.intersects(withheld.for_statement(s.index)) || withheld.partial_deny(s.index, set).is_some()
    }

    /// Whether an item is of the service that alone may assume the roles which hold the policy, and has no sensitive action.
    fn is_own_service(&self, one: TestedItem<'_>) -> bool {
        let (Some(set), Some((_, _, s))) = (one.actions().filter(|a| !a.is_empty()), one.set) else {
            return false;
        };
        let services = set.services();
        let [service] = services.as_slice() else { return false };
        !set.intersects(sensitive_actions())
            && only_service(self.context.project, s.document_id).as_deref() == Some(*service)
    }

    /// Whether an action pattern grants an action of one of these levels.
    fn levels(&self, one: TestedItem<'_>, levels: &[AccessLevel]) -> Truth {
        let Some(pattern) = one.text.known() else {
            return Truth::Unknown;
        };
        let counts = match (one.actions(), one.set) {
            (Some(set), Some((_, _, s))) => match self.effective_part(set, s) {
                Some(left) => left.actions.by_level(),
                None => set.by_level(),
            },
            _ => ActionSet::expand(&pattern).by_level(),
        };
        levels.iter().any(|l| counts.get(*l) > 0).into()
    }

    /// What a principal of the type `AWS` is in its account.
    fn identity_of(&self, p: &PrincipalItem) -> Option<PrincipalIdentity> {
        if p.kind != PrincipalType::Aws || !p.value.text.is_known() {
            return None;
        }
        let who = match origin_of(p, self.context.project.own, None) {
            PrincipalOrigin::UniqueId(IdentityType::User) => return Some(PrincipalIdentity::DeletedUser),
            PrincipalOrigin::UniqueId(_) => return Some(PrincipalIdentity::DeletedRole),
            PrincipalOrigin::OwnAccount { who, .. } | PrincipalOrigin::OtherAccount { who, .. } => who,
            _ => return None,
        };
        Some(match who {
            IdentityType::Root => PrincipalIdentity::Root,
            IdentityType::Role => PrincipalIdentity::Role,
            IdentityType::User => PrincipalIdentity::User,
            IdentityType::AssumedRole => PrincipalIdentity::RoleSession,
            IdentityType::FederatedUser => PrincipalIdentity::FederatedUser,
            IdentityType::Any | IdentityType::Other => PrincipalIdentity::Other,
        })
    }

    fn account(&self, one: TestedItem<'_>) -> AccountOwner {
        let own = self.context.project.own;
        if let Some(p) = one.principal {
            return match origin_of(p, own, None) {
                PrincipalOrigin::Everyone | PrincipalOrigin::AnyAccount(_) => AccountOwner::Any,
                PrincipalOrigin::OwnAccount { .. } | PrincipalOrigin::Resource(_) => AccountOwner::Same,
                PrincipalOrigin::OtherAccount { .. } if self.context.is_organization_account(&p.value) => {
                    AccountOwner::Unknown
                }
                PrincipalOrigin::OtherAccount { .. } => AccountOwner::Other,
                PrincipalOrigin::Unknown | PrincipalOrigin::SomeAccount { .. } | PrincipalOrigin::Federated(_) => {
                    AccountOwner::Unknown
                }
                _ => AccountOwner::Nobody,
            };
        }
        let Some(arn) = Arn::parse(one.text) else {
            return match one.text.as_hole() {
                _ if is_star(one.text) => AccountOwner::Any,
                Some(hole) if hole.kind == HoleKind::Resource => AccountOwner::Same,
                Some(_) => AccountOwner::Unknown,
                None if one.text.is_known() => AccountOwner::Nobody,
                None => AccountOwner::Unknown,
            };
        };
        match arn.account() {
            ArnField::Hole(Some(HoleKind::Account)) => AccountOwner::Same,
            ArnField::Hole(_) => AccountOwner::Unknown,
            ArnField::Literal(id) if own.accounts.contains_key(&*id) => AccountOwner::Same,
            ArnField::Literal(_) => AccountOwner::Other,
            ArnField::Any | ArnField::Pattern => AccountOwner::Any,
            ArnField::Empty => AccountOwner::Nobody,
        }
    }
}

/// A word in which wildcards are characters.
fn glob_literal(word: &str) -> String {
    word.replace('*', "${*}").replace('?', "${?}")
}

/// Folds the combinators of a test over `truth`.
pub(super) fn combine<T>(
    truth: Truth,
    all: &[T],
    any: &[T],
    none: &[T],
    not: Option<&T>,
    mut test: impl FnMut(&T) -> Truth,
) -> Truth {
    let mut truth = all.iter().map(&mut test).fold(truth, Truth::and);
    if !any.is_empty() {
        truth = truth.and(any.iter().map(&mut test).fold(Truth::No, Truth::or));
    }
    let none = none.iter().chain(not).map(&mut test).fold(Truth::No, Truth::or);
    truth.and(!none)
}

enum ItemService {
    Known(String),
    None,
    Unknown,
}

impl ItemService {
    fn matches_word(&self, word: &str) -> Truth {
        match self {
            Self::Known(s) => s.eq_ignore_ascii_case(word).into(),
            Self::None => Truth::No,
            Self::Unknown => Truth::Unknown,
        }
    }
}

/// The service that an action, an ARN or a service principal names.
fn service(one: TestedItem<'_>) -> ItemService {
    let text = one.text;
    let named = match one.of {
        CapturedElement::Action => text.prefix().split_once(':').map(|(service, _)| service.to_owned()),
        CapturedElement::Principal if one.principal.is_some_and(|p| p.kind == PrincipalType::Service) => {
            text.prefix().split_once('.').map(|(service, _)| service.to_owned())
        }
        _ => match Arn::parse(text) {
            Some(arn) => match arn.service.known() {
                Some(s) => Some(s.into_owned()),
                None => return ItemService::Unknown,
            },
            None => None,
        },
    };
    match named {
        Some(s) if s.contains(['*', '?']) => ItemService::None,
        Some(s) => ItemService::Known(s),
        None if text.is_known() => ItemService::None,
        None => ItemService::Unknown,
    }
}

enum AccountOwner {
    Same,
    Other,
    Any,
    /// Names no account.
    Nobody,
    Unknown,
}

impl AccountOwner {
    fn matches_account(&self, account: Account) -> Truth {
        match (self, account) {
            (Self::Unknown, _) => Truth::Unknown,
            (Self::Same, Account::Same) | (Self::Other, Account::Other) | (Self::Any, Account::Any) => Truth::Yes,
            _ => Truth::No,
        }
    }
}
