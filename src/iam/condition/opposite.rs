//! Conditions that are met exactly where others are not.
//! IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".

use super::operator::{Operator, SetOperator};
use crate::iam::variables::variables;
use crate::iam::{ClauseItem, Condition};
use crate::source::Text;
use crate::terms::OperatorFamily;

impl Operator {
    /// The operator that is met with the same values exactly where this one is not, as it is written; `None` where there is not
    /// one, and for those whose values change (`Bool`, `Null`).
    pub fn opposite(self) -> Option<String> {
        const ORDERS: [(&str, &str); 2] = [("LessThan", "GreaterThanEquals"), ("LessThanEquals", "GreaterThan")];
        let swap = |name: &str| {
            let (family, order) = ["Numeric", "Date"]
                .iter()
                .find_map(|f| Some((*f, name.strip_prefix(f)?)))?;
            let either = ORDERS.iter().flat_map(|(a, b)| [(a, b), (b, a)]);
            let other = either
                .into_iter()
                .find_map(|(from, to)| (*from == order).then_some(to))?;
            Some(format!("{family}{other}"))
        };
        let ordered = swap(self.name);
        let name = match (self.family, &ordered) {
            (OperatorFamily::Bool | OperatorFamily::Null | OperatorFamily::Binary, _) => return None,
            (_, Some(other)) => other.clone(),
            _ if self.negated => self.name.replacen("Not", "", 1),
            (OperatorFamily::IpAddress, None) => format!("Not{}", self.name),
            _ => {
                let at = ["String", "Arn", "Numeric", "Date"]
                    .iter()
                    .find(|f| self.name.starts_with(**f))?;
                self.name.replacen(at, &format!("{at}Not"), 1)
            }
        };
        match self.set {
            Some(SetOperator::ForAllValues) => Some(format!("ForAnyValue:{name}")),
            Some(SetOperator::ForAnyValue) => (!self.if_exists).then(|| format!("ForAllValues:{name}")),
            None if ordered.is_some() => Some(name + if self.if_exists { "" } else { "IfExists" }),
            None => (self.negated || !self.if_exists).then_some(name),
        }
    }
}

impl Condition {
    /// The condition that is met exactly where this one is not; `None` where no single one is, or a part is not known.
    pub fn opposite(&self) -> Option<Self> {
        let is_plain = |i: &ClauseItem| i.branch.is_none() && variables(&i.text.with_placeholders()).is_empty();
        let operator = self.parsed.filter(|_| self.complete && is_plain(&self.key))?;
        let is_flag = matches!(operator.family, OperatorFamily::Bool | OperatorFamily::Null) && operator.set.is_none();
        let mut values = self.values.clone();
        let name = match values.as_mut_slice() {
            [only] if is_flag => {
                let other = match only.text.known()?.to_lowercase().as_str() {
                    "true" => "false",
                    "false" => "true",
                    _ => return None,
                };
                only.text = Text::synthetic(other, only.span);
                match (operator.family, operator.if_exists) {
                    (OperatorFamily::Bool, false) => "BoolIfExists".to_owned(),
                    _ => operator.name.to_owned(),
                }
            }
            _ => operator.opposite()?,
        };
        if !self.values.iter().all(is_plain) {
            return None;
        }
        let mut written = self.operator.clone();
        written.text = Text::synthetic(&name, written.span);
        Some(Self {
            values,
            list: self.list,
            span: self.span,
            ..Self::new(written, self.key.clone(), self.span)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposites() {
        for (operator, expected) in [
            ("StringEquals", Some("StringNotEquals")),
            ("StringNotEqualsIgnoreCase", Some("StringEqualsIgnoreCase")),
            ("StringNotLikeIfExists", Some("StringLike")),
            ("StringLikeIfExists", None),
            ("ArnLike", Some("ArnNotLike")),
            ("IpAddress", Some("NotIpAddress")),
            ("NotIpAddress", Some("IpAddress")),
            ("NumericEquals", Some("NumericNotEquals")),
            ("NumericLessThan", Some("NumericGreaterThanEqualsIfExists")),
            ("DateGreaterThanIfExists", Some("DateLessThanEquals")),
            ("ForAnyValue:StringEquals", Some("ForAllValues:StringNotEquals")),
            ("ForAnyValue:StringEqualsIfExists", None),
            ("ForAllValues:StringLike", Some("ForAnyValue:StringNotLike")),
            ("Bool", None),
            ("Null", None),
            ("BinaryEquals", None),
        ] {
            let found = Operator::parse(operator).and_then(Operator::opposite);
            assert_eq!(found.as_deref(), expected, "{operator}");
            assert!(found.is_none_or(|o| Operator::parse(&o).is_some()), "{operator}");
        }
    }
}
