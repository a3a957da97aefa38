//! Known ways to more permissions: `rules/facts/hand/escalation.txt`.

use std::sync::OnceLock;

use super::pass_role::is_every_role;
use crate::iam::arn::{self, Breadth};
use crate::iam::condition::{Family, Grade, Operator, strength};
use crate::iam::pattern::{self, Pattern};
use crate::iam::{Action, Item, Statement, catalogue};

/// What makes a way dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// On one's own policies or groups.
    Own,
    /// On another principal, who is taken over.
    Other,
    /// A role handed to something new.
    Pass,
    /// Through something that runs already.
    Target,
}

pub(super) struct Way {
    pub(super) how: How,
    pub(super) actions: Vec<&'static str>,
    /// The same, looked up.
    pub(super) ids: Vec<Action>,
    pub(super) what: &'static str,
}

impl Way {
    /// The first part of the principal of the service that gets the role: `lambda`, `ecs` for `ecs-tasks.amazonaws.com`.
    pub(super) fn service(&self) -> &'static str {
        let action = self.actions.iter().find(|a| !a.starts_with("iam:"));
        match action.and_then(|a| a.split(':').next()) {
            Some("autoscaling") => "ec2",
            Some(prefix) => prefix,
            None => "",
        }
    }
}

/// The table, read on first use.
pub(super) fn ways() -> &'static [Way] {
    static WAYS: OnceLock<Vec<Way>> = OnceLock::new();
    WAYS.get_or_init(|| {
        include_str!("../../../rules/facts/hand/escalation.txt")
            .lines()
            .filter(|l| !l.starts_with('#'))
            .filter_map(|l| {
                let mut fields = l.split('\t');
                let _name = fields.next()?;
                let how = match fields.next()? {
                    "self" => How::Own,
                    "other" => How::Other,
                    "pass" => How::Pass,
                    _ => How::Target,
                };
                let actions: Vec<_> = fields.next()?.split(' ').collect();
                let ids = actions.iter().map(|a| catalogue().action(a)).collect::<Option<_>>()?;
                let what = fields.next()?;
                Some(Way {
                    how,
                    actions,
                    ids,
                    what,
                })
            })
            .collect()
    })
}

/// Whether a statement that grants `action` grants it widely enough for the way.
pub(super) fn suits(s: &Statement, action: Action, way: &Way) -> bool {
    let how = way.how;
    let pass = action.name() == "iam:PassRole";
    if pass && !passes_to(s, way.service()) {
        return false;
    }
    if matches!(how, How::Own | How::Other) && strength(s).limits_what_is_given() {
        return false;
    }
    let Some(resource) = &s.resource else { return false };
    // A star is every role, and reaches whatever the action takes.
    resource.negated
        || resource.items.iter().any(|r| pattern::is_star(&r.text))
        || resource.items.iter().any(|r| match how {
            How::Pass if pass => is_every_role(r),
            // What is made anew may be named in advance.
            How::Pass => arn::widest(&r.text) != Breadth::Unknown || r.text.as_hole().is_none(),
            How::Own | How::Other | How::Target => arn::widest(&r.text) <= Breadth::WholeType && reaches(r, action),
        })
}

/// Whether some resource of the action may be among those that an item means.
fn reaches(r: &Item, action: Action) -> bool {
    let arn = Pattern::resource(&r.text);
    action.resource_types().len() == 0 || action.resource_types().any(|t| t.fits(&arn).may_be())
}

/// Whether a statement lets roles be passed to the service: no condition on `iam:PassedToService`, or one that names it.
pub(super) fn passes_to(s: &Statement, service: &str) -> bool {
    if !strength(s).has("iam:PassedToService", Grade::Narrows) {
        return true;
    }
    s.conditions
        .iter()
        .filter(|c| c.key.text.display().eq_ignore_ascii_case("iam:PassedToService"))
        .all(|c| {
            let operator = c.operator.text.known().and_then(|o| Operator::parse(&o));
            let named = |v: &Item| v.text.known().is_some_and(|v| is_service(&v, service));
            operator.is_some_and(|o| o.family == Family::String && !o.negated) && c.values.iter().any(named)
        })
}

/// Whether `principal` (`ecs-tasks.amazonaws.com`, `tasks.apprunner.amazonaws.com`) is one of the service's.
pub(super) fn is_service(principal: &str, service: &str) -> bool {
    let own = |part: &str| {
        part.strip_prefix(service)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    principal.split('.').any(own)
}

/// At most 60 characters, as labels are.
pub(super) fn clip(what: &str) -> String {
    if what.chars().count() <= 60 {
        what.to_owned()
    } else {
        what.chars().take(59).chain(['…']).collect()
    }
}
