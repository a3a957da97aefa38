//! Expressions of a template language inside a text: the text with holes for what they will be.
//!
//! **Invariant:** nothing is evaluated, and what is no expression stays as it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::terraform;
use crate::classify::{has_data_ending, without_template_ending};
use crate::iam::DefectKind;
use crate::model::LoweredUnit;
use crate::source::{FileId, Hole, HoleKind, Piece, ProblemKind, Sources, Span, Text, file_name, parent_path};
use crate::value::{Branch, MapEntry, Value, ValueKind};

/// What opens a dynamic reference. CloudFormation User Guide, "Get values stored in other services using dynamic
/// references".
const RESOLVE: &str = "resolve:";
/// Longest expression.
const MAX_EXPRESSION: usize = 300;

/// Holes for `{{resolve:…}}` and for what Jinja, Helm and their like fill in (`{{ bucket }}`).
pub(super) fn with_brace_holes(text: Text) -> Text {
    with_holes_between(text, "{{", "}}", &|inner, _| {
        if let Some(reference) = inner.strip_prefix(RESOLVE) {
            let service = reference.split(':').next().unwrap_or("");
            return Some((HoleKind::Dynamic, format!("{RESOLVE}{service}")));
        }
        let inner = inner.trim_matches('-').trim();
        let named = inner.starts_with(|c: char| c.is_alphabetic() || "_.$(".contains(c));
        named.then(|| (HoleKind::Input, inner.to_owned()))
    })
}

/// What cannot be parsed in a template of another language is not broken: no one has rendered it.
pub fn drop_template_problems(sources: &Sources, unit: &mut LoweredUnit) {
    for p in &mut unit.problems {
        let broken = matches!(
            p.kind,
            ProblemKind::Syntax | ProblemKind::PolicyJson | ProblemKind::PolicyText
        );
        if broken && is_unrendered(sources.path(p.span.file), sources.text(p.span.file)) {
            p.kind = ProblemKind::Template;
        }
    }
}

/// Two keys, or two sids, are not both there if a directive of a template stands between them: `%{ else }`.
pub fn drop_alternative_defects(sources: &Sources, unit: &mut LoweredUnit) {
    for document in &mut unit.documents {
        document.defects.retain(|defect| {
            let first = match &defect.kind {
                DefectKind::DuplicateKey { first } | DefectKind::DuplicateSid { first, .. } => *first,
                DefectKind::Conflict { other } => *other,
                _ => return true,
            };
            let (from, to) = (first.end.min(defect.span.end), first.start.max(defect.span.start));
            let between = sources.text(first.file).get(from as usize..to as usize);
            first.file != defect.span.file || !between.is_some_and(has_directive)
        });
    }
}

/// Whether a directive of Terraform's templates, Jinja, ERB, Go, or Handlebars is in a text.
fn has_directive(text: &str) -> bool {
    let mut opened = text.match_indices("{{").map(|(at, _)| &text[at..]);
    ["%{", "{%", "<%"].iter().any(|open| text.contains(open)) || opened.any(is_go_directive)
}

/// Templates that no Terraform file loads, where the others of their folder are loaded by name.
pub fn unloaded_templates(sources: &Sources) -> Vec<Span> {
    let (mut folders, mut modules) = (BTreeMap::<&str, Vec<FileId>>::new(), Vec::new());
    let mut analyzed = sources.ids().filter(|file| sources.is_analyzed(*file));
    if !analyzed.any(|file| is_filled_in(sources.path(file))) {
        return Vec::new();
    }
    for file in sources.ids() {
        let path = sources.path(file);
        if is_filled_in(path) {
            folders.entry(parent_path(path)).or_default().push(file);
        } else if terraform::is_hcl_file(path) {
            modules.push(&**sources.text(file));
        }
    }
    if modules.iter().any(|text| text.contains("fileset(")) {
        return Vec::new();
    }
    let files: Vec<FileId> = folders.values().flatten().copied().collect();
    // Which one is loaded may be put together: `policies/${name}.tpl`.
    let open = |folder: &str| format!("{}/${{", file_name(folder));
    let names = files.iter().map(|file| file_name(sources.path(*file)).to_owned());
    let names: Vec<String> = names.chain(folders.keys().map(|folder| open(folder))).collect();
    let Ok(words) = AhoCorasick::new(&names) else {
        return Vec::new();
    };
    let mut loaded = BTreeSet::new();
    for text in &modules {
        loaded.extend(
            words
                .find_overlapping_iter(*text)
                .map(|m| names[m.pattern().as_usize()].as_str()),
        );
    }
    let mut out = Vec::new();
    for (folder, files) in folders {
        let is_loaded = |file: &FileId| loaded.contains(file_name(sources.path(*file)));
        if files.iter().any(is_loaded) && !loaded.contains(open(folder).as_str()) {
            let rest = files.iter().filter(|file| !is_loaded(file));
            out.extend(rest.map(|file| Span::new(*file, 0, sources.text(*file).len())));
        }
    }
    out
}

/// Whether a file is a template of Jinja, Helm, ERB or their like: it is in a folder whose name is an expression
/// (`{{cookiecutter.name}}/`), a line begins with a directive, or, in data, there is an expression anywhere.
fn is_unrendered(path: &str, text: &str) -> bool {
    // Expressions of Terraform are understood.
    const OPENING: [&str; 3] = ["{{", "{%", "<%"];
    let is_open = || OPENING.iter().any(|open| text.contains(open));
    if path.contains("{{") || without_template_ending(path).is_some() && is_open() {
        return true;
    }
    let directive = |line: &str| {
        let line = line.trim_start();
        ["{%", "<%"].iter().any(|open| line.starts_with(open)) || is_go_directive(line)
    };
    if text.lines().any(directive) {
        return true;
    }
    let expression = |rest: &str| !rest.trim_start().starts_with(RESOLVE) && rest.contains("}}");
    has_data_ending(path)
        && text.lines().any(|line| {
            let mut opened = line.match_indices("{{");
            opened.any(|(at, open)| expression(&line[at + open.len()..]) && !line[at + open.len()..].starts_with('"'))
        })
}

/// Whether a line begins with a statement of Go's templates, or a block or partial of Handlebars.
fn is_go_directive(line: &str) -> bool {
    const WORDS: [&str; 9] = [
        "if", "else", "end", "range", "with", "define", "template", "block", "include",
    ];
    let Some(rest) = line.strip_prefix("{{").filter(|rest| rest.contains("}}")) else {
        return false;
    };
    let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
    let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    rest.starts_with(['#', '/', '>']) || WORDS.contains(&word)
}

/// Whether `templatefile` reads a file of this name.
pub(super) fn is_filled_in(path: &str) -> bool {
    [".tftpl", ".tpl", ".tmpl"].iter().any(|end| path.ends_with(end))
}

/// Holes for what Terraform's `templatefile` fills in: `${bucket}`, not `$${aws:username}`.
pub(super) fn replace_interpolations(text: &Text) -> Text {
    let filled = with_holes_between(text.clone(), "${", "}", &|inner, before| {
        (!before.ends_with('$')).then(|| (HoleKind::Input, inner.trim().to_owned()))
    });
    without_escapes(&filled, "$${")
}

/// Holes for what `Fn::Sub` fills in, by what its name says of it; `${!x}` is left as it is.
pub(super) fn with_sub_holes(text: &Text, kind_of: fn(&str) -> HoleKind) -> Text {
    with_holes_between(text.clone(), "${", "}", &|inner, _| {
        // A policy variable of IAM has a colon of its own: `${aws:username}`.
        let ours = !inner.starts_with('!') && (inner.starts_with("AWS::") || !inner.contains(':'));
        ours.then(|| (kind_of(inner), inner.to_owned()))
    })
}

/// [`replace_interpolations`] in every text of a value.
pub(super) fn replace_in_value(value: &Value) -> Value {
    let kind = match &value.kind {
        ValueKind::Str(t) => ValueKind::Str(replace_interpolations(t)),
        ValueKind::Seq(items) => ValueKind::Seq(items.iter().map(replace_in_value).collect()),
        ValueKind::Map(entries) => {
            let each = |e: &MapEntry| MapEntry {
                key: replace_interpolations(&e.key),
                key_span: e.key_span,
                value: replace_in_value(&e.value),
            };
            ValueKind::Map(entries.iter().map(each).collect())
        }
        ValueKind::OneOf(branches) => {
            let each = |b: &Branch| Branch {
                when: b.when.clone(),
                value: replace_in_value(&b.value),
            };
            ValueKind::OneOf(branches.iter().map(each).collect())
        }
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

/// The text without the first `$` of each `escape`.
fn without_escapes(text: &Text, escape: &str) -> Text {
    let flat = text.with_placeholders();
    if !flat.contains(escape) {
        return text.clone();
    }
    let mut out = Text::default();
    let mut done = 0;
    for (at, _) in flat.match_indices(escape) {
        out.append(&text.slice(done..at));
        done = at + 1;
    }
    out.append(&text.slice(done..flat.len()));
    out
}

/// What an expression, given what stands before it, is; `None` where it is not one.
type ExpressionClassifier<'j> = &'j dyn Fn(&str, &str) -> Option<(HoleKind, String)>;

fn with_holes_between(text: Text, open: &str, close: &str, judge: ExpressionClassifier<'_>) -> Text {
    let has = |p: &Piece| matches!(p, Piece::Lit(l) if l.text.contains(open));
    if !text.pieces().iter().any(has) {
        return text;
    }
    let flat = text.with_placeholders();
    let mut out = Text::default();
    let (mut done, mut from) = (0, 0);
    while let Some(start) = flat.get(from..).and_then(|rest| rest.find(open)).map(|i| from + i) {
        from = start + open.len();
        let mut limit = flat.len().min(from + MAX_EXPRESSION);
        while !flat.is_char_boundary(limit) {
            limit -= 1;
        }
        let Some(length) = flat[from..limit].find(close) else {
            continue;
        };
        let end = from + length + close.len();
        let Some((kind, name)) = judge(&flat[from..from + length], &flat[..start]) else {
            continue;
        };
        let Some(span) = text.span_of(start..end) else { continue };
        if start > done {
            out.append(&text.slice(done..start));
        }
        out.push(Piece::Hole(Arc::new(Hole::new(kind, name, span))));
        done = end;
        from = end;
    }
    if done == 0 {
        return text;
    }
    if done < flat.len() {
        out.append(&text.slice(done..flat.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_nothing_loads() {
        let of = |module: &str| {
            let files = [
                ("policies/a.tpl", "{}"),
                ("policies/b.json.tpl", "{}"),
                ("other/c.tpl", "{}"),
                ("main.tf", module),
            ];
            let sources = Sources::from_strings(&files);
            let paths: Vec<_> = unloaded_templates(&sources)
                .iter()
                .map(|s| sources.path(s.file).to_owned())
                .collect();
            paths.join(" ")
        };
        assert_eq!(of(r#"x = file("policies/a.tpl")"#), "policies/b.json.tpl");
        assert_eq!(
            of(r#"x = file("policies/a.tpl")
y = file("policies/${var.b}.tpl")"#),
            ""
        );
        assert_eq!(
            of(r#"x = fileset(".", "policies/*")
y = file("policies/a.tpl")"#),
            ""
        );
        assert_eq!(of(""), "");
    }

    #[test]
    fn templates_of_other_languages_are_recognized() {
        let cases = [
            ("{{ cookiecutter.name }}/app.py", "x", true),
            ("app.py", "{%- if x %}\nimport a", true),
            ("app.py", r#"x = f"{{{a}}}""#, false),
            (
                "main.tf",
                r"x = <<E
%{ if x }
E",
                false,
            ),
            ("main.tf", "{% if x %}", true),
            ("main.tf", "a = 1\n{{- range .Buckets }}\n", true),
            ("main.tf", "{{#each buckets}}", true),
            (
                "app.py",
                r#"x = f"""
{{ a }}""""#,
                false,
            ),
            ("t.yaml", "A: {{ .Values.a }}", true),
            ("t.yaml", "A: '{{resolve:ssm:x}}'", false),
            ("t.yaml.erb", "A: <%= a %>", true),
            ("t.yaml.erb", "A: 1", false),
            ("t.json.tmpl", r#"{{{ template "a" . }} "A": 1}"#, true),
            ("t.json.njk", r#"{"A": {% if a %}}"#, true),
            ("t.json.tpl", r#"{"A" "${a}"}"#, false),
            ("t.json", r#"{"a":{"b":{"c":1}}}"#, false),
            ("t.yaml", "A: [", false),
        ];
        for (path, text, expected) in cases {
            assert_eq!(is_unrendered(path, text), expected, "{path} {text}");
        }
    }
}
