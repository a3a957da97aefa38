//! What a tool rendered from a source that stands beside it is reported once, at the source.

use overgrant::internals::source::Sources;
use overgrant::internals::triage::Status;

use crate::support::lint::report;

/// A template as the CDK writes one, for a partition.
fn cdk_template(partition: &str) -> String {
    format!(
        r#"Resources:
  ReaderRole94D20248:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Action: "sts:AssumeRole", Principal: {{Service: lambda.amazonaws.com}}}}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {{Effect: Allow, Action: "firehose:*", Resource: "*"}}
              - {{Effect: Allow, Action: "s3:GetObject", Resource: "arn:{partition}:s3:::reports/*"}}
              - {{Effect: Allow, Action: ["s3:GetObject"], Resource: "arn:{partition}:s3:::reports/*"}}
  ArchiveKeyAB12CD34:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {{Effect: Allow, Action: "kms:*", Principal: {{AWS: !Sub "arn:{partition}:iam::${{AWS::AccountId}}:root"}}, Resource: "*"}}
          - {{Effect: Allow, Action: ["kms:Decrypt", "kms:GenerateDataKey*"], Principal: {{Service: events.amazonaws.com}}, Resource: "*"}}
  BucketNotificationsHandler050a0587b7544547bf325f094a3db834RoleDefaultPolicy2CF63D36:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: q
      Roles: [!Ref ReaderRole94D20248]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Action: "s3:PutBucketNotification", Resource: "*"}}]
"#
    )
}

const STACK: &str = r#"
from aws_cdk import Stack, aws_iam as iam


class Reader(Stack):
    def __init__(self, scope, id, **kwargs):
        super().__init__(scope, id, **kwargs)
        role = iam.Role(self, "ReaderRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=["firehose:*"], resources=["*"]))
"#;

/// `rule at path:line` for what is to be acted on.
fn reported_lines(files: &[(&str, &str)]) -> Vec<String> {
    let rules = [
        "service-wildcard",
        "redundant-statement",
        "service-principal-without-source",
        "write-actions-on-star",
    ];
    let report = report(files, &rules, "");
    let sources = Sources::from_strings(files);
    let findings = report.findings.iter().filter(|f| f.status == Status::New);
    let shown = findings.map(|f| {
        let at = f.span();
        let line = sources.file(at.file).lines().line(at.start as usize);
        format!("{} at {}:{line}", f.rule(), sources.path(at.file))
    });
    shown.collect()
}

#[test]
fn variants_of_one_template_are_one() {
    let (here, china) = (cdk_template("aws"), cdk_template("aws-cn"));
    let one = reported_lines(&[("out/app.yaml", &here)]);
    assert_eq!(
        reported_lines(&[("out/app.yaml", &here), ("out/china.yaml", &china)]),
        one
    );
    assert_eq!(one, ["service-wildcard at out/app.yaml:13"]);
}

#[test]
fn the_source_stands_for_what_is_rendered_from_it() {
    let template = cdk_template("aws");
    assert_eq!(
        reported_lines(&[("app.py", STACK), ("out/app.yaml", &template)]),
        ["service-wildcard at app.py:9"]
    );
    let other = STACK.replace("ReaderRole", "WriterRole");
    assert_eq!(
        reported_lines(&[("app.py", &other), ("out/app.yaml", &template)]),
        ["service-wildcard at app.py:9", "service-wildcard at out/app.yaml:13"]
    );
}

#[test]
fn templates_that_people_write_stay_apart() {
    let template = cdk_template("aws").replace("94D20248", "").replace("AB12CD34", "");
    let template = template
        .split("  BucketNotificationsHandler")
        .next()
        .unwrap_or_default();
    let found = reported_lines(&[("dev.yaml", template), ("prod.yaml", template)]);
    let wide = found.iter().filter(|f| f.starts_with("service-wildcard")).count();
    let wording = found.iter().filter(|f| f.starts_with("redundant-statement")).count();
    assert_eq!((wide, wording), (2, 2), "{found:?}");
    // A package has the IDs of its source and stands beside it.
    let found = reported_lines(&[("template.packaged.yaml", template), ("template.yaml", template)]);
    let wide: Vec<&String> = found.iter().filter(|f| f.starts_with("service-wildcard")).collect();
    assert_eq!(wide, ["service-wildcard at template.yaml:13"]);
}

#[test]
fn two_apps_with_equal_constructs_are_two() {
    let template = cdk_template("aws");
    let one = reported_lines(&[("a/cdk.out/A.template.yaml", &template)]);
    let both = reported_lines(&[
        ("a/cdk.out/A.template.yaml", &template),
        ("b/cdk.out/A.template.yaml", &template),
    ]);
    assert!(!one.is_empty());
    assert_eq!(both.len(), one.len() * 2, "{both:?}");
}
