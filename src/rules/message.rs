//! The texts of declared rules: `{act}` stands for what was captured as `act`.

use super::eval::{Captured, Captures};
use crate::iam::arn::Arn;
use crate::iam::condition::key_type;
use crate::iam::{AccessLevel, ActionSet};
use crate::phrase;
use crate::project::EXCEPT_DENIED;

/// Longest text of an item in a message; ARNs are long, messages are short.
const LONGEST: usize = 40;

/// Fills in the captures. `at` is the one that the finding points at; of the others the first of each name counts.
pub(super) fn render(template: &str, at_name: &str, at: &Captured<'_>, found: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((inside, tail)) = after.split_once('}') else {
            rest = after;
            break;
        };
        let (name, part) = inside.split_once('.').map_or((inside, None), |(n, p)| (n, Some(p)));
        let captured = if name == at_name { Some(at) } else { found.first(name) };
        if let Some(c) = captured {
            out.push_str(&describe(c, part));
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn describe(c: &Captured<'_>, part: Option<&str>) -> String {
    let text = c.text.as_ref().map(|t| t.display()).unwrap_or_default();
    match part {
        None => elide_middle(&text),
        Some("whole") => text,
        Some("lower") => text.to_lowercase(),
        Some("account") => {
            let arn = c.text.as_deref().and_then(Arn::parse);
            arn.map(|a| a.account.display()).unwrap_or_default()
        }
        Some("key") => c.key.map(|k| k.display()).unwrap_or_default(),
        Some("type") => key_type(&text.to_lowercase()).unwrap_or_default().to_owned(),
        // Of an operator: without a set operator, without `IfExists`, with wildcards.
        Some("plain") => text.split_once(':').map_or(text.clone(), |(_, base)| base.to_owned()),
        Some("exact") => text.strip_suffix("IfExists").unwrap_or(&text).to_owned(),
        Some("like") => text
            .replace("NotEquals", "NotLike")
            .replace("StringEquals", "StringLike"),
        Some("duration") => text.parse().map_or(text, duration),
        Some("service") => text.split(':').next().unwrap_or_default().to_owned(),
        Some("denied") => c.denied.map_or_else(String::new, |_| EXCEPT_DENIED.to_owned()),
        Some("left") => c.left.as_ref().map_or_else(String::new, |l| l.limit.text().to_owned()),
        Some("count") if c.left.as_ref().is_some_and(|l| l.at_most) => {
            format!("up to {}", c.granted().map_or(0, ActionSet::len))
        }
        Some(part) => match c.granted() {
            Some(actions) => describe_actions(actions, part),
            None => describe_actions(&ActionSet::expand(&text), part),
        },
    }
}

/// Seconds in words: `7 days`, `36 hours`, `90 minutes`.
fn duration(seconds: f64) -> String {
    for (unit, length) in [("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0)] {
        let n = seconds / length;
        if n >= 1.0 && n.fract() == 0.0 {
            let plural = if n == 1.0 { "" } else { "s" };
            return format!("{n} {unit}{plural}");
        }
    }
    format!("{seconds} seconds")
}

/// What can be said of the actions that a pattern stands for.
fn describe_actions(actions: &ActionSet, part: &str) -> String {
    match part {
        "count" => actions.len().to_string(),
        "actions" => phrase::count(actions.len(), "action", "actions"),
        "levels" => actions.by_level().to_string(),
        "breakdown" => match actions.by_level() {
            // "5 write actions" rather than "5 actions: 5 write".
            levels if levels.is_single() => {
                let kind = levels.highest().map_or("", AccessLevel::name);
                phrase::count(actions.len(), &format!("{kind} action"), &format!("{kind} actions"))
            }
            _ => format!(
                "{}: {}",
                describe_actions(actions, "actions"),
                describe_actions(actions, "gravest")
            ),
        },
        "gravest" => {
            let counts = actions.by_level();
            let levels = AccessLevel::ALL.into_iter().rev().filter(|l| counts.get(*l) > 0);
            let (mut said, mut rest) = (Vec::new(), actions.len());
            for level in levels.take(2) {
                said.push(format!("{} {}", counts.get(level), level.name()));
                rest -= counts.get(level);
            }
            if rest > 0 {
                said.push(phrase::count(rest, "other", "others"));
            }
            said.join(", ")
        }
        _ => phrase::list(actions.most_severe(3)),
    }
}

/// The text with its middle left out where it is long.
fn elide_middle(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= LONGEST {
        return text.to_owned();
    }
    let half = (LONGEST - 1) / 2;
    let (head, tail) = (&chars[..half], &chars[chars.len() - half..]);
    head.iter().chain(&['…']).chain(tail).collect()
}
