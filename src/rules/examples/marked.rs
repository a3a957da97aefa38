//! JSON with marks around its values and keys, so that a bare policy can be written in other languages.

use std::fmt::Write as _;

use super::marks;

/// A value, with the marks around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) open: String,
    pub(super) value: MarkedValue,
    pub(super) close: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MarkedValue {
    /// A string with its quotes, a number, `true`, `false`, `null`; marks inside a string are kept.
    Scalar(String),
    Seq(Vec<Marked>),
    /// Keys are scalars with their quotes.
    Map(Vec<(Marked, Marked)>),
}

const DEEPEST: usize = 32;

/// `None` for what is no well-formed JSON: such examples are given as files.
pub(super) fn parse(text: &str) -> Option<Marked> {
    let mut p = MarkedParser { rest: text, depth: 0 };
    let value = p.marked()?;
    p.skip_space();
    p.rest.is_empty().then_some(value)
}

struct MarkedParser<'t> {
    rest: &'t str,
    depth: usize,
}

impl MarkedParser<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take_while(&mut self, of: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn marked(&mut self) -> Option<Marked> {
        self.skip_space();
        let open = self.take_while(|c| matches!(c, '«' | '‹'));
        let value = self.value()?;
        let close = self.take_while(|c| matches!(c, '»' | '›'));
        Some(Marked { open, value, close })
    }

    fn value(&mut self) -> Option<MarkedValue> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '{' => self.map(),
            '[' => self.seq(),
            '"' => self.string().map(MarkedValue::Scalar),
            _ => {
                let word = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
                (!word.is_empty()).then_some(MarkedValue::Scalar(word))
            }
        };
        self.depth -= 1;
        value
    }

    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        })?;
        let (taken, rest) = self.rest.split_at(end.0 + 1);
        self.rest = rest;
        Some(taken.to_owned())
    }

    fn seq(&mut self) -> Option<MarkedValue> {
        let mut items = Vec::new();
        self.eat('[');
        while !self.eat(']') {
            items.push(self.marked()?);
            if !self.eat(',') && !self.rest.starts_with(']') {
                return None;
            }
        }
        Some(MarkedValue::Seq(items))
    }

    fn map(&mut self) -> Option<MarkedValue> {
        let mut entries = Vec::new();
        self.eat('{');
        while !self.eat('}') {
            let key = self.marked()?;
            if !self.eat(':') {
                return None;
            }
            entries.push((key, self.marked()?));
            if !self.eat(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
        Some(MarkedValue::Map(entries))
    }
}

impl Marked {
    /// On one line, as JSON or, with `python`, as a Python literal.
    pub(super) fn inline(&self, python: bool) -> String {
        let body = match &self.value {
            MarkedValue::Scalar(s) => match (python, s.as_str()) {
                (true, "true") => "True".to_owned(),
                (true, "false") => "False".to_owned(),
                (true, "null") => "None".to_owned(),
                _ => s.clone(),
            },
            MarkedValue::Seq(items) => {
                let items: Vec<String> = items.iter().map(|i| i.inline(python)).collect();
                format!("[{}]", items.join(", "))
            }
            MarkedValue::Map(entries) => {
                let entry = |(k, v): &(Self, Self)| format!("{}: {}", k.inline(python), v.inline(python));
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(", "))
            }
        };
        format!("{}{body}{}", self.open, self.close)
    }

    /// Block style YAML, every line after the first indented by `indent`; what is marked as a whole stays on one line.
    pub(super) fn yaml(&self, indent: usize) -> String {
        let pad = " ".repeat(indent);
        let plain = self.open.is_empty() && self.close.is_empty();
        let mut out = String::new();
        match &self.value {
            MarkedValue::Map(entries) if plain && !entries.is_empty() => {
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        let _ = write!(out, "\n{pad}");
                    }
                    let name = key.unquoted();
                    // `Null` and `Bool` as keys must stay strings; keys with colons or marks inside must be quoted.
                    let bare = name.bytes().all(|b| b.is_ascii_alphanumeric())
                        && !matches!(name.to_ascii_lowercase().as_str(), "null" | "true" | "false");
                    let key = if bare && !name.is_empty() {
                        format!("{}{name}{}", key.open, key.close)
                    } else {
                        key.inline(false)
                    };
                    let _ = write!(out, "{key}:{}", value.yaml_after(indent));
                }
            }
            MarkedValue::Seq(items) if plain && !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        let _ = write!(out, "\n{pad}");
                    }
                    let _ = write!(out, "- {}", item.yaml(indent + 2));
                }
            }
            _ => out = self.inline(false),
        }
        out
    }

    fn yaml_after(&self, indent: usize) -> String {
        let plain = self.open.is_empty() && self.close.is_empty();
        let block = match &self.value {
            MarkedValue::Map(entries) => plain && !entries.is_empty(),
            MarkedValue::Seq(items) => plain && !items.is_empty(),
            MarkedValue::Scalar(_) => false,
        };
        if block {
            format!("\n{}{}", " ".repeat(indent + 2), self.yaml(indent + 2))
        } else {
            format!(" {}", self.inline(false))
        }
    }

    /// A scalar's text without quotes and marks.
    pub(super) fn unquoted(&self) -> String {
        match &self.value {
            MarkedValue::Scalar(s) => marks::without_marks(s.trim_matches('"')),
            _ => String::new(),
        }
    }

    /// The scalar between its own marks and quotes as HCL wants it.
    fn hcl(&self) -> Option<String> {
        match &self.value {
            MarkedValue::Scalar(s) if s.starts_with('"') => {
                Some(format!("{}{}{}", self.open, escape_hcl(s), self.close))
            }
            _ => None,
        }
    }

    /// A list of strings, or a string as a list of one.
    fn hcl_list(&self) -> Option<String> {
        match &self.value {
            MarkedValue::Scalar(_) => Some(format!("[{}]", self.hcl()?)),
            MarkedValue::Seq(items) if !items.is_empty() => {
                let items: Option<Vec<String>> = items.iter().map(Self::hcl).collect();
                Some(format!("{}[{}]{}", self.open, items?.join(", "), self.close))
            }
            _ => None,
        }
    }

    fn plain_map(&self) -> Option<&[(Self, Self)]> {
        match &self.value {
            MarkedValue::Map(entries) if self.open.is_empty() && self.close.is_empty() => Some(entries),
            _ => None,
        }
    }

    /// The body of an `aws_iam_policy_document`; `None` where it cannot say the same.
    pub(super) fn terraform_document(&self) -> Option<String> {
        let mut out = String::new();
        let mut seen = Vec::new();
        for (key, value) in self.plain_map()? {
            let name = unmarked_key(key)?;
            match name.as_str() {
                "Version" => writeln!(out, "  version = {}", value.hcl()?).ok()?,
                "Id" => writeln!(out, "  policy_id = {}", value.hcl()?).ok()?,
                "Statement" => {
                    let statements = match &value.value {
                        MarkedValue::Seq(items) if value.open.is_empty() => items.as_slice(),
                        MarkedValue::Map(_) => std::slice::from_ref(value),
                        _ => return None,
                    };
                    for s in statements {
                        statement(s, &mut out)?;
                    }
                }
                _ => return None,
            }
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
        }
        seen.iter().any(|s| s == "Statement").then_some(out)
    }
}

fn unmarked_key(key: &Marked) -> Option<String> {
    (key.open.is_empty() && key.close.is_empty()).then(|| key.unquoted())
}

fn statement(s: &Marked, out: &mut String) -> Option<()> {
    let (mut seen, mut effect) = (Vec::new(), false);
    out.push_str("  statement {\n");
    for (key, value) in s.plain_map()? {
        let name = key.unquoted();
        let attribute = match name.as_str() {
            "Sid" => "sid",
            "Effect" => "effect",
            "Action" => "actions",
            "NotAction" => "not_actions",
            "Resource" => "resources",
            "NotResource" => "not_resources",
            "Principal" => "principals",
            "NotPrincipal" => "not_principals",
            "Condition" => "condition",
            _ => return None,
        };
        if seen.contains(&attribute) {
            return None;
        }
        seen.push(attribute);
        effect |= attribute == "effect";
        let marked = format!("{}{attribute}{}", key.open, key.close);
        match attribute {
            // Terraform leaves an empty sid out.
            "sid" if value.unquoted().is_empty() => return None,
            "sid" | "effect" => writeln!(out, "    {marked} = {}", value.hcl()?).ok()?,
            "principals" | "not_principals" => principals(&marked, value, out)?,
            "condition" => {
                for (operator, keys) in value.plain_map()? {
                    for (variable, values) in keys.plain_map()? {
                        writeln!(out, "    {marked} {{").ok()?;
                        writeln!(out, "      test     = {}", operator.hcl()?).ok()?;
                        writeln!(out, "      variable = {}", variable.hcl()?).ok()?;
                        writeln!(out, "      values   = {}\n    }}", values.hcl_list()?).ok()?;
                    }
                }
            }
            _ => writeln!(out, "    {marked} = {}", value.hcl_list()?).ok()?,
        }
    }
    out.push_str("  }\n");
    // Terraform takes Allow where no effect is written.
    effect.then_some(())
}

fn principals(block: &str, value: &Marked, out: &mut String) -> Option<()> {
    let mut one = |kind: &str, identifiers: String| {
        writeln!(
            out,
            "    {block} {{\n      type        = {kind}\n      identifiers = {identifiers}\n    }}"
        )
        .ok()
    };
    match &value.value {
        MarkedValue::Scalar(s) if marks::without_marks(s) == "\"*\"" => one("\"*\"", value.hcl_list()?),
        MarkedValue::Map(_) => {
            for (kind, names) in value.plain_map()? {
                one(&kind.hcl()?, names.hcl_list()?)?;
            }
            Some(())
        }
        _ => None,
    }
}

/// `${` and `%{` begin a template in HCL.
pub(super) fn escape_hcl(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", «"NotAction"»: ["a:*", «"b:*"»],
        "Resource": ‹"*"›, "Principal": {"AWS": "*"}, "Condition": {"Bool": {"aws:x": true}}}]}"#;

    #[test]
    fn marks_survive_every_spelling() {
        let marked = parse(POLICY).unwrap();
        assert_eq!(parse(&marked.inline(false)).unwrap(), marked);
        let yaml = marked.yaml(0);
        assert!(
            yaml.contains(
                r#"«NotAction»:
      - "a:*"
      - «"b:*"»
"#
            ),
            "{yaml}"
        );
        assert!(yaml.contains("Resource: ‹\"*\"›\n"), "{yaml}");
        assert!(marked.inline(true).contains(r#""aws:x": True"#));
        assert_eq!(marked.terraform_document(), None, "a bare boolean is no string");
        let hcl = parse(&POLICY.replace("true", r#""${aws:username}""#)).unwrap();
        let hcl = hcl.terraform_document().unwrap();
        assert!(hcl.contains("    «not_actions» = [\"a:*\", «\"b:*\"»]\n"), "{hcl}");
        assert!(hcl.contains(r#"values   = ["$${aws:username}"]"#), "{hcl}");
    }
}
