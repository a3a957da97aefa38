//! What the CDK synthesized: the code is the source that was staged, findings show where the source makes their constructs,
//! and what the source of a CDK app says too is said once.

use crate::support::lint::{found, report};
use crate::support::repository::Repository;

const ASSET: &str = "cdk.out/asset.5315c4c2db3c204c3a3b2fe2d0f235873aedcc8ac4d9df8ce11830e974e70767";

const SAVE: &str = "import boto3


def handler(event, context):
    boto3.client('dynamodb').put_item(TableName='orders', Item=event)
";

/// `cdk.out/Orders.template.json`, with a function `Save` that is granted `actions`.
fn template(actions: &str) -> String {
    let asset = ASSET.trim_start_matches("cdk.out/");
    format!(
        r#"{{"Resources": {{
 "SaveServiceRole25AC199C": {{
  "Type": "AWS::IAM::Role",
  "Properties": {{"AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [
    {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"Service": "lambda.amazonaws.com"}}}}]}}}},
  "Metadata": {{"aws:cdk:path": "Orders/Save/ServiceRole/Resource"}}
 }},
 "SaveServiceRoleDefaultPolicy77221FA4": {{
  "Type": "AWS::IAM::Policy",
  "Properties": {{
   "PolicyDocument": {{"Version": "2012-10-17", "Statement": [
    {{"Effect": "Allow", "Resource": {{"Fn::GetAtt": ["TableCD117FA1", "Arn"]}}, "Action": [{actions}]}}]}},
   "PolicyName": "SaveServiceRoleDefaultPolicy77221FA4",
   "Roles": [{{"Ref": "SaveServiceRole25AC199C"}}]
  }},
  "Metadata": {{"aws:cdk:path": "Orders/Save/ServiceRole/DefaultPolicy/Resource"}}
 }},
 "Save096A6EEB": {{
  "Type": "AWS::Lambda::Function",
  "Properties": {{
   "Code": {{"S3Bucket": {{"Fn::Sub": "cdk-hnb659fds-assets-${{AWS::AccountId}}-${{AWS::Region}}"}}, "S3Key": "5315c4c2.zip"}},
   "Handler": "app.handler", "Runtime": "python3.13", "Role": {{"Fn::GetAtt": ["SaveServiceRole25AC199C", "Arn"]}}
  }},
  "Metadata": {{"aws:cdk:path": "Orders/Save/Resource", "aws:asset:path": "{asset}", "aws:asset:property": "Code"}}
 }},
 "TableCD117FA1": {{"Type": "AWS::DynamoDB::Table", "Properties": {{}}, "Metadata": {{"aws:cdk:path": "Orders/Table/Resource"}}}}
}}}}"#
    )
}

/// The application in Python, with these lines after the function `save` and the table `table`.
fn stack(body: &str) -> String {
    let body: String = body.lines().map(|l| format!("        {l}\n")).collect();
    format!(
        "from aws_cdk import Stack, aws_dynamodb as dynamodb, aws_iam as iam, aws_lambda as lambda_


class OrdersStack(Stack):
    def __init__(self, scope, ident):
        super().__init__(scope, ident)
        table = dynamodb.Table(self, 'Table', partition_key=key)
        save = lambda_.Function(self, 'Save', handler='app.handler', code=lambda_.Code.from_asset('fn/save'))
{body}"
    )
}

/// `rule path:line`, and of the other labels those in `shown`.
fn usage(files: &[(&str, &str)], shown: &str) -> Vec<String> {
    let (sources, findings) = found(files);
    let of_usage = findings
        .iter()
        .filter(|f| matches!(&*f.rule, "missing-grant" | "unused-grant"));
    let place = |span| {
        let sources = &sources;
        let sliced: overgrant::internals::source::Span = span;
        format!("{}:{}", sources.path(sliced.file), sources.positions(sliced).0.line)
    };
    let mut out: Vec<String> = of_usage
        .map(|f| {
            let more = f.labels[1..]
                .iter()
                .filter(|l| sources.path(l.span.file).ends_with(shown));
            let more: String = more
                .map(|l| format!(", {} {} `{}`", place(l.span), l.text, sources.slice(l.span)))
                .collect();
            format!("{} {}{more}", f.rule, place(f.labels[0].span))
        })
        .collect();
    out.sort();
    out
}

const READ: &str = r#""dynamodb:GetItem", "dynamodb:Query""#;

#[test]
fn the_code_of_an_asset_is_the_folder_that_it_is_a_copy_of() {
    let (template, asset) = (template(READ), format!("{ASSET}/app.py"));
    let of = |files: &[(&str, &str)]| {
        let mut all = vec![("cdk.out/Orders.template.json", template.as_str()), (&asset, SAVE)];
        all.extend_from_slice(files);
        usage(&all, "-")
    };
    let unused = "unused-grant cdk.out/Orders.template.json:12";
    let staged = format!("missing-grant {asset}:5");
    assert_eq!(of(&[]), [&staged, unused]);
    let original = ["missing-grant fn/save/app.py:5", unused];
    assert_eq!(of(&[("fn/save/app.py", SAVE)]), original);
    // What was changed since is not what the template was made of.
    assert_eq!(
        of(&[("fn/save/app.py", &SAVE.replace("orders", "o"))]),
        [&staged, unused]
    );
    // Of two folders neither is known to be the one.
    assert_eq!(
        of(&[("fn/save/app.py", SAVE), ("fn/other/app.py", SAVE)]),
        [&staged, unused]
    );
    // A helper is a part of the copy, and a file that was added is not.
    let helper = format!("{ASSET}/helper.py");
    let both = [("fn/save/app.py", SAVE), (helper.as_str(), "import boto3\n")];
    assert_eq!(of(&both), original);
    let changed = [both[0], both[1], ("fn/save/helper.py", "import boto3, os\n")];
    assert_eq!(of(&changed), [&staged, unused]);
    assert_eq!(of(&[both[0], ("fn/save/new.py", "import boto3\n")]), original);
}

#[test]
fn a_function_that_the_source_makes_is_compared_once() {
    let asset = format!("{ASSET}/app.py");
    let of = |body: &str| {
        let (template, stack) = (template(READ), stack(body));
        let files = [
            ("cdk.out/Orders.template.json", template.as_str()),
            (&asset, SAVE),
            ("fn/save/app.py", SAVE),
            ("stack.py", &stack),
        ];
        usage(&files, "stack.py")
    };
    let found = of("table.grant_read_data(save)");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("missing-grant fn/save/app.py:5"), "{found:?}");
    assert!(found[1].starts_with("unused-grant stack.py:9"), "{found:?}");
    // Where the source is not all understood, the template says what is granted, and the source where.
    let found = of("table.grant_read_data(save)\nwiden(save)");
    let of_template = "unused-grant cdk.out/Orders.template.json:12, stack.py:9 `grant_read_data` grants this \
                       `grant_read_data`, stack.py:8 the construct is made here `lambda_.Function`";
    assert!(found.iter().any(|f| f == of_template), "{found:?}");
    assert!(
        found.iter().any(|f| f.starts_with("missing-grant fn/save/app.py:5")),
        "{found:?}"
    );
    // What both say is reported once.
    let (template, stack) = (template(READ), stack("table.grant_read_data(save)\nwiden(save)"));
    let files = [
        ("cdk.out/Orders.template.json", template.as_str()),
        (&asset, SAVE),
        ("fn/save/app.py", SAVE),
        ("stack.py", &stack),
    ];
    let report = report(&files, &["unused-grant"], "");
    let [one] = report.findings.as_slice() else {
        panic!("{:?}", report.findings.len())
    };
    assert_eq!(
        one.finding.notes,
        ["rendered from this: `cdk.out/Orders.template.json:12`"]
    );
}

const TYPESCRIPT: &str = "export class Orders extends cdk.Stack {
  constructor(scope: Construct, id: string) {
    const table = new dynamodb.Table(this, 'Table', {});
    const save = new lambda.Function(this, 'Save', { code: lambda.Code.fromAsset('fn/save') });
    table.grantReadData(save);
    table.grantWriteData(save);
    save.addToRolePolicy(new iam.PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: ['*'] }));
  }
}
";

#[test]
fn a_finding_shows_the_call_that_grants_and_the_construct() {
    let (template, asset) = (template(READ), format!("{ASSET}/app.py"));
    let of = |manifest: &str, metadata: &str| {
        let files = [
            ("cdk.out/Orders.metadata.json", metadata),
            ("cdk.out/Orders.template.json", template.as_str()),
            (&asset, SAVE),
            ("cdk.out/manifest.json", manifest),
            ("lib/orders.ts", TYPESCRIPT),
        ];
        let found = usage(&files, ".ts");
        let of_template = found.iter().filter(|f| f.starts_with("unused-grant"));
        let [one] = of_template.collect::<Vec<_>>()[..] else {
            panic!("{found:?}")
        };
        one.split_once(", ")
            .map_or_else(String::new, |(_, labels)| labels.to_owned())
    };
    let path = "/Orders/Save/ServiceRole/DefaultPolicy/Resource";
    let function = r#""/Orders/Save/Resource": [{"type": "aws:cdk:creationStack", "data": ["...new Function2 in aws-cdk-lib...",
        "new Orders (/home/runner/work/app/lib/orders.ts:4:18)", "<anonymous> (/home/runner/work/app/bin/app.ts:5:1)"]}]"#;
    let made = "lib/orders.ts:4 the construct is made here `new lambda.Function`";
    let artifact = r#"{"artifacts": {"Orders": {"additionalMetadataFile": "Orders.metadata.json"}}}"#;
    // aws-cdk-lib 2.276, without and with `--debug`.
    assert_eq!(of(artifact, &format!("{{{function}}}")), made);
    for (line, shown) in [
        ("5:11", "lib/orders.ts:5 `grantReadData` grants this `grantReadData`, "),
        ("6:11", ""),
        (
            "7:10",
            "lib/orders.ts:7 `addToRolePolicy` grants this `addToRolePolicy`, ",
        ),
        ("70:10", ""),
        ("1:1", ""),
    ] {
        let metadata = format!(
            r#"{{{function}, "{path}": [{{"type": "aws:cdk:propertyAssignment", "data": {{"propertyName": "PolicyDocument",
                "stackTrace": ["...x in aws-cdk-lib...", "new Orders (/home/runner/work/app/lib/orders.ts:{line})"]}}}}]}}"#
        );
        assert_eq!(of(artifact, &metadata), format!("{shown}{made}"), "{line}");
    }
    // aws-cdk-lib 2.150 with `--debug`.
    let old = format!(
        r#"{{"artifacts": {{"Orders": {{"metadata": {{"{path}": [{{"type": "aws:cdk:logicalId", "data": "X", "trace": [
            "new Policy (/app/node_modules/aws-cdk-lib/aws-iam/lib/policy.js:1:1565)",
            "Table.grantReadData (/app/node_modules/aws-cdk-lib/aws-dynamodb/lib/table.js:1:6170)",
            "new Orders (/app/lib/orders.ts:5:11)"]}}]}}}}}}}}"#
    );
    let first = "lib/orders.ts:5 `grantReadData` grants this `grantReadData`";
    assert_eq!(of(&old, "{}"), first);
    // Places outside the repository, or of what is no source, are not shown.
    for other in [
        "/else/where.ts:5:11",
        "/app/lib/orders.ts",
        "node:internal/modules/cjs/loader:1:1",
        "",
    ] {
        assert_eq!(of(&old.replace("/app/lib/orders.ts:5:11", other), "{}"), "", "{other}");
    }
}

#[test]
fn files_of_an_assembly_are_reported_once() {
    let open = "import boto3\n\n\ndef handler(event, context):\n    boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'', ACL='public-read')\n";
    let asset = format!("{ASSET}/app.py");
    let template = template(r#""s3:*""#);
    let tree = r#"{"version":"tree-0.1","tree":{"id":"App","children":{"P":{"attributes":{"aws:cdk:cloudformation:props":{
        "policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}}}}}}}"#;
    let files = [
        ("cdk.out/Orders.template.json", template.as_str()),
        (&asset, open),
        ("cdk.out/tree.json", tree),
        ("fn/save/app.py", open),
    ];
    let report = report(&files, &["py-s3-public-acl", "service-wildcard"], "");
    let all: Vec<&str> = report.findings.iter().map(|f| f.finding.message.as_str()).collect();
    assert_eq!(all, ["the object is made readable by everyone"]);
}

#[test]
fn what_is_listed_and_what_is_judged() {
    let asset = format!("{ASSET}/app.py");
    let (template, python) = (template(READ), stack("table.grant_read_data(save)"));
    let r = Repository::new(&[
        ("cdk.out/Orders.template.json", &template),
        (&asset, SAVE),
        ("fn/save/app.py", SAVE),
        ("stack.py", &python),
        (
            "lib/orders.ts",
            &format!("import * as cdk from 'aws-cdk-lib';\n{TYPESCRIPT}"),
        ),
        ("other/package.json", "{}"),
        (
            "other/orders.ts",
            &format!("import * as cdk from 'aws-cdk-lib';\n{TYPESCRIPT}"),
        ),
    ]);
    let listed = r.run(&["workloads"]).out;
    assert!(
        listed.starts_with("stack.py:8:16: function OrdersStack/Save\n  code: fn/save/app.py, `handler`\n"),
        "{listed}"
    );
    assert!(
        listed.ends_with("1 workload, 1 compared, 1 more are the same in the source and the output of the CDK\n"),
        "{listed}"
    );
    // Only the source of which nothing was synthesized is not judged.
    let unjudged = r.run(&["policies", "--unjudged"]).out;
    assert!(
        unjudged.contains("other/orders.ts") && !unjudged.contains("lib/orders.ts"),
        "{unjudged}"
    );
    // Named alone, the template is compared itself.
    let listed = r.run(&["workloads", "cdk.out"]).out;
    assert!(listed.contains("function Save096A6EEB\n  code: "), "{listed}");
    // What `.gitignore` has is read only where it is named.
    r.write(".gitignore", b"cdk.out\n");
    assert!(!r.run(&["workloads"]).out.contains("rendered"));
    assert!(r.run(&["workloads", "cdk.out"]).out.contains("function Save096A6EEB"));
}
