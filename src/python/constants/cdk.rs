//! What the AWS CDK makes of values: pseudo parameters, functions of CloudFormation, ARNs.
//! AWS CDK API Reference, `aws_cdk.Fn`, `aws_cdk.Stack`, `aws_cdk.aws_iam`.

use crate::python::constants::ConstantEvaluator;
use crate::python::{CallExpr, ExprId, ExprKind};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Value, ValueKind};

/// Pseudo parameters by the properties of `ScopedAws`, the attributes of `Aws` in lower case.
const PSEUDO: [(&str, HoleKind, &str); 4] = [
    ("account_id", HoleKind::Account, "AWS::AccountId"),
    ("partition", HoleKind::Partition, "AWS::Partition"),
    ("region", HoleKind::Region, "AWS::Region"),
    ("url_suffix", HoleKind::UrlSuffix, "AWS::URLSuffix"),
];

/// Variables in which the toolkit of the CDK gives the environment. AWS CDK Developer Guide, "Configure environments".
const ENVIRONMENT: [(&str, HoleKind); 2] = [
    ("CDK_DEFAULT_ACCOUNT", HoleKind::Account),
    ("CDK_DEFAULT_REGION", HoleKind::Region),
];

/// How many parts of a `Fn.join` are read.
const MAX_ITEMS: usize = 200;

/// Methods of constructs that give ARNs.
pub(super) fn is_method(name: &str) -> bool {
    matches!(name, "format_arn" | "arn_for_objects")
}

/// What an environment variable gives.
pub(super) fn variable(name: &str) -> HoleKind {
    let known = ENVIRONMENT.iter().find(|(n, _)| *n == name);
    known.map_or(HoleKind::Input, |(_, kind)| *kind)
}

/// The ARN of the root of an account: what `AccountPrincipal` stands for.
pub fn root_of(account: &Text, at: Span) -> Text {
    let mut out = Text::synthetic("arn:", at);
    out.append(&hole(HoleKind::Partition, "AWS::Partition", at));
    out.append(&Text::synthetic(":iam::", at));
    out.append(account);
    out.append(&Text::synthetic(":root", at));
    out
}

/// The account that is deployed to.
pub fn own_account(at: Span) -> Text {
    hole(HoleKind::Account, "AWS::AccountId", at)
}

fn hole(kind: HoleKind, name: &str, at: Span) -> Text {
    Text::hole(Hole::new(kind, name, at))
}

fn pseudo(name: &str) -> Option<HoleKind> {
    PSEUDO.iter().find(|(_, _, n)| *n == name).map(|(_, kind, _)| *kind)
}

impl ConstantEvaluator<'_> {
    /// What a function of the CDK gives; `name` is the library name of what is called, or the method.
    pub(super) fn cdk_call(&self, module: usize, expr: ExprId, call: &CallExpr, name: &str) -> Option<Value> {
        let span = self.span(module, expr);
        if !name.contains("aws_cdk") && !is_method(name) {
            return None;
        }
        let mut path = name.rsplit('.');
        let (last, class) = (path.next()?, path.next().unwrap_or_default());
        let argument = |i: usize, keyword: &str| {
            let given = call.positional(i).or_else(|| call.keyword(keyword));
            given.map(|e| self.value(module, e))
        };
        match (class, last) {
            ("Fn", "ref") => {
                let of = argument(0, "logical_name")?;
                let of = of.as_str()?;
                let kind = pseudo(&of).unwrap_or(HoleKind::Input);
                Some(Value::text(hole(kind, &of, span), span))
            }
            ("Fn", "sub") => {
                let body = argument(0, "body")?;
                let variables = argument(1, "variables");
                Some(Value::text(
                    substituted(body.as_text()?, variables.as_ref(), span),
                    span,
                ))
            }
            ("Fn", "join") => {
                let (between, list) = (argument(0, "delimiter")?, argument(1, "list_of_values")?);
                let (between, parts) = (between.as_text()?, list.as_seq()?);
                let mut out = Text::default();
                for (i, part) in parts.iter().take(MAX_ITEMS).enumerate() {
                    if i > 0 {
                        out.append(between);
                    }
                    out.append(&text_of(part, span));
                }
                Some(Value::text(out, span))
            }
            ("Fn", "import_value") => {
                let shown = argument(0, "shared_value_to_import");
                let name = shown.as_ref().and_then(Value::as_str);
                let name = name.as_deref().unwrap_or("import");
                Some(Value::unknown(Hole::new(HoleKind::Outside, name, span)))
            }
            ("Token", "as_string") => argument(0, "value"),
            ("Arn", "format") => {
                let components = self.call_of(module, call.positional(0)?)?;
                Some(Value::text(self.arn_of(module, components, span), span))
            }
            // AWS CDK API Reference, `IBucket.arn_for_objects`.
            (_, "arn_for_objects") => {
                let ExprKind::Attr { of, .. } = &self.module(module).expr(call.function).kind else {
                    return None;
                };
                let mut arn = self.construct_arn(module, *of, "bucket_arn", span)?;
                arn.append(&Text::synthetic("/", span));
                arn.append(&text_of(&argument(0, "key_pattern")?, span));
                Some(Value::text(arn, span))
            }
            (_, "format_arn") => Some(Value::text(self.arn_of(module, call, span), span)),
            _ => None,
        }
    }

    /// An attribute of what the CDK makes: `iam.AccountPrincipal(x).arn`, `ScopedAws(self).account_id`.
    pub(super) fn cdk_attribute(&self, module: usize, of: ExprId, name: &str, span: Span) -> Option<Value> {
        let call = self.call_of(module, of)?;
        let function = self.module(module).dotted(call.function)?;
        let class = function.rsplit('.').next()?;
        let argument = |keyword: &str| {
            let given = call.positional(0).or_else(|| call.keyword(keyword));
            given.map(|e| self.value(module, e))
        };
        match (class, name) {
            ("ScopedAws", _) => {
                let (_, kind, shown) = PSEUDO.iter().find(|(attribute, ..)| *attribute == name)?;
                Some(Value::text(hole(*kind, shown, span), span))
            }
            ("AccountRootPrincipal", "arn") => Some(Value::text(root_of(&own_account(span), span), span)),
            ("AccountPrincipal", "arn") => {
                let account = text_of(&argument("account_id")?, span);
                Some(Value::text(root_of(&account, span), span))
            }
            ("AccountPrincipal", "account_id") => argument("account_id"),
            ("ArnPrincipal", "arn") => argument("arn"),
            _ => None,
        }
    }

    /// The call that an expression is, or that the name that it is stands for.
    fn call_of(&self, module: usize, expr: ExprId) -> Option<&CallExpr> {
        let m = self.module(module);
        m.call(m.defining_expression(expr)?)
    }

    /// `format_arn(service="sqs", resource="q")`: partition, region and account are those of the stack unless they are given.
    fn arn_of(&self, module: usize, components: &CallExpr, span: Span) -> Text {
        let given = |keyword: &str| components.keyword(keyword).map(|e| self.value(module, e));
        let part = |keyword: &str, pseudo: Option<(HoleKind, &str)>| match (given(keyword), pseudo) {
            (Some(v), _) if !v.is_null() => text_of(&v, span),
            (_, Some((kind, name))) => hole(kind, name, span),
            (_, None) => hole(HoleKind::Other, keyword, span),
        };
        let parts = [
            Text::synthetic("arn", span),
            part("partition", Some((HoleKind::Partition, "AWS::Partition"))),
            part("service", None),
            part("region", Some((HoleKind::Region, "AWS::Region"))),
            part("account", Some((HoleKind::Account, "AWS::AccountId"))),
            part("resource", None),
        ];
        let mut out = Text::default();
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                out.append(&Text::synthetic(":", span));
            }
            out.append(part);
        }
        if let Some(name) = given("resource_name").filter(|v| !v.is_null()) {
            let form = components
                .keyword("arn_format")
                .and_then(|e| self.module(module).dotted(e));
            let colon = form.is_some_and(|f| f.ends_with("COLON_RESOURCE_NAME"))
                || given("sep").is_some_and(|s| s.as_str().as_deref() == Some(":"));
            out.append(&Text::synthetic(if colon { ":" } else { "/" }, span));
            out.append(&text_of(&name, span));
        }
        out
    }
}

/// A part of a text that is made of values.
pub(super) fn text_of(value: &Value, span: Span) -> Text {
    match &value.kind {
        ValueKind::Str(text) => text.clone(),
        ValueKind::Unknown(hole) => Text::hole((**hole).clone()),
        ValueKind::Num(n) => Text::synthetic(n, span),
        _ => hole(HoleKind::Other, "value", span),
    }
}

/// `Fn.sub`: each `${name}` is a variable that is given, a pseudo parameter or something of the template. CloudFormation User
/// Guide, "Fn::Sub".
fn substituted(body: &Text, variables: Option<&Value>, span: Span) -> Text {
    let flat = body.with_placeholders();
    let (mut out, mut done) = (Text::default(), 0);
    while let Some(found) = flat[done..].find("${") {
        let start = done + found;
        let Some(length) = flat[start..].find('}') else { break };
        let (name, end) = (flat[start + 2..start + length].trim(), start + length + 1);
        if start > done {
            out.append(&body.slice(done..start));
        }
        if let Some(literal) = name.strip_prefix('!') {
            out.append(&Text::synthetic(&format!("${{{literal}}}"), span));
        } else if let Some(value) = variables.and_then(|v| v.get(name)) {
            out.append(&text_of(value, span));
        } else {
            out.append(&hole(pseudo(name).unwrap_or(HoleKind::Input), name, span));
        }
        done = end;
    }
    if done < flat.len() {
        out.append(&body.slice(done..flat.len()));
    }
    out
}
