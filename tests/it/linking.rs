//! Where the code of functions is: every way to say it, each with a role that grants one action too many. The finding is
//! certain only where the handler was found.

use overgrant::internals::finding::Confidence;
use overgrant::internals::iam;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::source::Sources;

use crate::support::lint::{RULESET, found};

const CODE: &str = r"import boto3
sqs = boto3.client('sqs')
def handler(e, c):
    sqs.receive_message(QueueUrl='q')
def other():
    sqs.delete_message(QueueUrl='q')
";
/// With the call in another module, which a layer or another file holds.
const CALLER: &str = r"import boto3
from shared import load
def handler(e, c):
    load()
";
const SHARED: &str = r"import boto3
sqs = boto3.client('sqs')
def load():
    sqs.receive_message(QueueUrl='q')
";
const DOCKERFILE: &str = r#"FROM public.ecr.aws/lambda/python:3.12
COPY app.py ${LAMBDA_TASK_ROOT}
CMD ["app.handler"]
"#;

/// Rule, confidence and primary label of each finding of the family.
fn usage(files: &[(&str, &str)]) -> Vec<String> {
    let (sources, findings) = found(files);
    let usage = findings
        .iter()
        .filter(|f| RULESET.get(&f.rule).is_some_and(|r| r.family() == "usage"));
    usage
        .map(|f| {
            let doubt = if f.confidence == Some(Confidence::High) {
                ""
            } else {
                "?"
            };
            format!("{}{doubt} {}", f.rule, sources.slice(f.labels[0].span))
        })
        .collect()
}

fn sam_findings(properties: &str, rest: &str, files: &[(&str, &str)]) -> Vec<String> {
    let template = format!(
        r#"Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - Statement: [{{Effect: Allow, Action: ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource: '*'}}]
{properties}
{rest}"#
    );
    let mut all = vec![("template.yaml", template.as_str())];
    all.extend(files);
    usage(&all)
}

fn terraform_findings(handler: &str, arguments: &str, rest: &str, files: &[(&str, &str)]) -> Vec<String> {
    let main = format!(
        r#"
resource "aws_iam_role" "fn" {{
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "lambda.amazonaws.com" }} }}]
  }})
}}
resource "aws_iam_role_policy" "fn" {{
  role   = aws_iam_role.fn.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource = "*" }}]
  }})
}}
resource "aws_lambda_function" "fn" {{
  function_name = "fn"
  role          = aws_iam_role.fn.arn
  handler       = "{handler}"
  runtime       = "python3.12"
{arguments}
}}
{rest}
"#
    );
    let mut all = vec![("main.tf", main.as_str())];
    all.extend(files);
    usage(&all)
}

fn serverless_findings(rest: &str, files: &[(&str, &str)]) -> Vec<String> {
    let file = format!(
        r#"service: s
provider:
  name: aws
  runtime: python3.12
  iam: {{role: {{statements: [{{Effect: Allow, Action: ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource: '*'}}]}}}}
{rest}"#
    );
    let mut all = vec![("serverless.yml", file.as_str())];
    all.extend(files);
    usage(&all)
}

const CERTAIN: [&str; 1] = [r#"unused-grant "sqs:PurgeQueue""#];

#[test]
fn images_of_sam_with_their_folder() {
    let metadata = r"    Metadata:
      DockerContext: ./src
      Dockerfile: Dockerfile
";
    let files = [("src/app.py", CODE), ("src/Dockerfile", DOCKERFILE)];
    let image = "      PackageType: Image";
    assert_eq!(sam_findings(image, metadata, &files), CERTAIN);
    // The template says what runs, whatever the Dockerfile does.
    let command = format!(
        r"{image}
      ImageConfig: {{Command: [app.handler]}}"
    );
    assert_eq!(sam_findings(&command, metadata, &files[..1]), CERTAIN);
    // The folder is known, what runs of it is not: all of it counts.
    assert_eq!(
        sam_findings(image, metadata, &files[..1]),
        [r#"unused-grant? "sqs:PurgeQueue""#]
    );
    // A later stage is another image.
    let stages = format!(
        r#"FROM python AS base
{}
FROM node
CMD ["index.js"]
"#,
        DOCKERFILE.replace("FROM ", "FROM x AS fn # ")
    );
    let target = format!("{metadata}      DockerBuildTarget: fn\n");
    assert_eq!(
        sam_findings(
            image,
            &target,
            &[
                ("src/app.py", CODE),
                (
                    "src/Dockerfile",
                    &stages.replace("# public.ecr.aws/lambda/python:3.12", "")
                )
            ]
        ),
        CERTAIN
    );
    // Copied from a folder of the context to where it runs.
    let copied = r#"FROM python:3.12
COPY code/ /var/task/
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["app.handler"]
"#;
    assert_eq!(
        sam_findings(
            image,
            "    Metadata: {DockerContext: ., Dockerfile: docker/Fn.Dockerfile}\n",
            &[("code/app.py", CODE), ("docker/Fn.Dockerfile", copied)]
        ),
        CERTAIN
    );
}

#[test]
fn images_of_cloudformation_and_the_cdk() {
    let template = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource: "*"}]
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      PackageType: Image
      Role: !GetAtt Role.Arn
      Code: {ImageUri: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/fn:1"}
"#;
    let files = |metadata: &str, dockerfile: &str| {
        let template = format!("{template}    Metadata: {metadata}\n");
        usage(&[("t.yaml", &template), ("src/app.py", CODE), (dockerfile, DOCKERFILE)])
    };
    assert_eq!(
        files("{DockerContext: src, Dockerfile: Dockerfile}", "src/Dockerfile"),
        CERTAIN
    );
    assert_eq!(
        files(
            "{aws:asset:path: src, aws:asset:dockerfile-path: Lambda.dockerfile}",
            "src/Lambda.dockerfile"
        ),
        CERTAIN
    );
    // Nothing says where the image comes from.
    assert_eq!(files("{Owner: me}", "src/Dockerfile"), [""; 0]);
}

#[test]
fn layers_of_the_repository() {
    let function = r"      Runtime: python3.12
      Handler: app.handler
      CodeUri: fn/
      Layers: [!Ref Common]";
    let layer = r"  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common}
";
    assert_eq!(
        sam_findings(
            function,
            layer,
            &[("fn/app.py", CALLER), ("layers/common/python/shared.py", SHARED)]
        ),
        CERTAIN
    );
    let built = format!("{layer}    Metadata: {{BuildMethod: python3.12}}\n");
    assert_eq!(
        sam_findings(
            function,
            &built,
            &[("fn/app.py", CALLER), ("layers/common/shared.py", SHARED)]
        ),
        CERTAIN
    );
    // Two layers hold a module of that name: which one is imported is not known.
    let two = format!(
        "{built}{}",
        layer
            .replace("Common:", "Other:")
            .replace("layers/common", "layers/other")
    );
    assert_eq!(
        sam_findings(
            function,
            &two,
            &[
                ("fn/app.py", CALLER),
                ("layers/common/shared.py", SHARED),
                ("layers/other/shared.py", SHARED)
            ]
        ),
        [""; 0]
    );
    let archives = |folder: &str| {
        format!(
            r#"data "archive_file" "z" {{
  type = "zip"
  source_dir = "src"
  output_path = "fn.zip"
}}
data "archive_file" "l" {{
  type = "zip"
  source_dir = "{folder}"
  output_path = "layer.zip"
}}
resource "aws_lambda_layer_version" "l" {{
  layer_name = "l"
  filename = data.archive_file.l.output_path
}}
"#
        )
    };
    let arguments = r"  filename = data.archive_file.z.output_path
  layers   = [aws_lambda_layer_version.l.arn]";
    assert_eq!(
        terraform_findings(
            "app.handler",
            arguments,
            &archives("build/layer"),
            &[("src/app.py", CALLER), ("build/layer/python/shared.py", SHARED)]
        ),
        CERTAIN
    );
    let layers = r"layers:
  common:
    path: layer
functions:
  f:
    handler: src/app.handler
    layers: [{Ref: CommonLambdaLayer}]
";
    assert_eq!(
        serverless_findings(layers, &[("src/app.py", CALLER), ("layer/python/shared.py", SHARED)]),
        CERTAIN
    );
}

/// What comes with a layer from elsewhere may write to a bucket; what comes with one's own is read.
#[test]
fn layers_of_others_bring_extensions() {
    let with = |layers: &str| {
        let template = format!(
            r#"Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: fn/
      Layers: [{layers}]
      Policies:
        - Statement: [{{Effect: Allow, Action: ["sqs:ReceiveMessage", "s3:PutObject"], Resource: '*'}}]
  Common:
    Type: AWS::Serverless::LayerVersion
    Properties: {{ContentUri: layer}}
"#
        );
        usage(&[
            ("template.yaml", &template),
            ("fn/app.py", CALLER),
            ("layer/python/shared.py", SHARED),
        ])
    };
    assert_eq!(with("!Ref Common"), [r#"unused-grant "s3:PutObject""#]);
    let foreign = "!Ref Common, 'arn:aws:lambda:eu-west-1:111122223333:layer:x:1'";
    assert_eq!(with(foreign), [""; 0]);
}

#[test]
fn archives_of_folders_files_and_texts() {
    let archive = |content: &str| {
        format!(
            r#"data "archive_file" "z" {{
  type = "zip"
  output_path = "fn.zip"
{content}
}}
"#
        )
    };
    let filename = "  filename = data.archive_file.z.output_path";
    let code = [("src/app.py", CODE)];
    for content in [
        r#"  source_dir = "${path.module}/src""#,
        r#"  source_file = "src/app.py""#,
        r#"  source {
    content  = file("${path.module}/src/app.py")
    filename = "app.py"
  }"#,
        r#"  source_content          = file("src/app.py")
  source_content_filename = "app.py""#,
    ] {
        assert_eq!(
            terraform_findings("app.handler", filename, &archive(content), &code),
            CERTAIN,
            "{content}"
        );
    }
    // The resource instead of the data source, and the path instead of the reference.
    let resource = archive(r#"  source_dir = "src""#).replace("data", "resource");
    assert_eq!(
        terraform_findings(
            "app.handler",
            "  filename = archive_file.z.output_path",
            &resource,
            &code
        ),
        CERTAIN
    );
    assert_eq!(
        terraform_findings(
            "app.handler",
            r#"  filename = "${path.module}/fn.zip""#,
            &archive(r#"  source_dir = "src""#),
            &code
        ),
        CERTAIN
    );
    // Called something else in the archive.
    let renamed = r#"  source {
    content  = file("src/app.py")
    filename = "index.py"
  }"#;
    assert_eq!(
        terraform_findings("index.handler", filename, &archive(renamed), &code),
        CERTAIN
    );
    assert_eq!(
        terraform_findings("app.handler", filename, &archive(renamed), &code),
        CERTAIN
    );
    // Several files.
    let several = r#"  source {
    content  = file("src/app.py")
    filename = "app.py"
  }
  source {
    content  = file("src/shared.py")
    filename = "shared.py"
  }"#;
    assert_eq!(
        terraform_findings(
            "app.handler",
            filename,
            &archive(several),
            &[("src/app.py", CALLER), ("src/shared.py", SHARED)]
        ),
        CERTAIN
    );
    // The text itself, and one that a template makes.
    let text = format!(
        r#"  source_content_filename = "index.py"
  source_content = <<EOF
{CODE}EOF"#
    );
    assert_eq!(
        terraform_findings("index.handler", filename, &archive(&text), &[]),
        CERTAIN
    );
    let made = r#"  source {
    content  = templatefile("app.py.tftpl", { queue = "q" })
    filename = "index.py"
  }"#;
    let template = CODE.replace("'q'", "'${queue}'");
    assert_eq!(
        terraform_findings(
            "index.handler",
            filename,
            &archive(made),
            &[("app.py.tftpl", &template)]
        ),
        CERTAIN
    );
    // Something else than Python.
    let shell = text.replace("index.py", "index.sh");
    assert_eq!(
        terraform_findings("index.handler", filename, &archive(&shell), &[]),
        [""; 0]
    );
}

#[test]
fn packages_in_buckets() {
    let code = [("src/app.py", CODE)];
    let rest = |key: &str| {
        format!(
            r#"resource "aws_s3_bucket" "code" {{
  bucket = "code"
}}
resource "aws_s3_object" "code" {{
  bucket = aws_s3_bucket.code.id
  key    = "{key}"
  source = data.archive_file.z.output_path
}}
data "archive_file" "z" {{
  type        = "zip"
  source_dir  = "src"
  output_path = "fn.zip"
}}
"#
        )
    };
    let bucket = "  s3_bucket = aws_s3_bucket.code.id\n";
    for (key, argument) in [
        ("fn.zip", "aws_s3_object.code.key"),
        ("${data.archive_file.z.output_md5}.zip", "aws_s3_object.code.key"),
        ("${data.archive_file.z.output_md5}.zip", "aws_s3_object.code.id"),
        ("fn.zip", r#""fn.zip""#),
    ] {
        let arguments = format!("{bucket}  s3_key    = {argument}");
        assert_eq!(
            terraform_findings("app.handler", &arguments, &rest(key), &code),
            CERTAIN,
            "{key} {argument}"
        );
    }
    assert_eq!(
        terraform_findings(
            "app.handler",
            &format!(r#"{bucket}  s3_key = "other.zip""#),
            &rest("fn.zip"),
            &code
        ),
        [""; 0]
    );
    // Two packages under one key.
    let twice = format!(
        "{}{}",
        rest("fn.zip"),
        r#"resource "aws_s3_object" "again" {
  bucket = "b"
  key = "fn.zip"
  source = "other.zip"
}
"#
    );
    assert_eq!(
        terraform_findings("app.handler", &format!(r#"{bucket}  s3_key = "fn.zip""#), &twice, &code),
        [""; 0]
    );
}

#[test]
fn functions_of_serverless() {
    let code = [("src/app.py", CODE)];
    for functions in [
        "functions: {f: {handler: src/app.handler}}\n",
        r"package: {individually: true, patterns: ['!**', 'src/**']}
functions: {f: {handler: src.app.handler}}
",
        "functions: {f: {handler: app.handler, module: src}}\n",
    ] {
        assert_eq!(serverless_findings(functions, &code), CERTAIN, "{functions}");
    }
    let files = [("src/app.py", CODE), ("src/Dockerfile", DOCKERFILE)];
    let images = |function: &str| {
        let rest = format!("functions: {{f: {{image: {function}}}}}\n");
        let text = format!(
            r#"service: s
provider:
  name: aws
  ecr: {{images: {{fn: {{path: ./src}}, bare: ./src}}}}
  iam: {{role: {{statements: [{{Effect: Allow, Action: ["sqs:ReceiveMessage", "sqs:PurgeQueue"], Resource: '*'}}]}}}}
{rest}"#
        );
        usage(&[("serverless.yml", &text), files[0], files[1]])
    };
    for image in ["fn", "{name: fn}", "{name: bare, command: [app.handler]}"] {
        assert_eq!(images(image), CERTAIN, "{image}");
    }
    assert_eq!(
        images("111122223333.dkr.ecr.eu-west-1.amazonaws.com/x@sha256:0"),
        [""; 0]
    );
}

#[test]
fn code_inside_templates() {
    let indented: String = CODE.lines().map(|l| format!("        {l}\n")).collect();
    let inline = format!(
        r"      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
{indented}"
    );
    assert_eq!(sam_findings(&inline, "", &[]), CERTAIN);
}

#[test]
fn a_dockerfile_that_is_not_there_is_asked_for() {
    let template = r"Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
    Metadata: {DockerContext: src, Dockerfile: Dockerfile.fn}
";
    let sources = Sources::from_strings(&[("t.yaml", template), ("src/app.py", CODE)]);
    let own = iam::Ownership::default();
    let wanted = analyze(&sources, &own).wanted;
    assert!(wanted.contains(&"src/Dockerfile.fn".to_owned()), "{wanted:?}");
}
