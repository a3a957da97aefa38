//! Placeholders that delimiters mark: what another tool, or a person, replaces before anything reads the text.
//!
//! **Invariant:** lexical; what the language around them gives a meaning of its own (`{}`, `[…]` in JSON) is not looked at
//! by [`bare`].

/// Longest expression, in bytes.
const MAX_EXPRESSION: usize = 100;

/// What a placeholder is written between.
const DELIMITERS: [(&str, &str); 13] = [
    ("{{", "}}"),
    ("${", "}"),
    ("#{", "}"),
    ("$(", ")"),
    ("%(", ")s"),
    ("((", "))"),
    ("@@", "@@"),
    ("@", "@"),
    ("__", "__"),
    ("<", ">"),
    ("[", "]"),
    ("{", "}"),
    ("%", "%"),
];

/// Last words of names that stand for a value: `BUCKET_NAME`, `ORG_ID`.
const LAST_WORDS: [&str; 14] = [
    "ACCOUNT",
    "ARN",
    "BUCKET",
    "HERE",
    "HOST",
    "ID",
    "IDS",
    "NAME",
    "NAMES",
    "NUMBER",
    "PARTITION",
    "PREFIX",
    "REGION",
    "URL",
];

/// Names after `$` that AWS gives a meaning: a version of a function, routes and variables of API Gateway, topics of AWS IoT.
/// AWS Lambda Developer Guide, "Manage Lambda function versions"; API Gateway Developer Guide, "WebSocket APIs" and "Variables
/// for data transformations"; AWS IoT Core Developer Guide, "Reserved topics".
const NAMES_OF_AWS: [&str; 10] = [
    "LATEST",
    "aws",
    "connect",
    "context",
    "default",
    "disconnect",
    "input",
    "request",
    "share",
    "stageVariables",
];

/// The placeholder that `rest` begins with: its length and name. Whether a name with a colon in `${…}` is one (and not a
/// variable of the language around it, `${aws:username}`) the caller says.
pub fn expression(rest: &str, is_variable: impl Fn(&str) -> bool) -> Option<(usize, String)> {
    for (open, close) in DELIMITERS {
        let Some(inner) = rest.strip_prefix(open) else { continue };
        let mut limit = inner.len().min(MAX_EXPRESSION);
        while !inner.is_char_boundary(limit) {
            limit -= 1;
        }
        let end = match open {
            "${" => closing(&inner[..limit]),
            _ => inner[..limit].find(close),
        };
        let Some(length) = end else { continue };
        let name = inner[..length].trim();
        if is_expression(open, name, &inner[..length], &is_variable) {
            let length = open.len() + length + close.len();
            return Some((
                length,
                if name.is_empty() {
                    open.to_owned()
                } else {
                    name.to_owned()
                },
            ));
        }
    }
    let bytes = rest.as_bytes();
    let letter = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_alphanumeric);
    // `%s`, and not the encoded `%d0`.
    if matches!(bytes, [b'%', b's' | b'd', ..]) && !letter(2) {
        return Some((2, rest[..2].to_owned()));
    }
    // A variable of a shell or of envsubst: `$ACCOUNT_ID`, `$account_id`.
    let name = rest.strip_prefix('$')?;
    let end = name
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(name.len());
    let name = &name[..end];
    let is_name = name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_name && !NAMES_OF_AWS.contains(&name)).then(|| (end + 1, name.to_owned()))
}

/// The brace that closes a `${`; those inside it have their own: `${self:custom.${opt:stage}}`.
fn closing(inner: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, c) in inner.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

/// A letter of a name in capitals: `BUCKET_NAME`.
pub fn is_capital(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

fn is_expression(open: &str, name: &str, inner: &str, is_variable: impl Fn(&str) -> bool) -> bool {
    let starts = |more: &str| name.starts_with(|c: char| c.is_alphabetic() || more.contains(c));
    let word = |more: &str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c) || more.contains(c))
    };
    let capitals =
        || name.len() > 1 && name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(is_capital);
    match open {
        "{{" => starts("_.$(-"),
        // Policy variables have a colon: `${aws:username}`; `${*}` is a character.
        "${" => {
            let here = || word("[]\"'()") || is_pseudo(name) || name.contains(":-");
            inner == name && starts("_") && (here() || is_variable(name))
        }
        "#{" => starts("_") && (word(" ") || is_pseudo(name)),
        "<" => starts("_%${0123456789"),
        "$(" => starts("_%${"),
        "%(" | "((" | "@@" => starts("_") && word(""),
        "@" => inner == name && name.len() > 2 && starts("") && word(""),
        "__" | "%" => inner == name && capitals(),
        "[" => starts("") && (capitals() || is_name(name)),
        "{" => inner.is_empty() || inner == name && word("") && starts("_0123456789"),
        _ => false,
    }
}

/// Whether a name in brackets says that it stands for a value: `account_id`, `your bucket`.
fn is_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let mut parts = upper.split(['_', '-', ' ']).rev();
    let last = parts.next().unwrap_or_default();
    upper.starts_with("YOUR")
        || LAST_WORDS.contains(&last) && (parts.next().is_some() || matches!(last, "ACCOUNT" | "BUCKET" | "REGION"))
}

/// Whether a word is a placeholder wherever it stands: `xxxxxxxx`, `YOUR_BUCKET`, `your-bucket`, `BUCKET_NAME`, `REGION`.
pub fn is_word(word: &str) -> bool {
    let last = word.rsplit('-').next().unwrap_or(word);
    if last.len() >= 4 && (last.bytes().all(|b| b == b'x') || last.bytes().all(|b| b == b'X')) {
        return true;
    }
    if let Some(rest) = word
        .strip_prefix("your")
        .or_else(|| word.strip_prefix("YOUR"))
        .or_else(|| word.strip_prefix("Your"))
    {
        return rest.starts_with(|c: char| c == '-' || c == '_' || word.starts_with('y') && c.is_ascii_uppercase());
    }
    if matches!(word, "REGION" | "ACCOUNT" | "ACCOUNTID") || is_request(word) {
        return true;
    }
    let mut parts = word.split(['_', '-']).rev();
    let last = parts.next().unwrap_or_default();
    word.chars().all(|c| is_capital(c) || c == '-') && parts.next().is_some() && LAST_WORDS.contains(&last)
}

/// A request to fill something in: `REPLACE_ME`, `change-me`, `CHANGEME`, `REPLACE_WITH_BUCKET`.
fn is_request(word: &str) -> bool {
    let upper = word.to_ascii_uppercase().replace('-', "_");
    let is_one_case = word == word.to_ascii_lowercase() || word.chars().all(|c| is_capital(c) || c == '-');
    let asks = matches!(
        upper.as_str(),
        "REPLACE_ME" | "REPLACEME" | "CHANGE_ME" | "CHANGEME" | "FILL_ME_IN" | "FIXME" | "TODO"
    );
    let with = ["REPLACE_WITH_", "REPLACE_ME_", "CHANGE_ME_", "INSERT_YOUR_"];
    is_one_case && (asks && upper != "TODO" || word == "TODO" || with.iter().any(|w| upper.starts_with(w)))
}

/// A pseudo parameter of CloudFormation: `${AWS::AccountId}`.
fn is_pseudo(name: &str) -> bool {
    name.strip_prefix("AWS::")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// The placeholder that stands alone where a value or key should begin in data without quotes around it: its length and
/// name. Words in capitals are placeholders there, and a variable of a shell has any case.
pub fn bare(rest: &str) -> Option<(usize, String)> {
    if rest.starts_with(['[', '\'', '"']) || rest.starts_with('{') && !is_name_in_braces(rest) {
        return None;
    }
    // No policy variable stands without quotes.
    if let Some(found) = expression(rest, |_| true) {
        return Some(found);
    }
    let word = |text: &str| {
        text.len()
            - text
                .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
                .len()
    };
    let named = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if let Some(name) = rest.strip_prefix('$').filter(|name| named(name)) {
        let length = word(name);
        return Some((1 + length, name[..length].to_owned()));
    }
    // Of autoconf and Maven: `@ARN@`.
    if let Some(name) = rest.strip_prefix('@').filter(|name| named(name)) {
        let length = word(name);
        return (name[length..].starts_with('@')).then(|| (length + 2, name[..length].to_owned()));
    }
    let length = rest.find(|c: char| !is_capital(c)).unwrap_or(rest.len());
    let ends = rest[length..].starts_with(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}'));
    let is_name = length > 1 && named(rest) && ends && !matches!(&rest[..length], "TRUE" | "FALSE" | "NULL");
    is_name.then(|| (length, rest[..length].to_owned()))
}

/// `{arns}` or `{0}`, as `str.format` fills it in.
fn is_name_in_braces(rest: &str) -> bool {
    let inner = rest.trim_start_matches('{');
    let name = inner.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    name.len() < inner.len() && name.starts_with('}') && rest.len() - inner.len() == 1
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn what_stands_without_quotes_is_a_placeholder_or_a_mistake() {
        for (text, expected) in [
            ("$BUCKET]", Some((7, "BUCKET"))),
            ("$bucket,", Some((7, "bucket"))),
            ("${bucket}}", Some((9, "bucket"))),
            (
                "${self:custom.${opt:stage}.arns}]",
                Some((32, "self:custom.${opt:stage}.arns")),
            ),
            ("%s}", Some((2, "%s"))),
            ("%(arns)s}", Some((8, "arns"))),
            ("%ARNS%}", Some((6, "ARNS"))),
            ("<your ARN>}", Some((10, "your ARN"))),
            ("<%= arns %>}", Some((11, "%= arns %"))),
            ("@ARN@}", Some((5, "ARN"))),
            ("@@ARN@@}", Some((7, "ARN"))),
            ("__ARN__}", Some((7, "ARN"))),
            ("#{arn}}", Some((6, "arn"))),
            ("((arn))}", Some((7, "arn"))),
            ("{arns}}", Some((6, "arns"))),
            ("{0}}", Some((3, "0"))),
            ("BUCKET_ARN}", Some((10, "BUCKET_ARN"))),
            ("{}", None),
            ("[ARN]", None),
            ("bucket}", None),
            ("Allow}", None),
            ("True,", None),
            ("TRUE,", None),
            ("arn:aws:s3:::x}", None),
            ("# a comment", None),
            ("'text'", None),
        ] {
            let found = bare(text);
            assert_eq!(found.as_ref().map(|(n, name)| (*n, name.as_str())), expected, "{text}");
        }
    }
}
