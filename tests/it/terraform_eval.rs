//! Terraform's expressions: values as its documentation gives them, each part knowing where it is written.

use std::fmt::Write as _;

use overgrant::internals::formats::Format as _;
use overgrant::internals::formats::terraform::Terraform;
use overgrant::internals::model::{LoweredUnit, Resource, UnattachedPolicy, kinds};
use overgrant::internals::source::{Sources, Text};
use overgrant::internals::value::{Value, ValueKind};

use crate::support::lint::lower;

/// A value for comparison: strings in quotes, unknown parts as `${name}`, alternatives as `<a|b>`.
pub(crate) fn show_terraform(value: &Value) -> String {
    match &value.kind {
        ValueKind::Null => "null".into(),
        ValueKind::Bool(b) => b.to_string(),
        ValueKind::Num(n) => n.to_string(),
        ValueKind::Str(t) => format!("{:?}", t.display()),
        ValueKind::Seq(items) => format!("[{}]", items.iter().map(show_terraform).collect::<Vec<_>>().join(", ")),
        ValueKind::Map(entries) => {
            let all: Vec<String> = entries
                .iter()
                .map(|e| format!("{}: {}", e.key.display(), show_terraform(&e.value)))
                .collect();
            format!("{{{}}}", all.join(", "))
        }
        ValueKind::Json(inner) => format!("json({})", show_terraform(inner)),
        ValueKind::OneOf(branches) => {
            let all: Vec<String> = branches
                .iter()
                .map(|b| format!("{}: {}", b.when, show_terraform(&b.value)))
                .collect();
            format!("<{}>", all.join("|"))
        }
        ValueKind::Unknown(h) => format!("${{{}}}", h.name),
    }
}

/// As [`lower`], with `plan.json` alone asked about.
fn lower_plan(files: &[(&str, &str)]) -> (Sources, Vec<LoweredUnit>) {
    let input = |(path, text): &(&str, &str)| (path.to_string(), (*text).into(), *path == "plan.json");
    let sources = Sources::new(files.iter().map(input));
    let ids: Vec<_> = sources.ids().collect();
    let units = Terraform.lower(&sources, &ids);
    (sources, units)
}

fn all_resources(units: &[LoweredUnit]) -> Vec<&Resource> {
    units.iter().flat_map(|u| &u.resources).collect()
}

fn loose(units: &[LoweredUnit]) -> Vec<&UnattachedPolicy> {
    units.iter().flat_map(|u| &u.loose).collect()
}

/// Everything a value says of places: every known character slices to itself or to an escape of it; every span is in its
/// file; what was made points at something.
fn check_value_places(sources: &Sources, value: &Value) {
    let text = |t: &Text| {
        for (i, c) in t.with_placeholders().char_indices() {
            if let Some(span) = t.span_of(i..i + c.len_utf8()) {
                assert!(sources.text(span.file).get(span.range()).is_some(), "{span:?}");
            }
        }
    };
    assert!(
        sources.text(value.span.file).get(value.span.range()).is_some(),
        "{value:?}"
    );
    match &value.kind {
        ValueKind::Str(t) => text(t),
        ValueKind::Seq(items) => items.iter().for_each(|v| check_value_places(sources, v)),
        ValueKind::Map(entries) => entries.iter().for_each(|e| {
            text(&e.key);
            assert!(sources.text(e.key_span.file).get(e.key_span.range()).is_some());
            check_value_places(sources, &e.value);
        }),
        ValueKind::Json(inner) => check_value_places(sources, inner),
        ValueKind::OneOf(branches) => branches.iter().for_each(|b| check_value_places(sources, &b.value)),
        _ => {}
    }
}

/// Declarations that the expressions below may use.
const WORLD: &str = r#"
variable "unknown" {}
variable "list" { default = ["a", "b", "c"] }
variable "map" { default = { k = "v", l = "w" } }
variable "on" { default = true }
variable "settings" {
  type    = object({ name = string, size = optional(number, 3), tags = optional(map(string), {}) })
  default = { name = "n" }
}
locals {
  actions = ["s3:GetObject", "s3:PutObject"]
  nested  = { read = { actions = local.actions } }
  later   = "${local.earlier}!"
  earlier = "early"
  cycle_a = local.cycle_b
  cycle_b = local.cycle_a
}
data "aws_caller_identity" "me" {}
data "aws_partition" "p" {}
data "aws_region" "here" {}
resource "aws_s3_bucket" "b" { bucket = "my-bucket" }
resource "aws_iam_role" "r" { name = "role-name" }
resource "aws_iam_role" "many" {
  for_each = toset(["x", "y"])
  name     = each.key
}
resource "aws_iam_role" "two" {
  count = 2
  name  = "two-${count.index}"
}
"#;

/// The value of `expression`, and the sources it is in.
fn value_of(expression: &str) -> (Sources, Value) {
    let main = format!(
        r#"output "x" {{
  value = {expression}
}}
"#
    );
    let (sources, units) = lower(
        &Terraform,
        &[
            ("main.tf", &main),
            ("world.tf", WORLD),
            ("p.json", r#"{"Statement": []}"#),
            (
                "t.tftpl",
                r"Hello ${name}!
%{ for a in list ~}
- ${a}
%{ endfor ~}
",
            ),
        ],
    );
    let all = all_resources(&units);
    let output = all
        .iter()
        .find(|r| &*r.kind == kinds::OUTPUT)
        .unwrap_or_else(|| panic!("{expression}"));
    let value = output.get("Value").unwrap().clone();
    (sources, value)
}

/// Expression, value, and what the value's own span slices to (empty: not checked; `=`: the expression itself).
const CASES: &[(&str, &str, &str)] = &[
    // Types and values.
    (r#""hello""#, r#""hello""#, "="),
    ("15", "15", "="),
    ("6.283185", "6.283185", "="),
    ("true", "true", "="),
    ("null", "null", "="),
    (
        r#"["us-west-1a", "us-west-1c"]"#,
        r#"["us-west-1a", "us-west-1c"]"#,
        "=",
    ),
    (r#"{name = "Mabel", age = 52}"#, r#"{name: "Mabel", age: 52}"#, "="),
    ("{(var.list[0]) = 1}", "{a: 1}", "="),
    // Strings and templates.
    (r#""Hello, ${var.list[0]}!""#, r#""Hello, a!""#, "="),
    (r#""$${literal} %%{literal}""#, r#""${literal} %{literal}""#, "="),
    (
        r#""Hello, %{ if var.on }yes%{ else }no%{ endif }!""#,
        r#""Hello, yes!""#,
        "=",
    ),
    (r#""%{ for x in var.list }${x};%{ endfor }""#, r#""a;b;c;""#, "="),
    (r#""%{ for i, x in var.list }${i}${x}%{ endfor }""#, r#""0a1b2c""#, "="),
    (r#""${var.list}""#, r#"["a", "b", "c"]"#, r#"["a", "b", "c"]"#),
    (r#""arn:${var.unknown}/*""#, r#""arn:${var.unknown}/*""#, "="),
    (r#""${var.unknown}""#, "${var.unknown}", "var.unknown"),
    // References.
    ("var.map.k", r#""v""#, r#""v""#),
    (r#"var.map["l"]"#, r#""w""#, r#""w""#),
    ("var.unknown", "${var.unknown}", "="),
    ("var.unknown.a[0]", "${var.unknown.a[0]}", "="),
    (
        "local.actions",
        r#"["s3:GetObject", "s3:PutObject"]"#,
        r#"["s3:GetObject", "s3:PutObject"]"#,
    ),
    ("local.actions[1]", r#""s3:PutObject""#, r#""s3:PutObject""#),
    ("local.nested.read.actions[0]", r#""s3:GetObject""#, r#""s3:GetObject""#),
    ("local.later", r#""early!""#, r#""${local.earlier}!""#),
    ("local.cycle_a", "${local.cycle_a}", "="),
    ("path.module", r#"".""#, "="),
    ("terraform.workspace", "${terraform.workspace}", "="),
    (
        "data.aws_caller_identity.me.account_id",
        "${data.aws_caller_identity.me.account_id}",
        "=",
    ),
    (
        "data.aws_partition.p.partition",
        "${data.aws_partition.p.partition}",
        "=",
    ),
    ("data.aws_region.here.name", "${data.aws_region.here.name}", "="),
    (
        r#""${aws_s3_bucket.b.bucket}-logs""#,
        r#""${aws_s3_bucket.b.bucket}-logs""#,
        "=",
    ),
    ("aws_s3_bucket.b.arn", "${aws_s3_bucket.b.arn}", "="),
    (r#"aws_iam_role.many["x"].arn"#, r#"${aws_iam_role.many["x"].arn}"#, "="),
    (
        "aws_iam_role.two[*].arn",
        "[${aws_iam_role.two[0].arn}, ${aws_iam_role.two[1].arn}]",
        "=",
    ),
    ("aws_iam_role.r.unique_id", "${aws_iam_role.r.unique_id}", "="),
    (
        "[for r in aws_iam_role.many : r.arn]",
        r#"[${aws_iam_role.many["x"].arn}, ${aws_iam_role.many["y"].arn}]"#,
        "=",
    ),
    (
        "values(aws_iam_role.many)[*].arn",
        r#"[${aws_iam_role.many["x"].arn}, ${aws_iam_role.many["y"].arn}]"#,
        "=",
    ),
    ("random_id.x.hex", "${random_id.x.hex}", "="),
    // Operators.
    ("1 + 2 * 3", "7", "="),
    ("(1 + 2) * 3", "9", "="),
    ("7 / 2", "3.5", "="),
    ("7 % 4", "3", "="),
    ("-5", "-5", "="),
    ("!true", "false", "="),
    ("1 == 1", "true", "="),
    (r#""a" == "b""#, "false", "="),
    ("1 != 2", "true", "="),
    ("2 >= 2 && 1 < 2", "true", "="),
    ("false || 3 > 4", "false", "="),
    ("false && var.unknown", "false", "="),
    ("true || var.unknown", "true", "="),
    ("var.unknown == null", "${var.unknown == null}", "="),
    ("aws_s3_bucket.b.arn != null", "true", "="),
    (r#"aws_s3_bucket.b.arn != """#, "true", "="),
    (r#""x-${var.unknown}" == "y""#, "false", "="),
    // Conditionals.
    (r#"var.on ? "yes" : "no""#, r#""yes""#, r#""yes""#),
    (r#"!var.on ? "yes" : "no""#, r#""no""#, r#""no""#),
    (
        r#"var.unknown ? "yes" : "no""#,
        r#"<if var.unknown: "yes"|unless var.unknown: "no">"#,
        "=",
    ),
    (r#"var.unknown ? "same" : "same""#, r#""same""#, r#""same""#),
    (
        r#""a-${var.unknown ? 1 : 2}""#,
        r#"<if var.unknown: "a-1"|unless var.unknown: "a-2">"#,
        "",
    ),
    (
        r#"concat(["a"], var.unknown ? ["b"] : [])"#,
        r#"["a", <if var.unknown: "b">]"#,
        "=",
    ),
    // For expressions.
    ("[for s in var.list : upper(s)]", r#"["A", "B", "C"]"#, "="),
    (
        r#"[for i, v in var.list : "${i} is ${v}"]"#,
        r#"["0 is a", "1 is b", "2 is c"]"#,
        "=",
    ),
    (
        "{for s in var.list : s => upper(s)}",
        r#"{a: "A", b: "B", c: "C"}"#,
        "=",
    ),
    (r#"[for s in var.list : upper(s) if s != "b"]"#, r#"["A", "C"]"#, "="),
    (r#"[for k, v in var.map : "${k}=${v}"]"#, r#"["k=v", "l=w"]"#, "="),
    (
        r#"{for s in ["ax", "ay", "b"] : substr(s, 0, 1) => s...}"#,
        r#"{a: ["ax", "ay"], b: ["b"]}"#,
        "=",
    ),
    ("[for x in var.unknown : x]", "${[for x in var.unknown : x]}", "="),
    // Splats.
    ("[{id = 1}, {id = 2}][*].id", "[1, 2]", "="),
    ("var.list[*]", r#"["a", "b", "c"]"#, "="),
    (r#""one"[*]"#, r#"["one"]"#, "="),
    ("null[*]", "[]", "="),
    ("[{a = [1, 2]}].*.a[0]", "[1, 2]", ""),
    // String functions.
    (r#"format("Hello, %s!", "Ander")"#, r#""Hello, Ander!""#, "="),
    (r#"format("There are %d lights", 4)"#, r#""There are 4 lights""#, "="),
    (
        r#"format("%03d|%5s|%-5s|%.2f|%%", 7, "ab", "ab", 3.14159)"#,
        r#""007|   ab|ab   |3.14|%""#,
        "=",
    ),
    (r#"format("%[2]s %[1]s", "a", "b")"#, r#""b a""#, "="),
    (r#"format("%q %v", "x", [1, "a"])"#, r#""\"x\" [1,\"a\"]""#, "="),
    (
        r#"format("arn:aws:s3:::%s/*", var.unknown)"#,
        r#""arn:aws:s3:::${var.unknown}/*""#,
        "=",
    ),
    (
        r#"formatlist("Hello, %s!", ["Valentina", "Ander"])"#,
        r#"["Hello, Valentina!", "Hello, Ander!"]"#,
        "=",
    ),
    (r#"formatlist("%s-%s", var.list, "z")"#, r#"["a-z", "b-z", "c-z"]"#, "="),
    (r#"join("-", ["foo", "bar", "baz"])"#, r#""foo-bar-baz""#, "="),
    (r#"join(", ", var.unknown)"#, r#"${join(", ", var.unknown)}"#, "="),
    (r#"split(",", "foo,bar,baz")"#, r#"["foo", "bar", "baz"]"#, "="),
    (r#"split(",", "foo")"#, r#"["foo"]"#, "="),
    (r#"split(",", "")"#, r#"[""]"#, "="),
    (r#"lower("HELLO")"#, r#""hello""#, r#""HELLO""#),
    (r#"upper("hello")"#, r#""HELLO""#, r#""hello""#),
    (r#"title("hello world")"#, r#""Hello World""#, "="),
    (r#"replace("1 + 2 + 3", "+", "-")"#, r#""1 - 2 - 3""#, r#""1 + 2 + 3""#),
    (
        r#"replace("hello world", "/w.*d/", "everybody")"#,
        r#""hello everybody""#,
        "=",
    ),
    (r#"trimspace("  hello\n\n")"#, r#""hello""#, r#""  hello\n\n""#),
    (r#"trim("?!hello?!", "!?")"#, r#""hello""#, r#""?!hello?!""#),
    (r#"trimprefix("helloworld", "hello")"#, r#""world""#, r#""helloworld""#),
    (r#"trimsuffix("helloworld", "world")"#, r#""hello""#, r#""helloworld""#),
    (r#"chomp("hello\n")"#, r#""hello""#, r#""hello\n""#),
    (r#"substr("hello world", 1, 4)"#, r#""ello""#, r#""hello world""#),
    (r#"substr("hello world", -5, -1)"#, r#""world""#, r#""hello world""#),
    (r#"startswith("hello world", "hello")"#, "true", "="),
    (r#"startswith("arn:${var.unknown}", "arn:")"#, "true", "="),
    (r#"endswith("hello world", "hello")"#, "false", "="),
    (r#"strcontains("hello world", "wor")"#, "true", "="),
    (r#"strrev("hello")"#, r#""olleh""#, "="),
    (
        r#"indent(2, "[\n  foo,\n]")"#,
        r#""[\n    foo,\n  ]""#,
        r#""[\n  foo,\n]""#,
    ),
    (
        r#"regex("[a-z]+", "53453453.345345aaabbbccc23454")"#,
        r#""aaabbbccc""#,
        "aaabbbccc",
    ),
    (
        r#"regex("(\\d\\d\\d\\d)-(\\d\\d)", "2019-02")"#,
        r#"["2019", "02"]"#,
        "=",
    ),
    (
        r#"regex("(?P<y>\\d+)-(?P<m>\\d+)", "2019-02")"#,
        r#"{y: "2019", m: "02"}"#,
        "=",
    ),
    (r#"regexall("[a-z]+", "1234abcd5678efgh9")"#, r#"["abcd", "efgh"]"#, "="),
    // Collections.
    (r#"concat(["a", ""], ["b", "c"])"#, r#"["a", "", "b", "c"]"#, "="),
    (r#"concat(["a"], var.unknown)"#, r#"["a", ${var.unknown[*]}]"#, "="),
    (r#"flatten([["a", "b"], [], ["c"]])"#, r#"["a", "b", "c"]"#, "="),
    (r#"flatten([[["a", "b"], []], ["c"]])"#, r#"["a", "b", "c"]"#, "="),
    (r#"flatten(["a", var.unknown])"#, r#"["a", ${var.unknown[*]}]"#, "="),
    (
        r#"distinct(["a", "b", "a", "c", "d", "b"])"#,
        r#"["a", "b", "c", "d"]"#,
        "=",
    ),
    (r#"compact(["a", "", "b", null, "c"])"#, r#"["a", "b", "c"]"#, "="),
    (
        r#"merge({a="b", c="d"}, {e="f", c="z"})"#,
        r#"{a: "b", c: "z", e: "f"}"#,
        "=",
    ),
    (
        "merge({a = 1}, var.unknown)",
        "{a: 1, ${var.unknown[*]}: ${var.unknown[*]}}",
        "=",
    ),
    ("merge([{a = 1}, {b = 2}]...)", "{a: 1, b: 2}", "="),
    ("keys({a=1, c=2, b=3})", r#"["a", "b", "c"]"#, "="),
    ("values({a=3, c=2, b=1})", "[3, 1, 2]", "="),
    (r#"lookup({a="ay", b="bee"}, "a", "what?")"#, r#""ay""#, r#""ay""#),
    (r#"lookup({a="ay", b="bee"}, "c", "what?")"#, r#""what?""#, r#""what?""#),
    (r#"element(["a", "b", "c"], 1)"#, r#""b""#, r#""b""#),
    (r#"element(["a", "b", "c"], 3)"#, r#""a""#, r#""a""#),
    (
        r#"element(["a", "b", "c"], length(["a", "b", "c"])-1)"#,
        r#""c""#,
        r#""c""#,
    ),
    (r#"index(["a", "b", "c"], "b")"#, "1", "="),
    (r#"slice(["a", "b", "c", "d"], 1, 3)"#, r#"["b", "c"]"#, "="),
    ("length([])", "0", "="),
    (r#"length(["a", "b"])"#, "2", "="),
    (r#"length({"a" = "b"})"#, "1", "="),
    (r#"length("hello")"#, "5", "="),
    ("length(var.unknown)", "${length(var.unknown)}", "="),
    (r#"contains(["a", "b", "c"], "a")"#, "true", "="),
    (r#"contains(["a", "b", "c"], "d")"#, "false", "="),
    (r#"toset(["b", "a", "b"])"#, r#"["b", "a"]"#, "="),
    ("tolist(var.list)", r#"["a", "b", "c"]"#, r#"["a", "b", "c"]"#),
    (r#"tomap({"a" = 1})"#, "{a: 1}", r#"{"a" = 1}"#),
    ("tostring(1)", r#""1""#, "1"),
    (r#"tonumber("1")"#, "1", "="),
    (r#"tobool("true")"#, "true", "="),
    (r#"coalesce("a", "b")"#, r#""a""#, r#""a""#),
    (r#"coalesce("", "b")"#, r#""b""#, r#""b""#),
    ("coalesce(null, var.unknown)", "${var.unknown}", "var.unknown"),
    (
        r#"coalesce(var.unknown, "b")"#,
        r#"<if var.unknown: ${var.unknown}|unless var.unknown: "b">"#,
        "=",
    ),
    (r#"coalescelist([], ["c", "d"])"#, r#"["c", "d"]"#, r#"["c", "d"]"#),
    ("one([])", "null", "="),
    (r#"one(["x"])"#, r#""x""#, r#""x""#),
    (r#"sort(["e", "d", "a", "x"])"#, r#"["a", "d", "e", "x"]"#, "="),
    ("reverse([1, 2, 3])", "[3, 2, 1]", "="),
    (r#"zipmap(["a", "b"], [1, 2])"#, "{a: 1, b: 2}", "="),
    (r#"chunklist(["a", "b", "c"], 2)"#, r#"[["a", "b"], ["c"]]"#, "="),
    (
        r#"setunion(["a", "b"], ["b", "c"], ["d"])"#,
        r#"["a", "b", "c", "d"]"#,
        "=",
    ),
    (
        r#"setintersection(["a", "b"], ["b", "c"], ["b", "d"])"#,
        r#"["b"]"#,
        "=",
    ),
    (r#"setsubtract(["a", "b", "c"], ["a", "c"])"#, r#"["b"]"#, "="),
    (
        r#"setproduct(["dev", "prod"], ["a", "b"])"#,
        r#"[["dev", "a"], ["dev", "b"], ["prod", "a"], ["prod", "b"]]"#,
        "=",
    ),
    (
        r#"transpose({"a" = ["1", "2"], "b" = ["2", "3"]})"#,
        r#"{1: ["a"], 2: ["a", "b"], 3: ["b"]}"#,
        "=",
    ),
    (r#"matchkeys(["i-1", "i-2"], ["a", "b"], ["b"])"#, r#"["i-2"]"#, "="),
    ("range(3)", "[0, 1, 2]", "="),
    ("range(1, 4)", "[1, 2, 3]", "="),
    ("range(1, 8, 2)", "[1, 3, 5, 7]", "="),
    ("sum([10, 13, 6, 4.5])", "33.5", "="),
    ("max(12, 54, 3)", "54", "="),
    ("signum(-13)", "-1", "="),
    ("signum(0)", "0", "="),
    ("log(16, 2)", "4", "="),
    ("min(12, 54, 3)", "3", "="),
    ("ceil(5.1)", "6", "="),
    ("floor(4.9)", "4", "="),
    ("abs(-12.4)", "12.4", "="),
    ("pow(3, 2)", "9", "="),
    (r#"parseint("FF", 16)"#, "255", "="),
    ("alltrue([true, true])", "true", "="),
    ("anytrue([false, true])", "true", "="),
    // Encoding.
    (
        r#"yamlencode({"a" = "b", "c" = [1]})"#,
        r#"json({a: "b", c: [1]})"#,
        "=",
    ),
    ("yamldecode(yamlencode(var.map)).k", r#""v""#, r#""v""#),
    (r#"sensitive("hello")"#, r#""hello""#, r#""hello""#),
    ("nonsensitive(sensitive(var.list))[0]", r#""a""#, r#""a""#),
    (r#"ephemeralasnull("hello")"#, r#""hello""#, r#""hello""#),
    (r#"issensitive("hello")"#, r#"${issensitive("hello")}"#, "="),
    (r#"fileexists("${path.module}/main.tf")"#, "true", "="),
    (
        r#"fileexists("${path.module}/none.txt")"#,
        r#"${fileexists("${path.module}/none.txt")}"#,
        "=",
    ),
    (r#"pathexpand("/etc/resolv.conf")"#, r#""/etc/resolv.conf""#, "="),
    // Not evaluated: unknown, and no error.
    (
        r#"pathexpand("~/.ssh/id_rsa")"#,
        r#"${pathexpand("~/.ssh/id_rsa")}"#,
        "=",
    ),
    (
        r#"cidrhost("10.12.112.0/20", 16)"#,
        r#"${cidrhost("10.12.112.0/20", 16)}"#,
        "=",
    ),
    (r#"sha256("hello world")"#, r#"${sha256("hello world")}"#, "="),
    (
        r#"provider::aws::trim_iam_role_path("arn:aws:iam::444455556666:role/with/path/example")"#,
        r#"${provider::aws::trim_iam_role_path("arn:aws:iam::444455556666…}"#,
        "=",
    ),
    (r#"try(sha256("a"), "b")"#, r#"${sha256("a")}"#, r#"sha256("a")"#),
    (r#"jsonencode({"hello"="world"})"#, r#"json({hello: "world"})"#, "="),
    (r#"jsondecode("{\"hello\": \"world\"}").hello"#, r#""world""#, ""),
    ("jsondecode(jsonencode([1, 2]))[1]", "2", "2"),
    (r#"jsondecode("true")"#, "true", ""),
    (r#"yamldecode("a: [1, b]")"#, r#"{a: [1, "b"]}"#, ""),
    (r#"base64encode("Hello World")"#, r#""SGVsbG8gV29ybGQ=""#, "="),
    (r#"base64decode("SGVsbG8gV29ybGQ=")"#, r#""Hello World""#, "="),
    (r#"urlencode("Hello World!")"#, r#""Hello+World%21""#, "="),
    (r#""${jsonencode(["a", 1, null])}!""#, r#""[\"a\",1,null]!""#, "="),
    // Errors, and what catches them.
    (r#"try(var.map.none, "fallback")"#, r#""fallback""#, r#""fallback""#),
    (r#"try(var.map.k, "fallback")"#, r#""v""#, r#""v""#),
    (r#"try(jsondecode("{"), [])"#, "[]", "[]"),
    ("try(var.list[9], null)", "null", "null"),
    ("can(var.map.none)", "false", "="),
    (r#"can(regex("^a", "abc"))"#, "true", "="),
    (r#"can(regex("^b", "abc"))"#, "false", "="),
    // Types of variables.
    ("var.settings.size", "3", "3"),
    ("var.settings.tags", "{}", "{}"),
    // Files.
    (r#"file("p.json")"#, r#""{\"Statement\": []}""#, r#"{"Statement": []}"#),
    (
        r#"file("${path.module}/p.json")"#,
        r#""{\"Statement\": []}""#,
        r#"{"Statement": []}"#,
    ),
    (
        r#"templatefile("t.tftpl", { name = "you", list = ["a", "b"] })"#,
        r#""Hello you!\n- a\n- b\n""#,
        "",
    ),
    (r#"basename("foo/bar/baz.txt")"#, r#""baz.txt""#, "="),
    (r#"dirname("foo/bar/baz.txt")"#, r#""foo/bar""#, "="),
    (r#"fileset(path.module, "*.json")"#, r#"["p.json"]"#, "="),
    (r#"sensitive("s")"#, r#""s""#, r#""s""#),
    // Any other function.
    ("timestamp()", "${timestamp()}", "="),
    (
        r#"provider::aws::arn_parse("arn")"#,
        r#"${provider::aws::arn_parse("arn")}"#,
        "=",
    ),
];

#[test]
fn expressions_have_their_documented_values_and_places() {
    assert!(CASES.len() >= 120);
    let mut wrong = String::new();
    for (expression, expected, place) in CASES {
        let (sources, value) = value_of(expression);
        check_value_places(&sources, &value);
        let shown = show_terraform(&value);
        if shown != *expected {
            let _ = writeln!(
                wrong,
                r"{expression}
  is     {shown}
  should {expected}"
            );
        }
        let wanted = if *place == "=" { *expression } else { place };
        let found = sources.slice(value.span);
        if !place.is_empty() && found != wanted {
            let _ = writeln!(
                wrong,
                r"{expression}
  stands at {found}
  should    {wanted}"
            );
        }
    }
    assert!(
        wrong.is_empty(),
        r"
{wrong}"
    );
}

/// The named property of the resource at this address, shown.
fn property_at(units: &[LoweredUnit], address: &str, path: &[&str]) -> String {
    let all = all_resources(units);
    let r = all
        .iter()
        .find(|r| &*r.address.name == address)
        .unwrap_or_else(|| panic!("{address} in {:?}", all.iter().map(|r| &r.address).collect::<Vec<_>>()));
    r.path(path).map_or_else(|| "(none)".to_owned(), show_terraform)
}

const LINTED: &str = r#"{Version: "2012-10-17", Statement: [{Effect: "Allow", Action: "s3:*", Resource: "*"}]}"#;

#[test]
fn a_module_sees_its_arguments_and_its_caller_its_outputs() {
    let (sources, units) = lower(
        &Terraform,
        &[
            (
                "main.tf",
                r#"
module "policy" {
  source  = "./modules/policy"
  actions = local.actions
  name    = "app"
}
module "other" {
  source  = "./modules/policy"
  actions = ["s3:GetObject"]
}
locals { actions = ["s3:*"] }
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = module.policy.json
}
resource "aws_iam_role_policy_attachment" "a" {
  role       = aws_iam_role.r.name
  policy_arn = module.policy.arn
}
"#,
            ),
            (
                "modules/policy/main.tf",
                r#"
variable "actions" { type = list(string) }
variable "name" { default = "none" }
data "aws_iam_policy_document" "d" {
  statement {
    actions   = var.actions
    resources = ["*"]
  }
}
resource "aws_iam_policy" "p" {
  name   = "${var.name}-policy"
  policy = data.aws_iam_policy_document.d.json
}
output "json" { value = data.aws_iam_policy_document.d.json }
output "arn" { value = aws_iam_policy.p.arn }
"#,
            ),
        ],
    );
    let policies: Vec<&Resource> = all_resources(&units)
        .into_iter()
        .filter(|r| &*r.type_name == "aws_iam_policy")
        .collect();
    assert_eq!(policies.len(), 2);
    let first = policies.iter().find(|r| &*r.address.scope == "#module.policy").unwrap();
    assert_eq!(&*first.kind, "AWS::IAM::ManagedPolicy");
    let document = first.get("PolicyDocument").unwrap().decoded();
    assert_eq!(show_terraform(document), LINTED);
    // The action is written in the caller's locals, and came by the argument and the variable.
    let action = &document.get("Statement").unwrap().items()[0].get("Action").unwrap();
    assert_eq!(sources.slice(action.items()[0].span), r#""s3:*""#);
    assert_eq!(sources.path(action.items()[0].span.file), "main.tf");
    let mut steps = Vec::new();
    let mut via = &action.via;
    while let Some(step) = via {
        steps.push((sources.path(step.span.file), sources.slice(step.span)));
        via = &step.from;
    }
    assert_eq!(
        steps,
        [("modules/policy/main.tf", "var.actions"), ("main.tf", "local.actions")]
    );
    let second = policies.iter().find(|r| &*r.address.scope == "#module.other").unwrap();
    assert_eq!(
        show_terraform(second.get("ManagedPolicyName").unwrap()),
        r#""none-policy""#
    );
    // Outputs: the document by value, the ARN as a reference into the module.
    assert_eq!(
        property_at(&units, "aws_iam_role.r", &["AssumeRolePolicyDocument"]),
        format!("json({LINTED})")
    );
    let all = all_resources(&units);
    let attachment = all.iter().find(|r| &*r.kind == kinds::ATTACHMENT).unwrap();
    let target = attachment
        .get("PolicyArn")
        .unwrap()
        .as_hole()
        .unwrap()
        .target
        .clone()
        .unwrap();
    assert_eq!(
        (&*target.scope, &*target.address, &*target.attribute),
        ("#module.policy", "aws_iam_policy.p", "arn")
    );
    let role = attachment
        .get("Role")
        .unwrap()
        .as_hole()
        .unwrap()
        .target
        .clone()
        .unwrap();
    assert_eq!(
        (&*role.scope, &*role.address, &*role.attribute),
        ("", "aws_iam_role.r", "name")
    );
    assert!(loose(&units).is_empty());
}

#[test]
fn instances_are_told_apart_when_they_differ() {
    let (_, units) = lower(
        &Terraform,
        &[(
            "main.tf",
            r#"
locals {
  policies = { read = ["s3:GetObject"], all = ["s3:*"] }
}
resource "aws_iam_policy" "p" {
  for_each = local.policies
  name     = each.key
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = each.value, Resource = "*" }] })
}
resource "aws_iam_role_policy_attachment" "a" {
  for_each   = local.policies
  role       = "r"
  policy_arn = aws_iam_policy.p[each.key].arn
}
resource "aws_iam_user" "same" {
  count = 3
  name  = "u"
}
resource "aws_iam_user" "none" {
  count = 0
  name  = "none"
}
variable "enabled" { default = false }
resource "aws_iam_user" "maybe" {
  count = var.enabled ? 1 : 0
  name  = "maybe"
}
variable "unknown" {}
resource "aws_iam_user" "perhaps" {
  for_each = var.unknown
  name     = each.key
}
"#,
        )],
    );
    assert_eq!(
        property_at(&units, r#"aws_iam_policy.p["all"]"#, &["PolicyDocument"]),
        r#"json({Statement: [{Effect: "Allow", Action: ["s3:*"], Resource: "*"}]})"#
    );
    assert_eq!(
        property_at(&units, r#"aws_iam_role_policy_attachment.a["read"]"#, &["PolicyArn"]),
        r#"${aws_iam_policy.p["read"].arn}"#
    );
    let all = all_resources(&units);
    let find = |name: &str| all.iter().find(|r| &*r.address.name == name);
    assert_eq!(find("aws_iam_user.same").unwrap().instances, Some(3));
    assert_eq!(
        all.iter().filter(|r| &*r.address.name == "aws_iam_user.same").count(),
        1
    );
    assert!(find("aws_iam_user.none").is_none());
    assert_eq!(
        find("aws_iam_user.maybe")
            .unwrap()
            .branch
            .as_ref()
            .map(|when| when.label()),
        Some("if var.enabled is true")
    );
    assert_eq!(
        property_at(&units, "aws_iam_user.perhaps", &["UserName"]),
        "${each.key}"
    );
}

#[test]
fn what_exists_only_on_demand_is_seen_with_the_switch_on() {
    let (_, units) = lower(
        &Terraform,
        &[
            (
                "main.tf",
                r#"
variable "readonly" { default = false }
variable "create" { default = false }
variable "other" { default = true }
variable "mode" { default = "off" }
variable "instances" { default = 0 }
variable "region" {}
locals {
  narrow = var.readonly
  on     = var.create && var.other
}
resource "aws_iam_user" "count" {
  count = var.readonly ? 1 : 0
  name  = var.readonly ? "narrow" : "wide"
  path  = local.narrow ? "/narrow/" : "/wide/"
}
resource "aws_iam_user" "each" {
  for_each = local.narrow ? toset(["ci"]) : toset([])
  name     = "${each.key}-${local.narrow ? "narrow" : "wide"}"
}
resource "aws_iam_user" "both" {
  count = local.on ? 1 : 0
  name  = var.create ? "created" : "not"
  path  = var.other ? "/other/" : "/not/"
}
resource "aws_iam_user" "either" {
  count = var.create || var.readonly ? 1 : 0
  name  = var.create ? "created" : "readonly"
}
resource "aws_iam_user" "word" {
  count = contains(["full"], var.mode) ? 1 : 0
  name  = "user-${var.mode}"
}
resource "aws_iam_user" "another" {
  count = contains(["full"], var.mode) ? 1 : 0
  name  = var.mode == "off" ? "wide" : "narrow"
}
resource "aws_iam_user" "number" {
  count = var.instances
  name  = var.create ? "created" : "default"
}
resource "aws_iam_user" "keyed" {
  for_each = toset(var.create ? [var.region == "x" ? "a" : "b"] : [])
  name     = "user-${each.key}"
}
resource "aws_iam_user" "always" {
  name = var.readonly ? "narrow" : "wide"
}
module "m" {
  source = "./m"
  create = var.create
}
module "n" {
  source = "./n"
  count  = var.readonly ? 1 : 0
  name   = var.readonly ? "narrow" : "wide"
}
"#,
            ),
            (
                "m/main.tf",
                r#"
variable "create" { default = true }
resource "aws_iam_user" "u" {
  count = var.create ? 1 : 0
  name  = var.create ? "created" : "not"
}
"#,
            ),
            (
                "n/main.tf",
                r#"variable "name" {}
resource "aws_iam_user" "n" {
  name = var.name
}
"#,
            ),
        ],
    );
    for (address, property, value) in [
        ("aws_iam_user.count", "UserName", r#""narrow""#),
        ("aws_iam_user.count", "Path", r#""/narrow/""#),
        (r#"aws_iam_user.each["ci"]"#, "UserName", r#""ci-narrow""#),
        ("aws_iam_user.both", "UserName", r#""created""#),
        ("aws_iam_user.both", "Path", r#""/other/""#),
        (
            "aws_iam_user.either",
            "UserName",
            r#"<if var.create: "created"|unless var.create: "readonly">"#,
        ),
        ("aws_iam_user.word", "UserName", r#""user-${var.mode}""#),
        ("aws_iam_user.another", "UserName", r#""narrow""#),
        ("aws_iam_user.number", "UserName", r#""default""#),
        ("aws_iam_user.n", "UserName", r#""narrow""#),
        (
            r#"aws_iam_user.keyed["${each.key}"]"#,
            "UserName",
            r#""user-${each.key}""#,
        ),
        ("aws_iam_user.always", "UserName", r#""wide""#),
        ("aws_iam_user.u", "UserName", r#""created""#),
    ] {
        assert_eq!(property_at(&units, address, &[property]), value, "{address}");
    }
}

#[test]
fn dynamic_blocks_and_nested_blocks() {
    let (sources, units) = lower(
        &Terraform,
        &[(
            "main.tf",
            r#"
locals {
  statements = [{ sid = "One", actions = ["s3:*"] }, { sid = "Two", actions = ["sqs:*"] }]
}
variable "unknown" {}
data "aws_iam_policy_document" "d" {
  dynamic "statement" {
    for_each = local.statements
    content {
      sid       = statement.value.sid
      actions   = statement.value["actions"]
      resources = ["*"]
    }
  }
  dynamic "statement" {
    for_each = var.unknown
    iterator = it
    content {
      actions   = [it.value]
      resources = ["*"]
      dynamic "condition" {
        for_each = ["a"]
        content {
          test     = "StringEquals"
          variable = "aws:PrincipalTag/x"
          values   = [condition.value]
        }
      }
    }
  }
}
resource "aws_iam_role" "r" {
  inline_policy {
    name   = "one"
    policy = data.aws_iam_policy_document.d.json
  }
}
"#,
        )],
    );
    assert_eq!(
        property_at(&units, "aws_iam_role.r", &["Policies"]),
        "[{PolicyName: \"one\", PolicyDocument: json({Version: \"2012-10-17\", Statement: [\
         {Sid: \"One\", Effect: \"Allow\", Action: \"s3:*\", Resource: \"*\"}, \
         {Sid: \"Two\", Effect: \"Allow\", Action: \"sqs:*\", Resource: \"*\"}, \
         <for each of var.unknown: {Effect: \"Allow\", Action: [${it.value}], Resource: \"*\", \
         Condition: {StringEquals: {aws:PrincipalTag/x: [\"a\"]}}}>]})}]"
    );
    for u in &units {
        u.resources.iter().for_each(|r| check_value_places(&sources, &r.props));
    }
}

#[test]
fn policy_documents_merge_as_the_provider_merges() {
    let (sources, units) = lower(
        &Terraform,
        &[
            (
                "main.tf",
                r#"
data "aws_iam_policy_document" "source" {
  statement {
    sid       = "Kept"
    actions   = ["ec2:*"]
    resources = ["*"]
  }
  statement {
    sid       = "Replaced"
    actions   = ["s3:*"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "override" {
  statement {
    sid       = "Replaced"
    effect    = "Deny"
    actions   = ["s3:DeleteObject"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "all" {
  source_policy_documents   = [data.aws_iam_policy_document.source.json, file("extra.json")]
  override_policy_documents = [data.aws_iam_policy_document.override.json]
  statement {
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:root"]
    }
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::444455556666:root"]
    }
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
    actions       = ["sts:AssumeRole"]
    not_resources = ["arn:aws:s3:::b/&{aws:username}"]
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["111122223333"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = ["&{aws:userid}"]
    }
  }
}
data "aws_iam_policy_document" "public" {
  statement {
    actions = ["sns:Publish"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.all.json }
resource "aws_sns_topic_policy" "t" {
  arn    = "t"
  policy = data.aws_iam_policy_document.public.json
}
"#,
            ),
            (
                "extra.json",
                r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}}"#,
            ),
        ],
    );
    assert_eq!(
        property_at(&units, "aws_iam_policy.p", &["PolicyDocument"]),
        "json({Version: \"2012-10-17\", Statement: [\
         {Sid: \"Kept\", Effect: \"Allow\", Action: \"ec2:*\", Resource: \"*\"}, \
         {Sid: \"Replaced\", Effect: \"Deny\", Action: \"s3:DeleteObject\", Resource: \"*\"}, \
         {Effect: \"Allow\", Action: \"sqs:*\", Resource: \"*\"}, \
         {Effect: \"Allow\", Action: \"sts:AssumeRole\", NotResource: \"arn:aws:s3:::b/${aws:username}\", \
         Principal: {AWS: [\"arn:aws:iam::111122223333:root\", \"arn:aws:iam::444455556666:root\"], \
         Service: \"ec2.amazonaws.com\"}, \
         Condition: {StringEquals: {aws:SourceAccount: [\"111122223333\", \"${aws:userid}\"]}}}]})"
    );
    assert_eq!(
        property_at(&units, "aws_sns_topic_policy.t", &["PolicyDocument", "Statement"]),
        "(none)"
    );
    let all = all_resources(&units);
    let topic = all.iter().find(|r| &*r.type_name == "aws_sns_topic_policy").unwrap();
    let statement = &topic
        .get("PolicyDocument")
        .unwrap()
        .decoded()
        .get("Statement")
        .unwrap()
        .items()[0];
    let place = |key: &str| {
        let e = statement.entry(key).unwrap();
        (
            sources.slice(e.key_span).to_owned(),
            sources.slice(e.value.span).to_owned(),
        )
    };
    assert_eq!(place("Effect"), ("statement".into(), "statement".into()));
    assert_eq!(place("Action"), ("actions".into(), r#""sns:Publish""#.into()));
    assert_eq!(place("Principal"), ("principals".into(), r#""*""#.into()));
    assert_eq!(show_terraform(topic.get("Topics").unwrap()), r#"["t"]"#);
    for u in &units {
        u.resources.iter().for_each(|r| check_value_places(&sources, &r.props));
    }
}

#[test]
fn files_keep_their_own_places_and_missing_ones_are_wanted() {
    let (sources, units) = lower(
        &Terraform,
        &[
            (
                "infra/main.tf",
                r#"
resource "aws_iam_policy" "file" { policy = file("${path.module}/policies/p.json") }
resource "aws_iam_policy" "template" {
  policy = templatefile("policies/t.json.tftpl", { bucket = var.bucket, actions = ["s3:*", "sqs:*"] })
}
resource "aws_iam_policy" "missing" { policy = file("../shared/missing.json") }
variable "bucket" {}
module "gone" { source = "../modules/gone" }
"#,
            ),
            ("infra/policies/p.json", r#"{"Statement": []}"#),
            (
                "infra/policies/t.json.tftpl",
                r#"{"Statement": [{"Effect": "Allow", "Action": ${jsonencode(actions)}, "Resource": "arn:aws:s3:::${bucket}/*"}]}"#,
            ),
        ],
    );
    let all = all_resources(&units);
    let policy = |name: &str| {
        let r = all.iter().find(|r| &*r.address.name == name).unwrap();
        r.get("PolicyDocument").unwrap().clone()
    };
    let file = policy("aws_iam_policy.file");
    assert_eq!(sources.path(file.span.file), "infra/policies/p.json");
    assert_eq!(
        sources.slice(file.via.as_ref().unwrap().span),
        r#"file("${path.module}/policies/p.json")"#
    );
    let template = policy("aws_iam_policy.template");
    let text = template.as_text().unwrap();
    assert_eq!(
        text.display(),
        r#"{"Statement": [{"Effect": "Allow", "Action": ["s3:*","sqs:*"], "Resource": "arn:aws:s3:::${var.bucket}/*"}]}"#
    );
    // The action of the template is written in the call, the rest in the template.
    let at = text.with_placeholders().find("s3:*").unwrap();
    let place = text.span_of(at..at + 4).unwrap();
    assert_eq!(
        (sources.path(place.file), sources.slice(place)),
        ("infra/main.tf", "s3:*")
    );
    assert!(policy("aws_iam_policy.missing").is_unknown());
    let wanted: Vec<&str> = units.iter().flat_map(|u| &u.wanted).map(String::as_str).collect();
    assert_eq!(wanted, ["modules/gone/", "shared/missing.json"]);
}

#[test]
fn values_overrides_and_shadowing() {
    let (_, units) = lower(
        &Terraform,
        &[
            (
                "main.tf",
                r#"
variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
resource "aws_iam_user" "u" {
  name = "${var.a}-${var.b}-${var.c}"
  path = "/main/"
  tags = { k = "main" }
}
"#,
            ),
            (
                "terraform.tfvars",
                r#"a = "tfvars"
b = "tfvars"
"#,
            ),
            ("x.auto.tfvars", r#"b = "auto""#),
            ("prod.tfvars", r#"c = "prod""#),
            (
                "main_override.tf",
                r#"resource "aws_iam_user" "u" {
  path = "/override/"
}
"#,
            ),
        ],
    );
    assert_eq!(
        property_at(&units, "aws_iam_user.u", &["UserName"]),
        r#""tfvars-auto-default""#
    );
    assert_eq!(property_at(&units, "aws_iam_user.u", &["Path"]), r#""/override/""#);
    assert_eq!(property_at(&units, "aws_iam_user.u", &["Tags"]), r#"{k: "main"}"#);
}

#[test]
fn policies_that_nobody_uses_are_loose() {
    let (sources, units) = lower(
        &Terraform,
        &[(
            "main.tf",
            r#"
data "aws_iam_policy_document" "unused" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}
data "aws_iam_policy_document" "used" {
  statement {
    actions   = ["s3:*"]
    resources = ["*"]
  }
}
locals {
  unused = jsonencode({ Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
  used   = data.aws_iam_policy_document.used.json
  text   = <<-EOT
    {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
  EOT
}
resource "aws_iam_policy" "p" { policy = local.used }
resource "some_policy" "other" {
  rules = jsonencode({ Statement = [{ Effect = "Allow", Action = "ec2:*", Resource = "*" }] })
}
resource "some_thing" "nothing" { name = "x" }
output "o" { value = data.aws_iam_policy_document.unused.json }
module "registry" {
  source = "example/thing/aws"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sns:*", Resource = "*" }] })
}
"#,
        )],
    );
    let found: Vec<(String, &str)> = loose(&units)
        .iter()
        .map(|l| {
            (
                l.name.as_ref().unwrap().name.to_string(),
                sources.slice(l.value.span).lines().next().unwrap(),
            )
        })
        .map(|(n, s)| (n, if s.len() > 12 { &s[..12] } else { s }))
        .collect();
    assert_eq!(
        found,
        [
            ("data.aws_iam_policy_document.unused".to_owned(), r#"data "aws_ia"#),
            ("local.text".to_owned(), "<<-EOT"),
            ("local.unused".to_owned(), "jsonencode({"),
            ("module.registry".to_owned(), "jsonencode({"),
        ]
    );
    let kinds: Vec<&str> = all_resources(&units).iter().map(|r| &*r.kind).collect();
    assert_eq!(kinds, ["AWS::IAM::ManagedPolicy", "some_policy", "Overgrant::Output"]);
}

#[test]
fn credentials_places_have_their_cloudformation_shape() {
    let (_, units) = lower(
        &Terraform,
        &[(
            "main.tf",
            r#"
provider "aws" {
  region     = "eu-central-1"
  access_key = "mock"
  secret_key = "mock"
  assume_role { role_arn = "arn:aws:iam::111122223333:role/deploy" }
}
terraform {
  backend "s3" { access_key = "state" }
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  environment { variables = { some_name = "v" } }
}
resource "aws_codebuild_project" "c" {
  environment {
    environment_variable {
      name  = "A"
      value = "1"
    }
    environment_variable {
      name  = "B"
      value = "2"
    }
  }
}
resource "aws_launch_template" "l" { user_data = base64encode("echo") }
resource "aws_instance" "i" { user_data = "echo" }
resource "aws_ecs_task_definition" "t" {
  container_definitions = jsonencode([{ environment = [{ name = "A", value = "1" }] }])
}
"#,
        )],
    );
    let is =
        |address: &str, path: &[&str], value: &str| assert_eq!(property_at(&units, address, path), value, "{address}");
    is("provider.aws", &["AccessKey"], r#""mock""#);
    is(
        "provider.aws",
        &["AssumeRole", "RoleArn"],
        r#""arn:aws:iam::111122223333:role/deploy""#,
    );
    is("backend.s3", &["AccessKey"], r#""state""#);
    is(
        "aws_lambda_function.f",
        &["Environment", "Variables"],
        r#"{some_name: "v"}"#,
    );
    is(
        "aws_codebuild_project.c",
        &["Environment", "EnvironmentVariables"],
        r#"[{Name: "A", Value: "1"}, {Name: "B", Value: "2"}]"#,
    );
    is(
        "aws_launch_template.l",
        &["LaunchTemplateData", "UserData"],
        r#""ZWNobw==""#,
    );
    is("aws_instance.i", &["UserData"], r#""echo""#);
    is(
        "aws_ecs_task_definition.t",
        &["ContainerDefinitions"],
        r#"json([{environment: [{name: "A", value: "1"}]}])"#,
    );
}

#[test]
fn nothing_runs_for_ever() {
    let mut doubling = String::from(
        r#"locals {
  l0 = ["x"]
  t0 = "x"
"#,
    );
    for i in 1..60 {
        let _ = writeln!(doubling, "  l{i} = [local.l{}, local.l{}]", i - 1, i - 1);
        let _ = writeln!(doubling, r#"  t{i} = "${{local.t{}}}${{local.t{}}}""#, i - 1, i - 1);
    }
    doubling.push_str(
        r#"}
resource "aws_iam_policy" "p" {
  policy = jsonencode(local.l59)
  name = local.t59
}
"#,
    );
    let _ = lower(&Terraform, &[("main.tf", &doubling)]);
    let _ = lower(
        &Terraform,
        &[(
            "main.tf",
            r#"locals {
  r = range(1000)
  all = [for a in local.r : [for b in local.r : [for c in local.r : a * b * c]]]
}
resource "aws_iam_user" "u" {
  for_each = toset([for a in local.all : tostring(a)])
  name = each.key
}
"#,
        )],
    );
    // Modules that call each other, and themselves.
    let (_, units) = lower(
        &Terraform,
        &[
            (
                "a/main.tf",
                r#"module "b" { source = "../b" }
resource "aws_iam_user" "a" { name = "a" }
"#,
            ),
            (
                "b/main.tf",
                r#"module "a" { source = "../a" }
module "again" { source = "../a" }
"#,
            ),
            ("c/main.tf", r#"module "c" { source = "../c" }"#),
        ],
    );
    assert!(
        all_resources(&units)
            .iter()
            .any(|r| &*r.address.name == "aws_iam_user.a")
    );
    // A reference chain of any length.
    let mut chain = String::from(
        r#"locals {
  l0 = "end"
"#,
    );
    for i in 1..5000 {
        let _ = writeln!(chain, "  l{i} = local.l{}", i - 1);
    }
    chain.push_str(
        r#"}
output "o" { value = local.l4999 }
"#,
    );
    let _ = lower(&Terraform, &[("main.tf", &chain)]);
}

#[test]
fn json_syntax_declares_the_same() {
    let (sources, units) = lower(
        &Terraform,
        &[
            (
                "main.tf.json",
                r#"{
  "//": "a comment",
  "variable": {"name": {"default": "n"}, "other": {"type": "string"}},
  "locals": {"actions": ["s3:*"]},
  "provider": {"aws": [{"region": "eu-central-1"}, {"alias": "two", "access_key": "mock"}]},
  "terraform": {"backend": {"s3": {"access_key": "state"}}},
  "data": {"aws_iam_policy_document": {"d": {
    "statement": [{"actions": "${local.actions}", "resources": ["arn:aws:s3:::${var.name}-${lookup({a = \"x\"}, \"a\")}/*"]}]
  }}},
  "resource": {
    "aws_iam_policy": {"p": {"name": "${var.other}", "policy": "${data.aws_iam_policy_document.d.json}"}},
    "aws_iam_role": {"r": {
      "name": "r",
      "inline_policy": {"name": "i", "policy": "${jsonencode({Statement = [{Effect = \"Allow\", Action = \"*\", Resource = \"*\"}]})}"}
    }},
    "aws_lambda_function": {"f": {"environment": {"variables": {"a_b": "v"}}}}
  }
}"#,
            ),
            ("terraform.tfvars.json", r#"{"other": "given"}"#),
        ],
    );
    assert_eq!(
        property_at(&units, "aws_iam_policy.p", &["PolicyDocument"]),
        "json({Version: \"2012-10-17\", Statement: [{Effect: \"Allow\", Action: \"s3:*\", \
         Resource: \"arn:aws:s3:::n-x/*\"}]})"
    );
    assert_eq!(
        property_at(&units, "aws_iam_policy.p", &["ManagedPolicyName"]),
        r#""given""#
    );
    assert_eq!(
        property_at(&units, "aws_iam_role.r", &["Policies"]),
        r#"[{PolicyName: "i", PolicyDocument: json({Statement: [{Effect: "Allow", Action: "*", Resource: "*"}]})}]"#
    );
    assert_eq!(
        property_at(&units, "aws_lambda_function.f", &["Environment", "Variables"]),
        r#"{a_b: "v"}"#
    );
    assert_eq!(property_at(&units, "provider.aws.two", &["AccessKey"]), r#""mock""#);
    assert_eq!(property_at(&units, "backend.s3", &["AccessKey"]), r#""state""#);
    let all = all_resources(&units);
    let role = all.iter().find(|r| &*r.address.name == "aws_iam_role.r").unwrap();
    let document = role.get("Policies").unwrap().items()[0]
        .get("PolicyDocument")
        .unwrap()
        .decoded();
    let action = document.get("Statement").unwrap().items()[0].get("Action").unwrap();
    // Written inside a JSON string, the quotes are escaped.
    assert_eq!(sources.slice(action.span), r#"\"*\""#);
    assert_eq!(sources.slice(role.header), r#""r""#);
    for u in &units {
        assert_eq!(u.problems, []);
        u.resources.iter().for_each(|r| check_value_places(&sources, &r.props));
    }
}

#[test]
fn terragrunt_inputs_are_arguments() {
    let (_, units) = lower(
        &Terraform,
        &[
            (
                "live/prod/terragrunt.hcl",
                r#"
include "root" { path = find_in_parent_folders() }
terraform { source = "../../modules//user" }
locals { name = "prod" }
inputs = { name = local.name, path = dependency.x.outputs.path }
"#,
            ),
            (
                "modules/user/main.tf",
                r#"
variable "name" {}
variable "path" {}
resource "aws_iam_user" "u" {
  name = var.name
  path = var.path
}
"#,
            ),
        ],
    );
    assert_eq!(property_at(&units, "aws_iam_user.u", &["UserName"]), r#""prod""#);
    assert_eq!(
        property_at(&units, "aws_iam_user.u", &["Path"]),
        "${dependency.x.outputs.path}"
    );
}

#[test]
fn registry_modules_by_their_known_shape() {
    let (sources, units) = lower(
        &Terraform,
        &[(
            "main.tf",
            r#"
module "policy" {
  source = "terraform-aws-modules/iam/aws//modules/iam-policy"
  name   = "p"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}
module "role" {
  source                = "terraform-aws-modules/iam/aws//modules/iam-assumable-role"
  create_role           = true
  role_name             = "r"
  role_requires_mfa     = false
  trusted_role_arns     = ["*"]
  trusted_role_services = ["ec2.amazonaws.com"]
  attach_admin_policy   = true
  custom_role_policy_arns = [module.policy.arn]
}
module "lambda" {
  source                     = "git::https://github.com/terraform-aws-modules/terraform-aws-lambda.git?ref=v7"
  function_name              = "f"
  handler                    = "app.handler"
  create_lambda_function_url = true
  environment_variables      = { KEY = "value" }
  attach_policy_statements   = true
  policy_statements = {
    s3 = {
      effect    = "Allow"
      actions   = ["s3:*"]
      resources = ["*"]
      condition = {
        c = { test = "StringEquals", variable = "aws:PrincipalTag/x", values = ["y"] }
      }
    }
  }
  allowed_triggers = {
    sns = { service = "sns" }
    any = { principal = "*" }
  }
}
module "workflows" {
  source   = "terraform-aws-modules/iam/aws//modules/iam-github-oidc-role"
  subjects = ["acme/app:*", "repo:acme/other:ref:refs/heads/main"]
}
module "pods" {
  source = "terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks"
  oidc_providers = {
    main = {
      provider_arn               = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A"
      namespace_service_accounts = ["kube-system:aws-node"]
    }
  }
}
module "other" {
  source            = "example/thing/aws"
  policy_statements = [{ actions = ["sqs:*"], resources = ["*"] }]
}
"#,
        )],
    );
    let statement = r#"{Version: "2012-10-17", Statement: [{Effect: "Allow", Action: "s3:*", Resource: "*", Condition: {StringEquals: {aws:PrincipalTag/x: ["y"]}}}]}"#;
    assert_eq!(
        property_at(&units, "module.lambda.role", &["Policies"]),
        format!("[{{PolicyDocument: json({statement})}}]")
    );
    let condition = |address: &str| {
        let all = all_resources(&units);
        let role = all.iter().find(|r| &*r.address.name == address).unwrap();
        let trust = role.get("AssumeRolePolicyDocument").unwrap().decoded().clone();
        show_terraform(trust.get("Statement").unwrap().items()[0].get("Condition").unwrap())
    };
    assert_eq!(
        condition("module.workflows"),
        "{StringEquals: {token.actions.githubusercontent.com:aud: \"sts.amazonaws.com\"}, \
         StringLike: {token.actions.githubusercontent.com:sub: [\"repo:acme/app:*\", \"repo:acme/other:ref:refs/heads/main\"]}}"
    );
    assert_eq!(
        condition("module.pods"),
        "{StringEquals: {oidc.eks.eu-west-1.amazonaws.com/id/A:aud: \"sts.amazonaws.com\", \
         oidc.eks.eu-west-1.amazonaws.com/id/A:sub: [\"system:serviceaccount:kube-system:aws-node\"]}}"
    );
    assert_eq!(
        property_at(&units, "module.lambda", &["Environment", "Variables"]),
        r#"{KEY: "value"}"#
    );
    assert_eq!(
        property_at(&units, "module.lambda", &["Role"]),
        "${module.lambda.role.arn}"
    );
    assert_eq!(property_at(&units, "module.lambda.url", &["AuthType"]), r#""NONE""#);
    assert_eq!(
        property_at(&units, r#"module.lambda.trigger["any"]"#, &["Principal"]),
        r#""*""#
    );
    assert_eq!(
        property_at(&units, r#"module.lambda.trigger["sns"]"#, &["Principal"]),
        r#""sns.amazonaws.com""#
    );
    assert_eq!(
        property_at(&units, "module.role", &["AssumeRolePolicyDocument"]),
        "json({Version: \"2012-10-17\", Statement: [\
         {Effect: \"Allow\", Action: \"sts:AssumeRole\", Principal: {AWS: \"*\"}}, \
         {Effect: \"Allow\", Action: \"sts:AssumeRole\", Principal: {Service: \"ec2.amazonaws.com\"}}]})"
    );
    assert_eq!(
        property_at(&units, "module.role", &["ManagedPolicyArns"]),
        r#"[${module.policy.arn}, "arn:aws:iam::aws:policy/AdministratorAccess"]"#
    );
    let found: Vec<String> = loose(&units).iter().map(|l| show_terraform(&l.value)).collect();
    assert_eq!(
        found,
        [r#"json({Version: "2012-10-17", Statement: [{Effect: "Allow", Action: "sqs:*", Resource: "*"}]})"#]
    );
    for u in &units {
        u.resources.iter().for_each(|r| check_value_places(&sources, &r.props));
    }
}

#[test]
fn plans_hold_resolved_values() {
    let (sources, units) = lower_plan(&[
        (
            "plan.json",
            r#"{"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {"root_module": {
  "resources": [{
    "address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r",
    "values": {
      "name": "role", "permissions_boundary": null,
      "assume_role_policy": "{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sts:AssumeRole\"}]}",
      "inline_policy": [{"name": "i", "policy": "{}"}]
    }
  }],
  "child_modules": [{"address": "module.m", "resources": [{
    "address": "module.m.aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function", "name": "f",
    "values": {"environment": [{"variables": {"A_B": "v"}}]}
  }]}]
}}}"#,
        ),
        (
            "main.tf",
            r#"resource "aws_iam_role" "other" {}
resource "aws_iam_role" "r" {}
"#,
        ),
    ]);
    let all = all_resources(&units);
    let role = all.iter().find(|r| &*r.address.scope == "plan.json").unwrap();
    assert_eq!(&*role.kind, "AWS::IAM::Role");
    assert_eq!(sources.slice(role.header), r#"resource "aws_iam_role" "r""#);
    assert_eq!(show_terraform(role.get("RoleName").unwrap()), r#""role""#);
    assert!(role.get("PermissionsBoundary").is_none());
    assert_eq!(
        show_terraform(role.get("Policies").unwrap()),
        r#"[{PolicyName: "i", PolicyDocument: "{}"}]"#
    );
    assert_eq!(
        property_at(&units, "module.m.aws_lambda_function.f", &["Environment", "Variables"]),
        r#"{A_B: "v"}"#
    );
    let trust = role.get("AssumeRolePolicyDocument").unwrap().as_text().unwrap().clone();
    let at = trust.display().find("sts:").unwrap();
    assert_eq!(sources.slice(trust.span_of(at..at + 14).unwrap()), "sts:AssumeRole");
}

/// A plan of a bucket, a policy about it, and a module called twice; `main.tf` beside it says the same.
const PLAN: &str = r#"{"format_version": "1.2", "terraform_version": "1.11.4",
"planned_values": {"root_module": {
  "resources": [
    {"address": "aws_iam_policy.p", "mode": "managed", "type": "aws_iam_policy", "name": "p", "values": {"name": "p"}},
    {"address": "aws_iam_role.auto", "mode": "managed", "type": "aws_iam_role", "name": "auto",
     "values": {"assume_role_policy": "{}", "inline_policy": []}}],
  "child_modules": [
    {"address": "module.m[\"a.b[1]\"]", "resources": [
      {"address": "module.m[\"a.b[1]\"].aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r",
       "values": {"assume_role_policy": "{}"}},
      {"address": "module.m[\"a.b[1]\"].aws_iam_role_policy.p", "mode": "managed", "type": "aws_iam_role_policy", "name": "p",
       "values": {"policy": "{\"Statement\": []}"}}]}]
}},
"resource_changes": [
  {"address": "aws_iam_policy.p", "change": {"after_unknown": {"arn": true, "policy": true}}},
  {"address": "aws_iam_role.auto", "change": {"after_unknown": {"inline_policy": true, "managed_policy_arns": true}}},
  {"address": "module.m[\"a.b[1]\"].aws_iam_role_policy.p", "change": {"after_unknown": {"id": true, "role": true}}}],
"configuration": {"root_module": {
  "resources": [
    {"address": "aws_iam_policy.p", "expressions": {"name": {"constant_value": "p"}, "policy": {"references": ["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]}}},
    {"address": "aws_iam_role.auto", "expressions": {"assume_role_policy": {}}}],
  "module_calls": {"m": {"source": "./mods/r", "module": {"resources": [
    {"address": "aws_iam_role_policy.p", "expressions": {"policy": {}, "role": {"references": ["aws_iam_role.r.id", "aws_iam_role.r"]}}}]}}}
}}}"#;

#[test]
fn what_a_plan_leaves_open_is_unknown_with_its_reason() {
    let (_, units) = lower(&Terraform, &[("plan.json", PLAN)]);
    let all = all_resources(&units);
    let policy = all.iter().find(|r| &*r.address.name == "aws_iam_policy.p").unwrap();
    let hole = policy.get("PolicyDocument").unwrap().as_hole().unwrap();
    assert_eq!(&*hole.name, "aws_s3_bucket.b.arn");
    assert_eq!(hole.kind.reason(), "known only after apply");
    assert!(hole.target.is_none());
    // No one wrote what the provider works out by itself.
    let auto = all.iter().find(|r| &*r.address.name == "aws_iam_role.auto").unwrap();
    assert!(auto.get("ManagedPolicyArns").is_none());
    assert!(auto.get("Policies").is_none_or(|p| p.items().is_empty()));
}

#[test]
fn a_plan_is_linked_and_placed_where_its_source_is() {
    let (sources, units) = lower_plan(&[
        ("plan.json", PLAN),
        (
            "main.tf",
            r#"module "m" {
  source = "./mods/r"
}
resource "aws_iam_policy" "p" {}
"#,
        ),
        (
            "mods/r/main.tf",
            r#"resource "aws_iam_role" "r" {}
resource "aws_iam_role_policy" "p" {}
"#,
        ),
    ]);
    let all = all_resources(&units);
    let planned = |name: &str| {
        *all.iter()
            .find(|r| &*r.address.scope == "plan.json" && &*r.address.name == name)
            .unwrap()
    };
    let inline = planned(r#"module.m["a.b[1]"].aws_iam_role_policy.p"#);
    assert_eq!(sources.path(inline.header.file), "mods/r/main.tf");
    assert_eq!(sources.slice(inline.header), r#"resource "aws_iam_role_policy" "p""#);
    let role = inline
        .get("RoleName")
        .unwrap()
        .as_hole()
        .unwrap()
        .target
        .clone()
        .unwrap();
    assert_eq!(&*role.address, r#"module.m["a.b[1]"].aws_iam_role.r"#);
    assert_eq!(sources.path(planned("aws_iam_policy.p").header.file), "main.tf");
}

#[test]
fn what_a_plan_knows_completes_its_source() {
    let plan = r#"{"format_version": "1.2", "terraform_version": "1.11.4", "planned_values": {"root_module": {
  "resources": [
    {"address": "aws_iam_policy.p[\"a\"]", "mode": "managed", "type": "aws_iam_policy", "values": {"policy": "{\"Statement\":{\"Action\":\"s3:*\",\"Effect\":\"Allow\"}}"}},
    {"address": "aws_iam_policy.p[\"b\"]", "mode": "managed", "type": "aws_iam_policy", "values": {"policy": "{\"Statement\":{\"Action\":\"iam:*\",\"Effect\":\"Allow\"}}"}},
    {"address": "aws_iam_policy.whole", "mode": "managed", "type": "aws_iam_policy", "values": {"name": "w-1", "policy": "{\"Statement\": []}"}}],
  "child_modules": [{"address": "module.m[0]", "resources": [
    {"address": "module.m[0].aws_iam_user.u", "mode": "managed", "type": "aws_iam_user", "values": {"name": "ann"}},
    {"address": "module.m[0].aws_iam_user.new", "mode": "managed", "type": "aws_iam_user", "values": {"name": "bob"}}]}]
}}}"#;
    let (sources, units) = lower(
        &Terraform,
        &[
            ("plan.json", plan),
            (
                "main.tf",
                r#"variable "grants" {}
variable "n" {}
variable "text" {}
resource "aws_iam_policy" "p" {
  for_each = var.grants
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = each.value }] })
}
resource "aws_iam_policy" "whole" {
  name = "w-${var.n}"
  policy = var.text
}
module "m" {
  count = var.n
  source = "./m"
  name = var.text
}
"#,
            ),
            (
                "m/main.tf",
                r#"variable "name" {}
resource "aws_iam_user" "u" { name = var.name }
"#,
            ),
        ],
    );
    let all: Vec<String> = all_resources(&units)
        .iter()
        .filter(|r| r.kind.starts_with("AWS::IAM::"))
        .map(|r| {
            format!(
                "{} {} {}",
                sources.path(r.header.file),
                r.address.full(),
                show_terraform(&r.props)
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            // What the source does not declare stays the plan's.
            r#"plan.json module.m[0].aws_iam_user.new {UserName: "bob"}"#,
            r#"main.tf aws_iam_policy.p {PolicyDocument: json({Statement: [{Effect: "Allow", Action: "s3:*"}]})}"#,
            r#"main.tf aws_iam_policy.whole {ManagedPolicyName: "w-1", PolicyDocument: "{\"Statement\": []}"}"#,
            r#"m/main.tf module.m.aws_iam_user.u {UserName: "ann"}"#,
            r#"main.tf aws_iam_policy.p {PolicyDocument: json({Statement: [{Effect: "Allow", Action: "iam:*"}]})}"#,
        ]
    );
    for u in &units {
        u.resources.iter().for_each(|r| check_value_places(&sources, &r.props));
    }
}

#[test]
fn texts_that_multiply_and_modules_that_call_each_other_end() {
    let expressions = [
        r#"replace(local.long, "a", local.long)"#,
        r#"replace(local.long, "/a/", local.long)"#,
        r#"indent(200, replace(local.long, "a", "\n"))"#,
        r#"split("a", local.long)"#,
        r#"split("", local.long)"#,
        "local.d60",
        "[for i in range(20000) : local.long]",
        r#"[for i in range(20000) : { a = "${local.long}b" }]"#,
        r#"[for a in range(20000) : [for b in range(20000) : [for c in range(20000) : "x"]]]"#,
        "setproduct(range(1000000), range(1000000))",
    ];
    let mut world = r#"locals {
  long = join("", [for i in range(20000) : "aaaaaaaaaaaaaaaaaaaa"])
  d0 = "a"
"#
    .to_owned();
    for i in 0..60 {
        let _ = writeln!(world, r#"  d{} = format("%s%s", local.d{i}, local.d{i})"#, i + 1);
    }
    world.push_str("}\n");
    for expression in expressions {
        let main = format!(
            r#"{world}output "x" {{
  value = {expression}
}}
"#
        );
        let (_, units) = lower(&Terraform, &[("main.tf", &main)]);
        let all = all_resources(&units);
        let output = all.iter().find(|r| &*r.kind == kinds::OUTPUT).unwrap();
        // Beyond the bound nothing is known of it.
        let size = output.get("Value").map_or(0, size);
        assert!(size < 20_000_000, "{expression}: {size}");
    }
    let call = |name: &str, source: &str| {
        format!(
            r#"module "{name}" {{
  source = "{source}"
}}
"#
        )
    };
    let back = call("a", "../a") + &call("b", "../b") + &call("again", "../a");
    let (_, units) = lower(
        &Terraform,
        &[
            ("main.tf", &call("a", "./a")),
            ("a/main.tf", &(back.clone() + r#"resource "aws_iam_role" "r" {}"#)),
            ("b/main.tf", &back),
        ],
    );
    let roles = all_resources(&units);
    assert!((1..10).contains(&roles.iter().filter(|r| &*r.kind == "AWS::IAM::Role").count()));
}

/// How long all texts in a value are, as far as anyone would read.
fn size(value: &Value) -> usize {
    match &value.kind {
        ValueKind::Str(t) => t.len(),
        ValueKind::Seq(items) => items.iter().map(size).sum(),
        ValueKind::Json(inner) => size(inner),
        _ => 1,
    }
}
