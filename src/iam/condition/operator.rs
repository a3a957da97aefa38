//! Condition operators. IAM User Guide, "IAM JSON policy elements: Condition operators".

pub use crate::terms::{OperatorFamily, SetOperator};

/// Every operator without set prefix and `IfExists`, as AWS spells it.
pub const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// An operator, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// As AWS spells it, without prefix and `IfExists`.
    pub name: &'static str,
    pub family: OperatorFamily,
    /// `…Not…`: true where the value differs, and where the key is absent.
    pub negated: bool,
    /// `*` and `?` in values are wildcards: `StringLike`, and both spellings of the ARN operators.
    pub wildcards: bool,
    pub set: Option<SetOperator>,
    pub if_exists: bool,
}

impl Operator {
    /// Case does not count. `None` for what IAM has no operator for.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (set, rest) = match lower.split_once(':') {
            Some(("foranyvalue", rest)) => (Some(SetOperator::ForAnyValue), rest),
            Some(("forallvalues", rest)) => (Some(SetOperator::ForAllValues), rest),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let name = OPERATORS.iter().copied().find(|o| o.eq_ignore_ascii_case(base))?;
        let family = match base {
            b if b.starts_with("string") => OperatorFamily::String,
            b if b.starts_with("numeric") => OperatorFamily::Numeric,
            b if b.starts_with("date") => OperatorFamily::Date,
            b if b.starts_with("arn") => OperatorFamily::Arn,
            b if b.ends_with("ipaddress") => OperatorFamily::IpAddress,
            "bool" => OperatorFamily::Bool,
            "null" => OperatorFamily::Null,
            _ => OperatorFamily::Binary,
        };
        Some(Self {
            name,
            family,
            negated: base.contains("not"),
            wildcards: family == OperatorFamily::Arn || base.ends_with("like"),
            set,
            if_exists,
        })
    }

    pub fn is_for_all_values(self) -> bool {
        self.set == Some(SetOperator::ForAllValues)
    }

    /// What it is for a request that does not have the key, but for `Null`, which asks just that.
    /// IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
    pub fn without_key(self) -> bool {
        match self.set {
            _ if self.if_exists => true,
            Some(SetOperator::ForAllValues) => true,
            Some(SetOperator::ForAnyValue) => false,
            None => self.negated,
        }
    }

    /// Numbers and dates: an upper bound.
    pub fn is_upper_bound(self) -> bool {
        self.name.contains("LessThan")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        let o = Operator::parse("ForAllValues:StringNotLikeIfExists").unwrap();
        assert_eq!((o.name, o.family), ("StringNotLike", OperatorFamily::String));
        assert!(o.negated && o.wildcards && o.if_exists && o.is_for_all_values());
        let o = Operator::parse("arnequals").unwrap();
        assert!(o.wildcards && !o.negated && o.set.is_none());
        assert_eq!(
            Operator::parse("NotIpAddress").map(|o| (o.family, o.negated)),
            Some((OperatorFamily::IpAddress, true))
        );
        for wrong in ["StringMatches", "", "ForSome:StringLike", "ForAnyValue:", "StringEqual"] {
            assert_eq!(Operator::parse(wrong), None, "{wrong}");
        }
        for name in OPERATORS {
            assert_eq!(Operator::parse(name).map(|o| o.name), Some(*name));
        }
    }
}
