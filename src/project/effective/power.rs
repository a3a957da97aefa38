//! What counts as an administrator: the one definition.
//!
//! IAM User Guide, "Policies and permissions in IAM"; Rhino Security Labs, "AWS IAM privilege escalation".

use super::{Effective, EffectiveGrant};
use crate::iam::ActionSet;
pub use crate::iam::administration::is_majority;
use crate::iam::administration::keys_to_all;
use crate::iam::arn::{Arn, Breadth};
use crate::source::Span;

/// In which way actions that are allowed on every resource and without a condition make an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Most actions, and with them the rest.
    Everything,
    /// The holder can give itself any permission.
    Permissions,
    /// Most actions, but none that gives the rest.
    Most,
}

impl Reach {
    /// Of what is allowed on every resource, without a condition; `None` for less than an administrator.
    pub fn new(actions: &ActionSet) -> Option<Self> {
        match (
            actions.intersects(keys_to_all()),
            is_majority(actions, &ActionSet::all()),
        ) {
            (true, true) => Some(Self::Everything),
            (true, false) => Some(Self::Permissions),
            (false, true) => Some(Self::Most),
            (false, false) => None,
        }
    }

    /// For a label.
    pub fn text(self) -> &'static str {
        match self {
            Self::Everything => "every action on every resource",
            Self::Permissions => "can grant itself any permission",
            Self::Most => "most actions on every resource",
        }
    }
}

/// Why an identity is as good as an administrator.
#[derive(Clone, Debug)]
pub struct Power<'p> {
    pub grant: EffectiveGrant<'p>,
    pub reach: Reach,
    /// The token that grants it.
    pub span: Span,
}

impl<'p> Effective<'p> {
    /// The grant that makes the identity as good as an administrator, if there is one that certainly does: it is on every
    /// resource and without a condition, and neither a Deny nor the boundary takes it away.
    pub fn admin_power(&self) -> Option<Power<'p>> {
        if self.boundary.as_ref().is_some_and(|b| !b.complete) {
            return None;
        }
        let withheld = self.withheld();
        let wide: Vec<(&EffectiveGrant<'p>, ActionSet)> = self
            .grants
            .iter()
            .filter_map(|g| Some((g, self.wide_actions(g, &withheld)?)))
            .collect();
        let alone = wide
            .iter()
            .find_map(|(g, actions)| Some((*g, Reach::new(actions)?, actions)));
        let mut together = ActionSet::empty();
        wide.iter().for_each(|(_, actions)| together.union_with(actions));
        let (g, reach, actions) = match (alone, Reach::new(&together)) {
            (Some((_, Reach::Everything, _)), _) | (_, None) => alone?,
            // Of several that make one only together, the one with most of it.
            (_, Some(Reach::Everything)) => {
                let most = wide.iter().rev().max_by_key(|(_, actions)| actions.len())?;
                (most.0, Reach::Everything, &most.1)
            }
            (Some(alone), Some(_)) => alone,
            (None, Some(reach)) => {
                let most = wide.iter().rev().max_by_key(|(_, actions)| actions.len())?;
                (most.0, reach, &most.1)
            }
        };
        let shown = actions
            .iter()
            .find(|a| keys_to_all().contains(a.id()))
            .or_else(|| actions.iter().next())?;
        Some(Power {
            grant: g.clone(),
            reach,
            span: g.span(shown),
        })
    }

    /// What a grant allows on every resource and without a condition.
    fn wide_actions(&self, g: &EffectiveGrant<'p>, withheld: &ActionSet) -> Option<ActionSet> {
        let resource = g.statement.resource.as_ref()?;
        let mut wide = resource.items.iter().filter(|r| r.breadth().is_star_like()).peekable();
        if resource.negated || wide.peek().is_none() || g.is_narrowed() {
            return None;
        }
        let mut actions = g.actions.clone().into_owned();
        if !resource.items.iter().any(|r| r.breadth() == Breadth::Everything) {
            // All resources of a service are nothing to the actions of others.
            let services: Vec<String> = wide
                .filter_map(|r| Some(format!("{}:", Arn::parse(&r.text)?.service()?)))
                .collect();
            let others = actions
                .iter()
                .filter(|a| !services.iter().any(|s| a.name().starts_with(s.as_str())));
            actions.subtract(&others.collect());
        }
        actions.subtract(withheld);
        if let Some(b) = &self.boundary {
            actions.intersect(&b.everywhere);
        }
        Some(actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::administration::KEYS_TO_ALL;
    use crate::iam::catalogue;
    use crate::iam::condition::strength;
    use crate::iam::managed::ADMINISTRATORS;
    use crate::project::AwsManaged;

    fn reach(patterns: &[&str]) -> Option<Reach> {
        Reach::new(&ActionSet::expand_all(patterns.iter().copied()))
    }

    #[test]
    fn what_makes_an_administrator() {
        assert_eq!(reach(&["*"]), Some(Reach::Everything));
        assert_eq!(reach(&["iam:*"]), Some(Reach::Permissions));
        assert_eq!(reach(&["iam:AttachRolePolicy"]), Some(Reach::Permissions));
        assert_eq!(reach(&["s3:*", "ec2:*", "lambda:*"]), None);
        assert_eq!(reach(&["iam:Get*", "iam:List*", "iam:PassRole"]), None);
        let mut all = ActionSet::all();
        all.subtract(&ActionSet::expand("iam:*"));
        assert_eq!(Reach::new(&all), Some(Reach::Most));
    }

    #[test]
    fn what_only_reads_is_no_administrator() {
        assert_eq!(reach(&["*:Get*", "*:List*", "*:Describe*"]), None);
        let reads: ActionSet = ActionSet::all().iter().filter(|a| !a.level().changes()).collect();
        assert_eq!(Reach::new(&reads), None);
    }

    #[test]
    fn most_is_counted_in_what_changes() {
        let set = |p: &[&str]| ActionSet::expand_all(p.iter().copied());
        assert!(is_majority(&set(&["s3:*"]), &set(&["s3:*"])));
        assert!(!is_majority(&set(&["s3:Get*", "s3:List*"]), &set(&["s3:*"])));
        assert!(is_majority(&set(&["s3:Get*"]), &set(&["s3:Get*", "s3:ListBucket"])));
        // What is not among them does not count.
        assert!(!is_majority(&set(&["ec2:*"]), &set(&["s3:*"])));
    }

    #[test]
    fn the_managed_policies_that_make_one() {
        let of = |name: &str| {
            let granted = AwsManaged::by_name(name).expect("a managed policy").granted();
            let mut all = ActionSet::empty();
            granted.allowed.iter().for_each(|a| all.union_with(&a.actions));
            Reach::new(&all)
        };
        assert_eq!(of("AdministratorAccess"), Some(Reach::Everything));
        assert_eq!(of("IAMFullAccess"), Some(Reach::Permissions));
        assert_eq!(of("PowerUserAccess"), Some(Reach::Most));
        assert_eq!(of("ReadOnlyAccess"), None);
        assert_eq!(of("AmazonS3FullAccess"), None);
    }

    #[test]
    fn the_managed_policies_with_which_one_can_have_everything() {
        let keys: Vec<_> = KEYS_TO_ALL.iter().filter_map(|k| catalogue().action(k)).collect();
        let gives_all = |name: &str| {
            AwsManaged::by_name(name).is_some_and(|policy| {
                policy.granted().allowed.iter().any(|allowed| {
                    let s = &policy.document().statements[allowed.statement];
                    let resource = s.resource.as_ref().filter(|r| !r.negated);
                    resource.is_some_and(|r| r.items.iter().any(|r| r.breadth().is_star_like()))
                        && !strength(s).narrows()
                        && keys.iter().any(|k| allowed.actions.contains(k.id()))
                })
            })
        };
        let names: Vec<&str> = catalogue()
            .managed_policies()
            .filter(|policy| !policy.deprecated && gives_all(policy.name))
            .map(|policy| policy.arn.strip_prefix("arn:aws:iam::aws:policy/").unwrap())
            .collect();
        assert_eq!(names, ADMINISTRATORS);
    }
}
