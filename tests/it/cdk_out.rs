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

const HASH: &str = "e9cb572a8248d1d04430ad71d120901a88510df21db534863ceac440d7ae9d09";

/// An assembly with a task whose image is built from `asset.image`, a job whose script is `asset.HASH.py`, and a function without
/// metadata of its asset; each has a role that also allows `sns:Publish`.
fn assembly() -> Vec<(String, String)> {
    let role = |name: &str, service: &str, action: &str| {
        format!(
            r#""{name}Role": {{"Type": "AWS::IAM::Role", "Metadata": {{"aws:cdk:path": "Jobs/{name}/Role/Resource"}}, "Properties": {{
  "AssumeRolePolicyDocument": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {{"Service": "{service}.amazonaws.com"}}}}]}},
  "Policies": [{{"PolicyName": "p", "PolicyDocument": {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
    "Action": ["{action}", "sns:Publish"], "Resource": "*"}}]}}}}]}}}}"#
        )
    };
    let roles = [
        role("Task", "ecs-tasks", "s3:PutObject"),
        role("Job", "glue", "s3:PutObject"),
        role("Fn", "lambda", "s3:PutObject"),
    ];
    let registry = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/cdk-assets";
    let template = format!(
        r#"{{"Resources": {{{},
"Task": {{"Type": "AWS::ECS::TaskDefinition", "Metadata": {{"aws:cdk:path": "Jobs/Task/Resource"}}, "Properties": {{
  "TaskRoleArn": {{"Fn::GetAtt": ["TaskRole", "Arn"]}}, "ContainerDefinitions": [{{"Name": "w", "Image": {{"Fn::Sub": "{registry}:image"}}}}]}}}},
"Job": {{"Type": "AWS::Glue::Job", "Metadata": {{"aws:cdk:path": "Jobs/Job"}}, "Properties": {{"Role": {{"Fn::GetAtt": ["JobRole", "Arn"]}},
  "Command": {{"Name": "pythonshell", "ScriptLocation": {{"Fn::Sub": "s3://cdk-${{AWS::AccountId}}/{HASH}.py"}}}}}}}},
"Fn": {{"Type": "AWS::Lambda::Function", "Metadata": {{"aws:cdk:path": "Jobs/Fn/Resource"}}, "Properties": {{"Runtime": "python3.13",
  "Handler": "app.handler", "Role": {{"Fn::GetAtt": ["FnRole", "Arn"]}}, "Code": {{"S3Bucket": "cdk", "S3Key": "5315.zip"}}}}}}
}}}}"#,
        roles.join(",\n")
    );
    let asset = ASSET.trim_start_matches("cdk.out/");
    let manifest = format!(
        r#"{{"files": {{
  "a": {{"source": {{"path": "asset.{HASH}.py", "packaging": "file"}}, "destinations": {{"x": {{"objectKey": "{HASH}.py"}}}}}},
  "b": {{"source": {{"path": "{asset}", "packaging": "zip"}}, "destinations": {{"x": {{"objectKey": "5315.zip"}}}}}}}},
 "dockerImages": {{"c": {{"source": {{"directory": "asset.image", "dockerFile": "Dockerfile.worker"}},
  "destinations": {{"x": {{"imageTag": "image"}}}}}}}}}}"#
    );
    let write = "import boto3\n\n\ndef main():\n    boto3.client('s3').put_object(Bucket='b', Key='k', Body=b'')\n";
    let script = format!("{write}\n\nmain()\n");
    let files = [
        ("cdk.out/Jobs.template.json", template),
        (
            "cdk.out/manifest.json",
            r#"{"artifacts": {"Jobs.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Jobs.assets.json"}}}}"#.into(),
        ),
        ("cdk.out/Jobs.assets.json", manifest),
        (
            "cdk.out/asset.image/Dockerfile.worker",
            "FROM python:3.13\nCOPY . .\nCMD [\"python\", \"worker.py\"]\n".into(),
        ),
        ("cdk.out/asset.image/worker.py", format!("{script}\nmain()\n")),
        (&format!("cdk.out/asset.{HASH}.py"), script.clone()),
        ("glue/nightly.py", script),
        (&format!("{ASSET}/app.py"), write.replace("main()", "handler(event, context)")),
    ];
    files.map(|(path, text)| (path.to_owned(), text)).into()
}

#[test]
fn the_manifest_of_assets_says_where_images_scripts_and_code_are() {
    let files = assembly();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let unused = usage(&files, "-");
    assert_eq!(unused.len(), 3, "{unused:?}");
    let listed = Repository::new(&files).run(&["workloads"]).out;
    for line in [
        "code: cdk.out/asset.image/worker.py",
        "code: glue/nightly.py",
        &format!("code: {ASSET}/app.py, `handler`"),
        "3 workloads, 3 compared",
    ] {
        assert!(listed.contains(line), "{line}\n{listed}");
    }
    // Of an image of another language, no Python is missed.
    let node: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| match path.ends_with("Dockerfile.worker") {
            true => (*path, "FROM node:22-slim\nCMD [\"worker.handler\"]\n"),
            false => (*path, *text),
        })
        .collect();
    let listed = Repository::new(&node).run(&["workloads"]).out;
    let reason = "what the image of `cdk.out/asset.image/Dockerfile.worker` starts is not Python";
    assert!(listed.contains(reason), "{listed}");
}

#[test]
fn what_only_the_output_says_is_listed_there() {
    let files = assembly();
    let mut files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let source = "from aws_cdk import Stack, aws_ecs as ecs, aws_lambda as lambda_


class JobsStack(Stack):
    def __init__(self, scope, ident):
        super().__init__(scope, ident)
        ecs.FargateTaskDefinition(self, 'Task')
        for name in names():
            lambda_.Function(self, f'F{name}', handler='app.handler', code=lambda_.Code.from_asset(f'fn/{name}'))
";
    files.push(("stack.py", source));
    let listed = Repository::new(&files).run(&["workloads"]).out;
    assert!(!listed.contains("stack.py"), "{listed}");
    let last = "3 workloads, 3 compared, 2 more are the same in the source and the output of the CDK\n";
    assert!(listed.ends_with(last), "{listed}");
    // Without the output, it says what to do.
    let listed = Repository::new(&[("stack.py", source)]).run(&["workloads"]).out;
    assert!(listed.contains("run `cdk synth`"), "{listed}");
}
