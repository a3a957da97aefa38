//! What conditions on what is given to others let through.

use super::*;

/// What a value of `iam:PolicyARN` and of `iam:PermissionsBoundary` lets through.
#[test]
fn policies_that_may_be_given() {
    use Grade::*;
    for (operator, values, grade) in [
        ("ArnEquals", &["arn:aws:iam::aws:policy/ReadOnlyAccess"][..], Narrows),
        (
            "ArnEquals",
            &["arn:aws:iam::aws:policy/AdministratorAccess"],
            Decoration,
        ),
        ("StringEquals", &["arn:aws:iam::aws:policy/IAMFullAccess"], Decoration),
        (
            "StringEquals",
            &["arn:aws-cn:iam::aws:policy/IAMFullAccess"],
            Decoration,
        ),
        (
            "ArnEquals",
            &["arn:‹partition›:iam::aws:policy/AdministratorAccess"],
            Decoration,
        ),
        (
            "ArnEquals",
            &[
                "arn:aws:iam::aws:policy/ReadOnlyAccess",
                "arn:aws:iam::aws:policy/AdministratorAccess",
            ],
            Decoration,
        ),
        ("ArnLike", &["arn:aws:iam::aws:policy/*"], Decoration),
        ("ArnLike", &["arn:aws:iam::*:policy/*"], Decoration),
        ("ArnLike", &["arn:aws:iam::aws:policy/Admin*"], Decoration),
        ("StringLike", &["*/IAM*"], Decoration),
        ("StringLike", &["*"], Decoration),
        ("StringEquals", &["arn:aws:iam::aws:policy/*"], Narrows),
        ("ArnLike", &["arn:aws:iam::aws:policy/service-role/*"], Narrows),
        ("ArnLike", &["arn:aws:iam::111122223333:policy/*"], Narrows),
        ("ArnLike", &["arn:aws:iam::‹account›:policy/*"], Narrows),
        ("ArnLike", &["arn:aws:iam::*:policy/app-*"], Narrows),
        ("ArnLike", &["‹v›"], Narrows),
        ("ArnLike", &["arn:aws:iam::aws:policy/‹v›"], Narrows),
        (
            "ArnNotEquals",
            &["arn:aws:iam::aws:policy/AdministratorAccess"],
            Decoration,
        ),
        ("ArnNotLike", &["arn:aws:iam::aws:policy/*"], Narrows),
        ("ArnNotEquals", &["‹v›"], Narrows),
        ("ArnEquals", &["arn:aws:iam::aws:policy/PowerUserAccess"], Narrows),
    ] {
        for key in ["iam:PolicyARN", "iam:PermissionsBoundary"] {
            assert_eq!(one(operator, key, values).grade, grade, "{operator} {key} {values:?}");
        }
        let c = condition(operator, "iam:PolicyARN", values.iter().map(|v| text(v)).collect());
        let anything = grade == Decoration && !operator.contains("Not");
        assert!(
            operator.contains("Not") || is_unrestrictive(&c) == anything,
            "{operator} {values:?}"
        );
    }
}
