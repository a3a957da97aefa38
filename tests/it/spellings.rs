//! The same question in other spellings and formats: what stands for a value, who owns a resource, what is not there.

use crate::support::repository::Repository;

/// Rules and lines of the findings among `asked`.
fn asked_findings(file: (&str, &str), asked: &[&str]) -> Vec<String> {
    let args = ["check", "--isolated", "--format", "json", "--profile", "audit"];
    let low = ["--min-severity", "low", "--min-confidence", "low", "."];
    let ran = Repository::new(&[file]).run(&[&args[..], &low[..]].concat());
    let json = ran.json();
    let findings = json["findings"].as_array().unwrap().iter();
    let mut out: Vec<String> = findings
        .filter(|f| asked.contains(&f["rule"].as_str().unwrap()))
        .map(|f| format!("{}:{}", f["rule"].as_str().unwrap(), f["span"]["start"]["line"]))
        .collect();
    out.sort();
    out.dedup();
    out
}

/// What says that a value is malformed.
const MALFORMED: &[&str] = &[
    "arn-bad-account",
    "arn-bad-prefix",
    "arn-bad-region",
    "condition-date-value",
    "condition-ip-value",
    "condition-org-id-format",
    "condition-region-value",
    "condition-variable-operator",
    "condition-vpc-format",
    "principal-invalid-format",
    "variable-in-unsupported-element",
    "variable-unknown",
];

fn queue_policy(principal: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sqs:SendMessage","Resource":"{resource}","Condition":{{{condition}}}}}]}}"#
    )
}

const PRINCIPAL: &str = "arn:aws:iam::111122223333:role/orders";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111122223333:orders";
const CONDITION: &str = r#""Bool":{"aws:SecureTransport":"true"}"#;

#[test]
fn a_placeholder_is_one_in_arns_principals_and_conditions() {
    let accounts = [
        "@account@",
        "_ACCOUNT_",
        "[account_id]",
        "...",
        "<123456789012>",
        "AccountID",
        "account",
        "TODO",
        "1234xxxx5678",
        "${self:custom.account}",
        "${opt:account, self:custom.account}",
        "${aws:accountId}",
        "${sls:instanceId}",
        "${cf:stack.account}",
        "${self:custom.${opt:stage}.account}",
        "${ssm:/account}",
        "${file(a.yml):account}",
    ];
    let regions = [
        "us-west-X",
        "region",
        "aws-region",
        "xx-xxxx-x",
        "REPLACE_ME",
        "${aws:region}",
        "${self:custom.region}",
    ];
    let conditions = [
        (
            r#""IpAddress":{"aws:SourceIp":"VALUE"}"#,
            &[
                "x.x.x.x/32",
                "XXX.XXX.XXX.XXX/32",
                "YOUR.IP.ADDRESS.HERE",
                "MY_CIDR",
                "${self:custom.ip}/32",
            ][..],
        ),
        (
            r#""StringEquals":{"aws:SourceVpce":"VALUE"}"#,
            &["vpce-id", "vpce-EXAMPLE"],
        ),
        (
            r#""StringEquals":{"aws:PrincipalOrgID":"VALUE"}"#,
            &["o-yourorgid", "o-ORGID"],
        ),
        (
            r#""DateLessThan":{"aws:CurrentTime":"VALUE"}"#,
            &["YYYY-MM-DDTHH:MM:SSZ", "<date>"],
        ),
        (r#""StringEquals":{"aws:RequestedRegion":["VALUE"]}"#, &regions),
        (r#""StringEquals":{"aws:PrincipalAccount":"VALUE"}"#, &accounts),
    ];
    let mut texts = Vec::new();
    for account in accounts {
        texts.push(queue_policy(
            PRINCIPAL,
            &format!("arn:aws:sqs:eu-west-1:{account}:orders"),
            CONDITION,
        ));
        texts.push(queue_policy(
            &format!("arn:aws:iam::{account}:role/orders"),
            QUEUE,
            CONDITION,
        ));
        texts.push(queue_policy(account, QUEUE, CONDITION));
    }
    for region in regions {
        texts.push(queue_policy(
            PRINCIPAL,
            &format!("arn:aws:sqs:{region}:111122223333:orders"),
            CONDITION,
        ));
    }
    for (condition, values) in conditions {
        texts.extend(
            values
                .iter()
                .map(|v| queue_policy(PRINCIPAL, QUEUE, &condition.replace("VALUE", v))),
        );
    }
    let files: Vec<(String, String)> = texts
        .into_iter()
        .enumerate()
        .map(|(i, t)| (format!("{i}.json"), t))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let ran = Repository::new(&files).run(&["check", "--isolated", "--format", "json", "."]);
    let wrong: Vec<String> = ran.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| MALFORMED.contains(&f["rule"].as_str().unwrap()))
        .map(|f| format!("{} {}", f["message"], f["path"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_mistake_is_no_placeholder() {
    for (text, rule) in [
        (
            queue_policy(PRINCIPAL, "arn:aws:sqs:us-west-9:111122223333:orders", CONDITION),
            "arn-bad-region",
        ),
        (
            queue_policy(PRINCIPAL, "arn:aws:sqs:eu-west-1:11112222333:orders", CONDITION),
            "arn-bad-account",
        ),
        (
            queue_policy("11112222333", QUEUE, CONDITION),
            "principal-invalid-format",
        ),
        (
            queue_policy(PRINCIPAL, QUEUE, r#""IpAddress":{"aws:SourceIp":"10.0.0.O/8"}"#),
            "condition-ip-value",
        ),
        (
            queue_policy(PRINCIPAL, QUEUE, r#""StringEquals":{"aws:PrincipalOrgID":"o-short"}"#),
            "condition-org-id-format",
        ),
        (
            queue_policy(
                PRINCIPAL,
                QUEUE,
                r#""StringEquals":{"aws:RequestedRegion":"us-west-9"}"#,
            ),
            "condition-region-value",
        ),
    ] {
        assert_eq!(asked_findings(("p.json", &text), MALFORMED).len(), 1, "{rule} {text}");
        assert!(asked_findings(("p.json", &text), &[rule]).len() == 1, "{rule} {text}");
    }
}

const EVERY_ACTION: &[&str] = &["resource-policy-star-action-generic"];

#[test]
fn the_own_root_of_the_cdk_in_every_spelling() {
    let key = |principal: &str| {
        format!(
            r#"import os
from aws_cdk import Arn, ArnComponents, Aws, Fn, ScopedAws, Stack, aws_iam as iam, aws_kms as kms


class S(Stack):
    def __init__(self, scope, id, hub, **kw):
        super().__init__(scope, id, **kw)
        own = iam.AccountPrincipal(self.account)
        kms.CfnKey(self, "K", key_policy={{
            "Version": "2012-10-17",
            "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": {principal}}}, "Action": "kms:*", "Resource": "*"}}],
        }})
"#
        )
    };
    for principal in [
        "own.arn",
        "iam.AccountRootPrincipal().arn",
        r#"iam.ArnPrincipal(f"arn:aws:iam::{self.account}:root").arn"#,
        r#"Fn.sub("arn:aws:iam::${AWS::AccountId}:root")"#,
        r#"Fn.sub("arn:aws:iam::${A}:root", {"A": self.account})"#,
        r#"Fn.join(":", ["arn", Aws.PARTITION, "iam", "", self.account, "root"])"#,
        r#"Fn.ref("AWS::AccountId")"#,
        r#"os.environ["CDK_DEFAULT_ACCOUNT"]"#,
        r#"os.getenv("CDK_DEFAULT_ACCOUNT")"#,
        r#"self.format_arn(service="iam", region="", resource="root")"#,
        r#"Arn.format(ArnComponents(service="iam", region="", resource="root"), self)"#,
        r#"f"arn:aws:iam::{ScopedAws(self).account_id}:root""#,
    ] {
        let ran =
            Repository::new(&[("s.py", &key(principal))]).run(&["policies", "--isolated", "--format", "json", "."]);
        assert!(
            ran.out.contains("AWS::AccountId") || ran.out.contains("account") || ran.out.contains("ACCOUNT"),
            "{principal}: {}",
            ran.out
        );
        assert!(
            asked_findings(("s.py", &key(principal)), EVERY_ACTION).is_empty(),
            "{principal}"
        );
        let ran = Repository::new(&[("s.py", &key(principal))]).run(&["check", "--isolated", "--format", "json", "."]);
        assert_eq!(ran.json()["unjudged"].as_array().unwrap().len(), 0, "{principal}");
    }
    // A role of the account is someone else, and what is not known is not judged.
    let role = key(r#"self.format_arn(service="iam", region="", resource="role", resource_name="admin")"#);
    assert_eq!(asked_findings(("s.py", &role), EVERY_ACTION).len(), 1);
    assert!(asked_findings(("s.py", &key("hub")), EVERY_ACTION).is_empty());
}

#[test]
fn a_second_root_beside_the_owners_is_another_account() {
    let statement = |principal: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{{"AWS":{principal}}},"Action":"kms:*","Resource":"*"}}"#)
    };
    let key = |principals: &[&str]| {
        let all: Vec<String> = principals.iter().map(|p| statement(p)).collect();
        format!(
            r#"{{"Resources":{{"K":{{"Type":"AWS::KMS::Key","Properties":{{"KeyPolicy":{{"Version":"2012-10-17","Statement":[{}]}}}}}}}}}}"#,
            all.join(",")
        )
    };
    let own = r#"{"Fn::Sub":"arn:aws:iam::${AWS::AccountId}:root"}"#;
    let (a, b) = (
        r#""arn:aws:iam::111122223333:root""#,
        r#""arn:aws:iam::444455556666:root""#,
    );
    for (principals, expected) in [
        (&[own][..], 0),
        (&[a], 0),
        (&[a, a], 0),
        (&[own, a], 1),
        (&[a, own], 1),
        (&[a, b], 1),
        (
            &[r#"["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]"#],
            1,
        ),
        // Not known, so not judged.
        (&[r#"{"Ref":"Somebody"}"#], 0),
        (&[r#"{"Fn::ImportValue":"admin"}"#], 0),
    ] {
        let n = asked_findings(("t.json", &key(principals)), EVERY_ACTION).len();
        assert_eq!(n, expected, "{principals:?}");
    }
}

const PUBLIC: &[&str] = &["resource-policy-public", "resource-policy-star-action-generic"];

#[test]
fn a_domain_in_a_vpc_is_not_public() {
    let policy = r#"jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = "*", Action = "es:*", Resource = "*" }] })"#;
    let terraform = |kind: &str, vpc: &str, name: &str| {
        format!(
            r#"variable "subnets" {{
  type    = list(string)
  default = []
}}
resource "{kind}" "d" {{
  domain_name = "orders"
  {vpc}
}}
resource "{kind}_policy" "p" {{
  domain_name     = {name}
  access_policies = {policy}
}}
"#
        )
    };
    let block = r#"vpc_options {
    subnet_ids = ["subnet-0123456789abcdef0"]
  }"#;
    let dynamic = r#"dynamic "vpc_options" {
    for_each = length(var.subnets) > 0 ? [1] : []
    content {
      subnet_ids = var.subnets
    }
  }"#;
    // That everyone comes in. Which requests they may make is not grave by itself: none of them changes the domain.
    let critical = |name: &str, text: &str| {
        let ran = Repository::new(&[(name, text)]).run(&["check", "--isolated", "--format", "json", "."]);
        let json = ran.json();
        let findings = json["findings"].as_array().unwrap().iter();
        let high = findings.filter(|f| {
            PUBLIC.contains(&f["rule"].as_str().unwrap()) && matches!(f["severity"].as_str(), Some("critical" | "high"))
        });
        high.count()
    };
    for kind in ["aws_opensearch_domain", "aws_elasticsearch_domain"] {
        for name in [format!("{kind}.d.domain_name"), r#""orders""#.to_owned()] {
            assert_eq!(critical("main.tf", &terraform(kind, block, &name)), 0, "{kind} {name}");
            assert_eq!(
                critical("main.tf", &terraform(kind, dynamic, &name)),
                1,
                "{kind} {name}"
            );
            assert_eq!(critical("main.tf", &terraform(kind, "", &name)), 1, "{kind} {name}");
        }
        assert_eq!(
            critical("main.tf", &terraform(kind, block, r#""invoices""#)),
            1,
            "{kind}"
        );
    }
    let python = |domain: &str| {
        format!(
            r#"from aws_cdk import Stack, aws_iam as iam, aws_opensearchservice as search

OPEN = iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["es:*"], resources=["*"])


class S(Stack):
    def __init__(self, scope, id, vpc, **kw):
        super().__init__(scope, id, **kw)
        {domain}
"#
        )
    };
    for (domain, expected) in [
        (r#"search.Domain(self, "D", vpc=vpc, access_policies=[OPEN])"#, 0),
        (r#"search.Domain(self, "D", access_policies=[OPEN])"#, 1),
        (r#"search.Domain(self, "D", vpc=None, access_policies=[OPEN])"#, 1),
        (
            r#"d = search.Domain(self, "D", vpc=vpc)
        d.add_access_policies(OPEN)"#,
            0,
        ),
        (
            r#"d = search.Domain(self, "D")
        d.add_access_policies(OPEN)"#,
            1,
        ),
        (
            r#"search.CfnDomain(self, "D", vpc_options=search.CfnDomain.VPCOptionsProperty(subnet_ids=["s"]), access_policies=TEXT)"#,
            0,
        ),
        (r#"search.CfnDomain(self, "D", access_policies=TEXT)"#, 1),
    ] {
        let text = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "es:*", "Resource": "*"}]}"#;
        let code = python(&domain.replace("TEXT", text));
        // The statement alone is a policy only where something uses it.
        let code = if domain.contains("OPEN") {
            code
        } else {
            code.replacen("OPEN =", "# OPEN =", 1)
        };
        assert_eq!(critical("s.py", &code), expected, "{domain}");
    }
    let template = r"Parameters:
  InVpc: {Type: String, Default: 'no'}
Conditions:
  Vpc: !Equals [!Ref InVpc, 'yes']
Resources:
  D:
    Type: AWS::OpenSearchService::Domain
    Properties:
      VPCOptions: VPC
      AccessPolicies: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: '*', Action: 'es:*', Resource: '*'}]}
";
    let options = "{SubnetIds: [subnet-0123456789abcdef0]}";
    assert_eq!(
        critical("t.yaml", &template.replace("VPC\n", &format!("{options}\n"))),
        0
    );
    let maybe = format!("!If [Vpc, {options}, !Ref AWS::NoValue]\n");
    assert_eq!(critical("t.yaml", &template.replace("VPC\n", &maybe)), 1);
}

#[test]
fn a_for_drops_the_alternatives_that_its_condition_drops() {
    for actions in [
        r#"[for a in ["sqs:ReceiveMessage", var.write ? "sqs:SendMessage" : ""] : a if a != ""]"#,
        r#"[for a in ["sqs:ReceiveMessage", var.write ? "sqs:SendMessage" : ""] : a if length(a) > 0]"#,
        r#"[for a in ["sqs:ReceiveMessage", var.write ? "sqs:SendMessage" : null] : a if a != null]"#,
        r#"[for a in local.all : a if a != ""]"#,
        "local.kept",
        "toset(local.kept)",
    ] {
        let text = format!(
            r#"variable "write" {{ type = bool }}
locals {{
  all  = ["sqs:ReceiveMessage", var.write ? "sqs:SendMessage" : ""]
  kept = [for a in local.all : a if a != ""]
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = {actions}, Resource = "{QUEUE}" }}] }})
}}
"#
        );
        assert!(
            asked_findings(("main.tf", &text), &["action-bad-format", "data-type-mismatch"]).is_empty(),
            "{actions}"
        );
        let ran = Repository::new(&[("main.tf", &text)]).run(&["policies", "--isolated", "."]);
        assert!(
            ran.out.contains("sqs:SendMessage") && ran.out.contains("if var.write"),
            "{}",
            ran.out
        );
    }
    // Without a condition, the empty text stays an action.
    let bare = format!(
        r#"variable "write" {{ type = bool }}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = [for a in ["sqs:ReceiveMessage", var.write ? "sqs:SendMessage" : ""] : a], Resource = "{QUEUE}" }}] }})
}}
"#
    );
    assert_eq!(asked_findings(("main.tf", &bare), &["action-bad-format"]).len(), 1);
}

const WHOLE_ACCOUNT: &[&str] = &["trust-cross-account-without-external-id"];

#[test]
fn whole_accounts_that_are_filled_in_are_whole_accounts() {
    let terraform = |principals: &str| {
        format!(
            r#"variable "accounts" {{
  type = list(string)
}}
resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ AWS = {principals} }} }}] }})
}}
"#
        )
    };
    for principals in [
        r#"[for a in var.accounts : "arn:aws:iam::${a}:root"]"#,
        r#"formatlist("arn:aws:iam::%s:root", var.accounts)"#,
        r#"toset([for a in var.accounts : "arn:aws:iam::${a}:root"])"#,
        r#"distinct(concat(["arn:aws:iam::${var.accounts[0]}:root"], []))"#,
        r#"[for a in var.accounts : "arn:aws:iam::${a}:root" if a != ""]"#,
    ] {
        assert_eq!(
            asked_findings(("main.tf", &terraform(principals)), WHOLE_ACCOUNT).len(),
            1,
            "{principals}"
        );
    }
    // Roles of these accounts are not the whole accounts, and of a list of anything nothing is known.
    for principals in [
        r#"[for a in var.accounts : "arn:aws:iam::${a}:role/deploy"]"#,
        "var.accounts",
    ] {
        assert!(
            asked_findings(("main.tf", &terraform(principals)), WHOLE_ACCOUNT).is_empty(),
            "{principals}"
        );
    }
    let template = |principal: &str| {
        format!(
            r"Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{{Effect: Allow, Action: 'sts:AssumeRole', Principal: {{AWS: '{principal}'}}}}]
"
        )
    };
    let resolved = template("arn:aws:iam::{{resolve:ssm:/hub/account}}:root");
    assert_eq!(asked_findings(("t.yaml", &resolved), WHOLE_ACCOUNT).len(), 1);
    for variable in [
        "${ssm:/hub/account}",
        "${opt:hub}",
        "${file(accounts.json):hub}",
        "${env:HUB}",
    ] {
        let inner = template(&format!("arn:aws:iam::{variable}:root")).replace('\n', "\n  ");
        let text = format!(
            r"service: orders
provider: {{name: aws}}
resources:
  {inner}"
        );
        assert_eq!(
            asked_findings(("serverless.yml", &text), WHOLE_ACCOUNT).len(),
            1,
            "{variable}"
        );
    }
    for by in [
        "iam.AccountPrincipal(hub)",
        r#"iam.CompositePrincipal(iam.ServicePrincipal("ec2.amazonaws.com"), iam.AccountPrincipal(hub))"#,
        "iam.CompositePrincipal(*[iam.AccountPrincipal(a) for a in hub])",
    ] {
        let text = format!(
            r#"from aws_cdk import Stack, aws_iam as iam


class S(Stack):
    def __init__(self, scope, id, hub, **kw):
        super().__init__(scope, id, **kw)
        iam.Role(self, "R", assumed_by={by})
"#
        );
        assert_eq!(asked_findings(("s.py", &text), WHOLE_ACCOUNT).len(), 1, "{by}");
    }
}

#[test]
fn a_pattern_for_events_is_no_policy() {
    let detail = "{eventName: [PutBucketPolicy], requestParameters: {bucketPolicy: {Statement: {Effect: [Allow], Principal: ['*'], Action: ['s3:*']}}}}";
    let json = r#"{"detail":{"requestParameters":{"bucketPolicy":{"Statement":{"Effect":["Allow"],"Principal":["*"],"Action":["s3:*"]}}}}}"#;
    for (name, text) in [
        (
            "t.yaml",
            format!(
                r"Resources:
  R:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [aws.s3], detail: {detail}}}
"
            ),
        ),
        (
            "sam.yaml",
            format!(
                r"Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.12
      InlineCode: pass
      Events:
        E: {{Type: EventBridgeRule, Properties: {{Pattern: {{detail: {detail}}}}}}}
"
            ),
        ),
        (
            "main.tf",
            format!(
                r#"resource "aws_cloudwatch_event_rule" "r" {{
  event_pattern = jsonencode({json})
}}
"#
            ),
        ),
        (
            "text/main.tf",
            format!(
                r#"resource "aws_cloudwatch_event_rule" "r" {{
  event_pattern = <<EOF
{json}
EOF
}}
"#
            ),
        ),
        ("rule.json", format!(r#"{{"source":["aws.s3"],{}"#, &json[1..])),
        (
            "r.py",
            format!(
                r#"import boto3
import json

boto3.client("events").put_rule(Name="r", EventPattern=json.dumps({json}))
"#
            ),
        ),
    ] {
        let ran = Repository::new(&[(name, &text)]).run(&["policies", "--isolated", "."]);
        assert!(!ran.out.contains("s3:*"), "{name}: {}", ran.out);
    }
}

#[test]
fn the_tags_of_a_request_narrow_what_sends_tags() {
    let statement = |action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*","Condition":{{"StringEquals":{{"aws:RequestTag/team":"orders"}}}}}}]}}"#
        )
    };
    let asked = [
        "condition-key-not-for-action",
        "destructive-on-star",
        "statement-no-effect",
        "write-actions-on-star",
    ];
    for action in [
        "ec2:DeleteVolume",
        "ec2:TerminateInstances",
        "ec2:StopInstances",
        "secretsmanager:DeleteSecret",
    ] {
        assert!(
            !asked_findings(("p.json", &statement(action)), &asked).is_empty(),
            "{action}"
        );
    }
    for action in [
        "ec2:CreateVolume",
        "ec2:RunInstances",
        "ec2:CreateTags",
        "secretsmanager:CreateSecret",
    ] {
        assert!(
            asked_findings(
                ("p.json", &statement(action)),
                &["condition-key-not-for-action", "statement-no-effect"]
            )
            .is_empty(),
            "{action}"
        );
    }
}
