//! Who asks, as a text: one language for principals of every type and for the condition keys that repeat them.
//!
//! | caller | text |
//! |---|---|
//! | role, user, or root user | `A:` and the ARN; of a session of a role, the ARN of the role, `\|`, and the name of the session |
//! | service | `S:` and its name |
//! | web identity or SAML provider | `F:` and its ARN or host |
//! | canonical user | `C:` and the ID |
//! | anonymous | `N` |

use super::glob::{Reading, Sym, Symbols, TextGlob, Unreadable, is_symbol};
use super::request::WitnessPrincipal;
use crate::iam::condition::{Operator, OperatorFamily};
use crate::iam::{Condition, PrincipalItem, PrincipalType};
use crate::source::Text;

/// IAM User Guide, "IAM identifiers", "IAM ARNs".
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Every caller there can be: of an identity policy, those that can have one.
pub(super) fn every_caller(has_principals: bool) -> Vec<TextGlob> {
    let mut out = Vec::new();
    let partitions = PARTITIONS
        .map(TextGlob::literal)
        .into_iter()
        .chain([TextGlob::new([Sym::Symbol])]);
    for partition in partitions {
        let head = TextGlob::literal("A:arn:")
            .then(&partition)
            .then(&TextGlob::literal(":iam::"));
        let accounts = [TextGlob::new([Sym::Digit; 12]), TextGlob::new([Sym::Symbol])];
        for account in accounts {
            for kind in [":role/", ":user/"] {
                let tail = TextGlob::literal(kind).then(&TextGlob::new([Sym::One, Sym::Star]));
                out.push(head.then(&account).then(&tail));
            }
            if has_principals {
                out.push(head.then(&account).then(&TextGlob::literal(":root")));
            }
        }
    }
    if has_principals {
        out.push(TextGlob::plain("A:arn:aws:iam::cloudfront:user/?*"));
        // An ARN that is not known.
        out.push(TextGlob::literal("A:").then(&TextGlob::new([Sym::Symbol])));
        out.extend(["S:?*", "F:?*", "C:?*", "N"].map(TextGlob::plain));
        out.extend(["S:", "F:", "C:"].map(|head| TextGlob::literal(head).then(&TextGlob::new([Sym::Symbol]))));
    }
    out
}

/// Callers that read well.
pub(super) fn samples(has_principals: bool) -> Vec<String> {
    let mut out = vec![
        "A:arn:aws:iam::111122223333:role/example".to_owned(),
        "A:arn:aws:iam::444455556666:role/example".to_owned(),
        "A:arn:aws:iam::111122223333:user/example".to_owned(),
    ];
    if has_principals {
        out.extend(
            [
                "S:ec2.amazonaws.com",
                "S:lambda.amazonaws.com",
                "F:arn:aws:iam::111122223333:oidc-provider/example.com",
                "F:arn:aws:iam::111122223333:saml-provider/example",
                "N",
            ]
            .map(str::to_owned),
        );
    }
    out
}

/// A role of each account that the patterns name.
pub(super) fn samples_of(globs: &[TextGlob]) -> Vec<String> {
    let mut out = Vec::new();
    for glob in globs {
        let known = glob.syms().iter().map(|s| match s {
            Sym::Char(c) => *c,
            _ => '*',
        });
        let known: String = known.collect();
        let account = known.split(":iam::").nth(1).and_then(|rest| rest.get(..12));
        if let Some(account) = account.filter(|a| a.bytes().all(|b| b.is_ascii_digit())) {
            out.push(format!("A:arn:aws:iam::{account}:role/example"));
        }
    }
    out
}

/// A pattern of callers. A `*` before the name stays in its field: names of sessions have colons.
pub(super) fn pattern(text: &str) -> TextGlob {
    let mut colons = 0;
    TextGlob::new(text.chars().map(|c| {
        colons += usize::from(c == ':');
        match c {
            '*' if colons < 6 => Sym::Field,
            '*' => Sym::Star,
            c => Sym::Char(c),
        }
    }))
}

/// Whom an item of `Principal` names; `None` where AWS has no such principal.
pub(super) fn named(
    item: &PrincipalItem,
    widest: bool,
    symbols: &mut Symbols,
) -> Result<Option<Vec<TextGlob>>, Unreadable> {
    let reading = Reading {
        widest,
        ..Reading::default()
    };
    let text = &item.value.text;
    let whole = text.as_hole().map(|h| (h.name.to_string(), item.kind));
    symbols.principals.extend(whole);
    let of_kind = |head: &str, symbols: &mut Symbols| {
        let value = match is_star(text) {
            true => TextGlob::any(),
            false => TextGlob::read(text, reading, symbols)?,
        };
        Ok(Some(vec![TextGlob::literal(head).then(&value)]))
    };
    match item.kind {
        PrincipalType::Everyone => Ok(Some(vec![TextGlob::any()])),
        // The same as the bare `*`. IAM User Guide, "AWS JSON policy elements: Principal", "All principals".
        PrincipalType::Aws if is_star(text) => Ok(Some(vec![TextGlob::any()])),
        PrincipalType::Aws => TextGlob::read(text, reading, symbols).map(|g| aws(&g)),
        PrincipalType::Service => of_kind("S:", symbols),
        PrincipalType::Federated => of_kind("F:", symbols),
        PrincipalType::CanonicalUser => of_kind("C:", symbols),
        PrincipalType::Unknown => Ok(None),
    }
}

/// Whom `NotPrincipal` leaves out of a Deny: principals of which the account is named too. An account alone leaves out its
/// root user. IAM User Guide, "AWS JSON policy elements: NotPrincipal", as in `access/principal.rs`.
pub(super) fn left_out(items: &[&PrincipalItem], symbols: &mut Symbols) -> Result<Vec<TextGlob>, Unreadable> {
    let of_aws = |i: &&&PrincipalItem| i.kind == PrincipalType::Aws;
    if items
        .iter()
        .any(|i| i.kind == PrincipalType::Everyone || of_aws(&i) && is_star(&i.value.text))
    {
        return Ok(vec![TextGlob::any()]);
    }
    let mut out = Vec::new();
    let known: Vec<String> = items
        .iter()
        .filter(of_aws)
        .map(|i| i.value.text.known().map(|t| t.into_owned()))
        .collect::<Option<_>>()
        .ok_or(Unreadable::Variable)?;
    let account_of = |text: &str| match text.strip_suffix(":root") {
        Some(_) => text.split(':').nth(4).map(str::to_owned),
        None => (!text.contains(':')).then(|| text.to_owned()),
    };
    let accounts: Vec<String> = known.iter().filter_map(|t| account_of(t)).collect();
    for account in &accounts {
        out.push(pattern(&format!("A:arn:*:iam::{account}:root")));
    }
    let sessions = |role: &str| {
        let name = role.rsplit('/').next().unwrap_or(role);
        let account = role.split(':').nth(4).unwrap_or_default();
        let head = format!(":sts::{account}:assumed-role/{name}/");
        known.iter().filter(move |t| t.contains(&head))
    };
    for text in &known {
        let named = text
            .split(':')
            .nth(4)
            .is_some_and(|a| accounts.iter().any(|own| own == a));
        if !named || text.ends_with(":root") || !text.contains(":iam:") {
            continue;
        }
        let own = TextGlob::literal("A:").then(&TextGlob::literal(text));
        if text.contains(":role/") {
            let mut any = false;
            for session in sessions(text).filter_map(|s| s.rsplit('/').next()) {
                any = true;
                out.push(own.then(&TextGlob::literal("|")).then(&TextGlob::literal(session)));
            }
            if !any {
                out.push(own.then(&TextGlob::plain("|?*")));
            }
        }
        out.push(own);
    }
    for item in items.iter().filter(|i| !of_aws(i)) {
        out.extend(named(item, false, symbols)?.unwrap_or_default());
    }
    Ok(out)
}

fn is_star(text: &Text) -> bool {
    text.known().is_some_and(|t| t == "*")
}

/// A principal of AWS: an account, or an ARN. An account stands for everyone in it, and a role for its sessions.
/// IAM User Guide, "AWS JSON policy elements: Principal", "AWS account principals", "IAM role principals", and "Role session
/// principals".
fn aws(text: &TextGlob) -> Option<Vec<TextGlob>> {
    let syms = text.syms();
    let fields: Vec<&[Sym]> = syms.splitn(6, |s| *s == Sym::Char(':')).collect();
    let known = |part: &[Sym]| -> String {
        let chars = part.iter().filter_map(|s| match s {
            Sym::Char(c) => Some(*c),
            _ => None,
        });
        chars.collect()
    };
    let whole = known(syms);
    if let [Sym::Char(c)] = syms
        && is_symbol(*c)
    {
        // An account or an ARN: whichever it is, it is itself.
        return Some(vec![TextGlob::literal("A:").then(text), account(syms)]);
    }
    if syms.len() == 12 && whole.len() == 12 && whole.bytes().all(|b| b.is_ascii_digit()) {
        return Some(vec![account(syms)]);
    }
    let [_, _, service, _, owner, resource] = *fields.as_slice() else {
        // A unique ID: the principal that it was is gone.
        let is_id = whole.len() >= 16 && whole.bytes().all(|b| b.is_ascii_alphanumeric());
        let is_open = syms.contains(&Sym::Star);
        return (is_id || is_open).then(|| vec![TextGlob::literal("A:").then(text)]);
    };
    if resource.contains(&Sym::Char('*')) || owner.contains(&Sym::Char('*')) {
        return None;
    }
    let kind = known(resource);
    if kind == "root" && resource.len() == 4 {
        return Some(vec![account(owner)]);
    }
    let sts = known(service) == "sts";
    if let Some(rest) = kind.strip_prefix("assumed-role/").filter(|_| sts) {
        let (role, session) = rest.split_once('/')?;
        let head = TextGlob::new("A:arn:".chars().map(Sym::Char).chain([Sym::Field]));
        let of_account = |path: &str| {
            let tail = format!(":role/{path}{role}|{session}");
            let tail = tail.chars().map(|c| if c == '*' { Sym::Star } else { Sym::Char(c) });
            head.then(&TextGlob::literal(":iam::"))
                .then(&TextGlob::new(owner.iter().copied()))
                .then(&TextGlob::new(tail))
        };
        return Some(vec![of_account(""), of_account("*/")]);
    }
    let own = TextGlob::literal("A:").then(text);
    let sessions = own.then(&TextGlob::plain("|?*"));
    Some(if kind.starts_with("role/") {
        vec![own, sessions]
    } else {
        vec![own]
    })
}

/// Everyone in an account, of whatever partition.
fn account(id: &[Sym]) -> TextGlob {
    let head = TextGlob::new("A:arn:".chars().map(Sym::Char).chain([Sym::Field]));
    head.then(&TextGlob::literal(":iam::"))
        .then(&TextGlob::new(id.iter().copied()))
        .then(&TextGlob::plain(":*"))
}

/// The callers that a condition on a key that repeats the principal lets through, and whether it is all others; `None` for
/// other keys. IAM User Guide, "AWS global condition context keys", "Properties of the principal".
pub(super) fn of_condition(
    c: &Condition,
    operator: Operator,
    variables: bool,
    widest: bool,
    symbols: &mut Symbols,
) -> Option<Result<(Vec<TextGlob>, bool), Unreadable>> {
    let key = CallerKey::of(&c.lower_key)?;
    if operator.family == OperatorFamily::Null {
        let mut wanted = c
            .values
            .iter()
            .map(|v| v.text.known().map(|t| t.eq_ignore_ascii_case("true")));
        return match (wanted.next(), wanted.next()) {
            (Some(Some(absent)), None) => Some(Ok((plain(key.present()), absent))),
            _ => None,
        };
    }
    let fits = match key {
        CallerKey::IsService => operator.family == OperatorFamily::Bool,
        _ => matches!(operator.family, OperatorFamily::String | OperatorFamily::Arn),
    };
    if !fits {
        return None;
    }
    let reading = Reading::of(operator, variables, widest);
    let mut globs = Vec::new();
    for v in &c.values {
        let value = match TextGlob::read(&v.text, reading, symbols) {
            Ok(value) => value,
            Err(e) => return Some(Err(e)),
        };
        globs.extend(key.callers(&value));
    }
    // Without the key, an operator is false or true whatever its values are.
    let holds = operator.without_key();
    if holds != operator.negated {
        globs.extend(plain(key.absent()));
    }
    Some(Ok((globs, operator.negated)))
}

/// A condition key that repeats the principal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CallerKey {
    Arn,
    Account,
    Kind,
    IsService,
    ServiceName,
}

/// What `aws:PrincipalType` says of callers.
const KINDS: [(&str, &str); 4] = [
    ("Account", "A:arn:*:iam::*:root"),
    ("User", "A:arn:*:iam::*:user/*"),
    ("AssumedRole", "A:arn:*:iam::*:role/*"),
    ("Anonymous", "N"),
];

impl CallerKey {
    fn of(lower_key: &str) -> Option<Self> {
        Some(match lower_key {
            "aws:principalarn" => Self::Arn,
            "aws:principalaccount" => Self::Account,
            "aws:principaltype" => Self::Kind,
            "aws:principalisawsservice" => Self::IsService,
            "aws:principalservicename" => Self::ServiceName,
            _ => return None,
        })
    }

    /// Callers that have the key.
    fn present(self) -> &'static [&'static str] {
        match self {
            Self::Arn => &["A:*"],
            Self::Account | Self::Kind => &["A:*", "N"],
            Self::IsService => &["A:*", "S:*"],
            Self::ServiceName => &["S:*"],
        }
    }

    fn absent(self) -> &'static [&'static str] {
        match self {
            Self::Arn => &["S:*", "F:*", "C:*", "N"],
            Self::Account | Self::Kind => &["S:*", "F:*", "C:*"],
            Self::IsService => &["F:*", "C:*", "N"],
            Self::ServiceName => &["A:*", "F:*", "C:*", "N"],
        }
    }

    /// Those for whom its value is one of these.
    fn callers(self, value: &TextGlob) -> Vec<TextGlob> {
        match self {
            Self::Arn => {
                let own = TextGlob::literal("A:").then(value);
                vec![own.then(&TextGlob::plain("|?*")), own]
            }
            Self::Account => {
                let anonymous = value.matches("anonymous").then(|| TextGlob::literal("N"));
                anonymous.into_iter().chain([account(value.syms())]).collect()
            }
            Self::Kind => {
                let fitting = KINDS.iter().filter(|(kind, _)| value.matches(kind));
                fitting.map(|(_, callers)| pattern(callers)).collect()
            }
            Self::IsService => {
                let both = [("true", "S:*"), ("false", "A:*")];
                let is = |text: &str| {
                    let chars = value.syms().iter().map(|s| match s {
                        Sym::Char(c) => *c,
                        _ => '*',
                    });
                    chars.collect::<String>().eq_ignore_ascii_case(text)
                };
                let fitting = both.iter().filter(|(text, _)| is(text));
                fitting.map(|(_, callers)| pattern(callers)).collect()
            }
            Self::ServiceName => vec![TextGlob::literal("S:").then(value)],
        }
    }
}

fn plain(texts: &[&str]) -> Vec<TextGlob> {
    texts.iter().map(|text| TextGlob::plain(text)).collect()
}

/// The caller that a text stands for, as a request writes it.
pub(super) fn shown(text: &str) -> WitnessPrincipal {
    let name = match text.split_once(':') {
        Some(("A", arn)) => match arn.split_once('|') {
            Some((role, session)) => {
                let role = role.replacen(":iam::", ":sts::", 1);
                let (head, path) = role.split_once(":role/").unwrap_or((&role, ""));
                let name = path.rsplit('/').next().unwrap_or(path);
                format!("{head}:assumed-role/{name}/{session}")
            }
            None => arn.to_owned(),
        },
        Some((_, rest)) => rest.to_owned(),
        None => return WitnessPrincipal::Anonymous,
    };
    WitnessPrincipal::Named(name)
}

/// The condition keys that repeat a caller, with their values.
pub(super) fn repeated_keys(caller: &str) -> Vec<(&'static str, String)> {
    let kind = |caller: &str| {
        let is_in = |(_, callers): &&(&str, &str)| pattern(callers).matches(caller);
        KINDS.iter().find(is_in).map(|(kind, _)| (*kind).to_owned())
    };
    match caller.split_once(':') {
        Some(("A", arn)) => {
            let own = arn.split('|').next().unwrap_or(arn);
            let account = own.split(':').nth(4).unwrap_or("");
            vec![
                ("aws:principalarn", own.to_owned()),
                ("aws:principalaccount", account.to_owned()),
                ("aws:principaltype", kind(caller).unwrap_or_default()),
                ("aws:principalisawsservice", "false".to_owned()),
            ]
        }
        Some(("S", name)) => vec![
            ("aws:principalservicename", name.to_owned()),
            ("aws:principalisawsservice", "true".to_owned()),
        ],
        None => vec![
            ("aws:principalaccount", "anonymous".to_owned()),
            ("aws:principaltype", "Anonymous".to_owned()),
        ],
        _ => Vec::new(),
    }
}
