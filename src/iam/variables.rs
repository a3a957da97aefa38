//! Policy variables. IAM User Guide, "IAM policy elements: Variables and tags".

use std::ops::Range;

/// One `${…}` of a policy string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// With `${` and `}`; to the end of the text where it is not closed.
    pub range: Range<usize>,
    /// `aws:username`, `aws:PrincipalTag/team`; empty for a broken one.
    pub name: String,
    /// `${aws:PrincipalTag/team, 'none'}`.
    pub default: Option<String>,
    pub problem: Option<VariableProblem>,
}

/// What is wrong with the spelling of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableProblem {
    /// No `}`.
    NotClosed,
    /// `${}`.
    Empty,
    /// `${ aws:username }`.
    Space,
    /// `${a${b}}`.
    Nested,
    /// No `prefix:name`.
    NoPrefix,
    /// The default is not in single quotes.
    Default,
}

impl VariableProblem {
    /// For messages: "the variable … ".
    pub fn text(self) -> &'static str {
        match self {
            Self::NotClosed => "is not closed",
            Self::Empty => "is empty",
            Self::Space => "contains white space",
            Self::Nested => "is nested in another variable",
            Self::NoPrefix => "has no prefix such as `aws:`",
            Self::Default => "has a default without single quotes",
        }
    }
}

/// Every variable of `text`, in order. `${*}`, `${?}` and `${$}` are plain characters and not among them.
pub fn variables(text: &str) -> Vec<Variable> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        let inner_start = start + 2;
        let Some(len) = text[inner_start..].find('}') else {
            out.push(Variable {
                range: start..text.len(),
                name: String::new(),
                default: None,
                problem: Some(VariableProblem::NotClosed),
            });
            break;
        };
        let end = inner_start + len + 1;
        let inner = &text[inner_start..end - 1];
        at = end;
        if matches!(inner, "*" | "?" | "$") {
            continue;
        }
        out.push(read(inner, start..end));
    }
    out
}

/// Whether `text` has a well-formed policy variable.
pub fn has_variable(text: &str) -> bool {
    text.contains("${") && variables(text).iter().any(|v| v.problem.is_none())
}

/// Whether `text` has a character that only templates have: a tool, or a variable, may replace what follows.
pub fn may_be_template(text: &str) -> bool {
    text.contains(['{', '<', '%', '$'])
}

fn read(inner: &str, range: Range<usize>) -> Variable {
    let (name, default) = match inner.split_once(',') {
        Some((name, default)) => (name, Some(default.trim())),
        None => (inner, None),
    };
    let quoted = default.map(|d| {
        d.strip_prefix('\'')
            .and_then(|d| d.strip_suffix('\''))
            .map(str::to_owned)
    });
    let problem = if inner.contains("${") {
        Some(VariableProblem::Nested)
    } else if inner.trim().is_empty() {
        Some(VariableProblem::Empty)
    } else if name != name.trim() || (!name.contains('/') && name.contains(char::is_whitespace)) {
        Some(VariableProblem::Space)
    } else if !name.contains(':') {
        Some(VariableProblem::NoPrefix)
    } else if matches!(quoted, Some(None)) {
        Some(VariableProblem::Default)
    } else {
        None
    };
    Variable {
        range,
        name: name.trim().to_owned(),
        default: quoted.flatten(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling() {
        for (text, expected) in [
            ("${aws:username}", vec![("aws:username", None, None)]),
            (
                "a/${aws:PrincipalTag/team, 'none'}/x",
                vec![("aws:PrincipalTag/team", Some("none"), None)],
            ),
            ("${*}${?}${$}", vec![]),
            (
                "${aws:PrincipalTag/cost center}",
                vec![("aws:PrincipalTag/cost center", None, None)],
            ),
            ("${}", vec![("", None, Some(VariableProblem::Empty))]),
            (
                "${ aws:username }",
                vec![("aws:username", None, Some(VariableProblem::Space))],
            ),
            ("${username}", vec![("username", None, Some(VariableProblem::NoPrefix))]),
            ("${aws:username", vec![("", None, Some(VariableProblem::NotClosed))]),
            ("${aws:x, none}", vec![("aws:x", None, Some(VariableProblem::Default))]),
            ("$aws:x", vec![]),
        ] {
            let found: Vec<_> = variables(text)
                .into_iter()
                .map(|v| (v.name, v.default, v.problem))
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(n, d, p)| (n.to_owned(), d.map(str::to_owned), p))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(variables("ab${aws:x}")[0].range, 2..10);
    }
}
