//! Whatever the bytes: no panic, spans in bounds and on character borders, bounded work.

use std::path::Path;

use overgrant::internals::iam::Ownership;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::source::{FileId, ProblemKind, Sources, Text};
use overgrant::internals::syntax::{Tree, json, yaml};

use crate::support::repository::Repository;

const F: FileId = FileId(0);

/// Reads `text` every way there is and looks at every span.
fn survives(text: &str) {
    for tree in [json::parse(F, text), yaml::parse(F, text)] {
        in_bounds(&tree, text);
    }
    let embedded = json::parse_text(
        &Text::verbatim(text, F, 0),
        overgrant::internals::source::Span::new(F, 0, text.len()),
    );
    in_bounds(&embedded, text);
}

fn in_bounds(tree: &Tree, text: &str) {
    for id in (0..tree.node_count()).map(|i| overgrant::internals::syntax::NodeId(i as u32)) {
        let span = tree.span(id);
        assert!(text.get(span.range()).is_some(), "{span:?} in {text:?}");
        if let Some(value) = tree.text(id)
            && let Some(place) = value.span_of(0..value.len())
        {
            assert!(text.get(place.range()).is_some(), "text at {place:?} in {text:?}");
        }
    }
    for problem in &tree.problems {
        assert!(text.get(problem.span.range()).is_some(), "{problem:?} in {text:?}");
    }
}

fn inputs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/syntax");
    let mut out = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_file() {
            out.push(std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    assert!(out.len() >= 10);
    out
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[test]
fn truncated_files() {
    for text in inputs() {
        for at in (0..text.len()).step_by(7) {
            survives(&text[..floor(&text, at)]);
        }
    }
}

#[test]
fn flipped_bytes() {
    // xorshift64, so that every run flips the same.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let odd = [
        "{", "}", "[", "]", "\"", "'", "\\", ":", ",", "\n", "\r\n", " ", "\t", "-", "#", "&a ", "*a", "!T ", "|", ">",
        "<<: ", "{{", "}}", "{%", "${", "\0", "\u{feff}", "é", "😀", "//", "/*", "---\n", "\\u", "%", "",
    ];
    for text in inputs() {
        for _ in 0..150 {
            let mut mutant = text.clone();
            for _ in 0..=next(3) {
                let at = floor(&mutant, next(mutant.len() + 1));
                let end = mutant[at..].chars().next().map_or(at, |c| at + c.len_utf8());
                mutant.replace_range(at..end, odd[next(odd.len())]);
            }
            survives(&mutant);
        }
    }
}

#[test]
fn deep_nesting() {
    for (open, close) in [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{a: ", "}"),
        ("- ", ""),
        ("? ", ""),
        ("!T [", "]"),
        ("(", ")"),
        ("{{", "}}"),
        ("${", "}"),
        ("/*", ""),
    ] {
        let n = 10_000;
        survives(&open.repeat(n));
        survives(&(open.repeat(n) + &close.repeat(n)));
    }
    let mut block = String::new();
    for depth in 0..1500 {
        block.extend(std::iter::repeat_n(' ', depth));
        block.push_str("a:\n");
    }
    survives(&block);
}

#[test]
fn line_ends_marks_and_odd_characters() {
    for text in inputs() {
        survives(&text.replace('\n', "\r\n"));
        survives(&text.replace('\n', "\r"));
        survives(&format!("\u{feff}{text}"));
        survives(&text.replace(' ', "\0"));
        survives(&text.replace(' ', "\t"));
        survives(&text.replace('e', "é"));
        survives(text.trim_end());
    }
}

#[test]
fn long_inputs() {
    survives(&format!("[{}]", "1,".repeat(100_000)));
    let n = 10_000;
    survives(&format!("[{}]", "\"s3:*\", ".repeat(n)));
    survives(&format!(
        r"a:
{}",
        "- x\n".repeat(n)
    ));
    survives(&"a: 1\n".repeat(n));
    survives(&format!(
        r"a: |
{}",
        "  {\"a\": 1}\n".repeat(n)
    ));
    survives(&format!("a: \"{}\"", "\\n".repeat(n)));
    survives(&format!("a: '{}'", "''\n ".repeat(n)));
    survives(&"--- x\n".repeat(n));
    survives(&format!(
        r"a: &a {{x: y}}
b: [{}]",
        "*a, ".repeat(n)
    ));
    survives(&"\"\\\n".repeat(n));
    survives(
        &r#""\"
,"#
        .repeat(n),
    );
    survives(&"a: \"\n".repeat(2_000));
    survives(&"a: [\n".repeat(2_000));
    survives(&"{{ a }}: {{\n".repeat(2_000));
    survives(&"] } : ,".repeat(n));
}

/// Every format gets every input, whole and cut: the check never fails on one, and points nowhere outside it.
#[test]
fn whole_checks() {
    let names = [
        "p.json",
        "p.yaml",
        "t.template",
        "serverless.yml",
        "main.tf",
        "x.tf.json",
        "a.py",
        "n.ipynb",
        "x.sh",
    ];
    let own = Ownership::default();
    let ruleset = Ruleset::builtin();
    let all = Selection::all(&ruleset);
    for text in inputs() {
        for cut in [text.len(), text.len() / 2, text.len() / 3] {
            let text = &text[..floor(&text, cut)];
            let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, text)).collect();
            let sources = Sources::from_strings(&files);
            let project = analyze(&sources, &own).project;
            for problem in &project.problems {
                assert!(problem.kind != ProblemKind::Internal, "{problem:?} in {text:?}");
                assert!(text.get(problem.span.range()).is_some(), "{problem:?} in {text:?}");
            }
            let outcome = rules::run(&project, &ruleset, &all);
            assert_eq!(outcome.failures, [], "{text:?}");
            for label in outcome.findings.iter().flat_map(|f| &f.labels) {
                assert!(text.get(label.span.range()).is_some(), "{label:?} in {text:?}");
            }
        }
    }
}

/// What each line of a chain makes of the name before it, twice.
const DOUBLED: &[(&str, &str)] = &[
    ("'a'", "{p} + {p}"),
    ("'a'", "f'{{p}}{{p}}'"),
    ("'a'", "'%s%s' % ({p}, {p})"),
    ("'a'", "'x'.join([{p}, {p}])"),
    ("['a']", "[{p}, {p}]"),
    ("['a']", "[*{p}, *{p}]"),
    ("['a']", "({p} + {p})[0:]"),
    ("['a']", "(q := {p}) + q"),
    ("{'a'}", "{p} | {p}"),
    ("{'a': 'b'}", "{'l': {p}, 'r': {p}}"),
    ("'[]'", "json.loads({p}) + json.loads({p})"),
];

#[test]
fn python_values_that_double_are_bounded() {
    for (first, next) in DOUBLED {
        let mut code = format!(
            r"import boto3, json
a0 = {first}
"
        );
        for i in 1..200 {
            code += &format!("a{i} = {}\n", next.replace("{p}", &format!("a{}", i - 1)));
        }
        code += "iam = boto3.client('iam')\n";
        code += "iam.create_policy(PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': a199, 'Resource': '*'}]}))\n";
        code += "iam.create_policy(PolicyName='q', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}))\n";
        let sources = Sources::from_strings(&[("a.py", &code)]);
        let own = Ownership::default();
        let analysis = analyze(&sources, &own);
        assert_eq!(analysis.project.documents.len(), 2, "{next}");
    }
}

#[test]
fn python_that_is_indented_too_deep_is_a_problem_of_its_file() {
    let deep = |levels: usize, strings: usize| {
        let mut code = String::from("import boto3\n");
        for i in 0..levels {
            code += &format!("{}if x:\n", " ".repeat(i));
        }
        code + &format!("{}y = {}\n", " ".repeat(levels), "f'{".repeat(strings))
    };
    for (levels, strings) in [(450, 250), (505, 30), (384, 255), (512, 1)] {
        let code = deep(levels, strings);
        let parsed = overgrant::internals::python::syntax::parse(F, "a.py", &code);
        assert!(parsed.tree.is_none(), "{levels} {strings}");
        assert!(parsed.problems.iter().any(|p| p.kind == ProblemKind::Input));
    }
    for (levels, strings) in [(100, 0), (370, 255), (300, 400)] {
        let code = deep(levels, strings);
        let parsed = overgrant::internals::python::syntax::parse(F, "a.py", &code);
        assert!(parsed.tree.is_some(), "{levels} {strings}");
    }
}

/// The account of a provider may be an output of a module that has the provider.
#[test]
fn a_provider_that_a_module_of_its_own_configures() {
    let policy = r#"resource "aws_iam_policy" "p" {
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "iam:*", Resource = "*" }] })
}
"#;
    let roles = r#"provider "aws" {
  alias   = "own"
  profile = module.names.profile
}
module "names" {
  source    = "../names"
  providers = { aws = aws.own }
}
output "arn" {
  value = "arn:aws:iam::111122223333:role/${module.names.profile}"
}
"#;
    let names = r#"data "aws_caller_identity" "me" {}
output "profile" {
  value = data.aws_caller_identity.me.account_id
}
"#;
    for provider in [
        "provider \"aws\" {\n  assume_role {\n    role_arn = module.roles.arn\n  }\n}\n",
        "provider \"aws\" {\n  profile = module.roles.arn\n}\n",
        "provider \"aws\" {\n  alias   = module.roles.arn\n  profile = \"x\"\n}\n",
        "provider \"aws\" {\n  allowed_account_ids = [module.roles.arn]\n}\n",
    ] {
        for handed in ["", "  providers = { aws = aws }\n"] {
            let main = format!("{provider}module \"roles\" {{\n  source = \"./roles\"\n{handed}}}\n{policy}");
            let files = [("main.tf", &*main), ("roles/main.tf", roles), ("names/main.tf", names)];
            let ran = Repository::new(&files).run(&["check", "--isolated", "--format", "json", "."]);
            assert!(
                ran.rules().contains(&"service-wildcard".to_owned()),
                "{main}{}",
                ran.out
            );
        }
    }
}
