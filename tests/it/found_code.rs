//! Code that a person would find near a function, though no file says where it is, and files that it imports.

use crate::support::repository::Repository;
use crate::usage::usage_findings;

const CODE: &str = "import boto3\n\n\ndef handler(event, context):\n    boto3.client('sqs').list_queues()\n";

/// A template with functions: their keys in a bucket and handlers.
fn template(functions: &[(&str, &str)]) -> String {
    let mut out = "Parameters:\n  Name: {Type: String}\nResources:\n".to_owned();
    for (n, (key, handler)) in functions.iter().enumerate() {
        out += &format!(
            "  Role{n}:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, \
             Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}]}}\n      Policies: [{{PolicyName: p, \
             PolicyDocument: {{Statement: [{{Effect: Allow, Action: [sqs:ListQueues, sns:ListTopics], Resource: '*'}}]}}}}]\n  \
             F{n}:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: python3.13\n      Handler: {handler}\n      \
             Role: !GetAtt Role{n}.Arn\n      Code: {{S3Bucket: b, S3Key: {key}}}\n"
        );
    }
    out
}

/// The code of each function, as `workloads` lists it.
fn codes(files: &[(&str, &str)]) -> Vec<String> {
    let json = Repository::new(files).run(&["workloads", "--format", "json"]).json();
    let all = json["workloads"].as_array().expect("workloads");
    let code = |w: &serde_json::Value| w["code"]["entry"].as_str().unwrap_or("-").to_owned();
    all.iter().map(code).collect()
}

const KEY: &str = "!Sub '${Name}/code/${Name}.zip'";

#[test]
fn the_only_file_of_the_handlers_name_near_the_template_is_the_code() {
    let one = template(&[(KEY, "app.handler")]);
    let there = [
        ("a/templates/t.yaml", &*one),
        ("a/src/app.py", CODE),
        ("b/src/app.py", CODE),
    ];
    assert_eq!(codes(&there), ["a/src/app.py"]);
    assert_eq!(usage_findings(&there), ["unused-grant sns:ListTopics"]);
    // In the folder of the template, below it, and two folders above.
    assert_eq!(
        codes(&[("a/t.yaml", &one), ("a/app.py", CODE), ("b/app.py", CODE)]),
        ["a/app.py"]
    );
    let above = [("a/b/c/t.yaml", &*one), ("a/src/app.py", CODE), ("d/app.py", CODE)];
    assert_eq!(codes(&above), ["a/src/app.py"]);
}

#[test]
fn of_several_files_as_near_none_is_taken() {
    let one = template(&[(KEY, "app.handler")]);
    let two_files = [("a/t.yaml", &*one), ("a/x/app.py", CODE), ("a/y/app.py", CODE)];
    assert_eq!(codes(&two_files), ["-"]);
    // Far away, a test, or without the function.
    assert_eq!(codes(&[("a/b/c/d/t.yaml", &one), ("app.py", CODE)]), ["-"]);
    assert_eq!(codes(&[("a/t.yaml", &one), ("a/tests/app.py", CODE)]), ["-"]);
    let other = CODE.replace("def handler", "def main");
    assert_eq!(codes(&[("a/t.yaml", &one), ("a/app.py", &other)]), ["-"]);
}

#[test]
fn functions_of_several_packages_share_no_file() {
    let two = template(&[("!Ref KeyA", "app.handler"), ("!Ref KeyB", "app.handler")]);
    assert_eq!(codes(&[("a/t.yaml", &two), ("a/src/app.py", CODE)]), ["-", "-"]);
    let same = template(&[(KEY, "app.handler"), (KEY, "app.handler")]);
    let files = [("a/t.yaml", &*same), ("a/src/app.py", CODE)];
    assert_eq!(codes(&files), ["a/src/app.py", "a/src/app.py"]);
    // A package that is called as a folder is that folder.
    let named = template(&[("x/one.zip", "app.handler"), ("x/two.zip", "app.handler")]);
    let files = [("a/t.yaml", &*named), ("a/one/app.py", CODE), ("a/two/app.py", CODE)];
    assert_eq!(codes(&files), ["a/one/app.py", "a/two/app.py"]);
}

#[test]
fn packages_that_share_a_plain_name_are_called_as_their_folders() {
    let keys = ["copies/lambda.zip", "pulls/lambda.zip"];
    let two = template(&keys.map(|key| (key, "app.handler")));
    // The folder `lambda` is that of neither.
    assert_eq!(codes(&[("t.yaml", &two), ("sync/lambda/app.py", CODE)]), ["-", "-"]);
    let both = [("t.yaml", &*two), ("sync/pulls/app.py", CODE), ("copies/app.py", CODE)];
    assert_eq!(codes(&both), ["copies/app.py", "sync/pulls/app.py"]);
    let one = template(&[("copies/lambda.zip", "app.handler")]);
    assert_eq!(codes(&[("t.yaml", &one), ("lambda/app.py", CODE)]), ["lambda/app.py"]);
    // A handler whose name is rare, in two packages.
    let rare = template(&[("a.zip", "notices.handler"), ("b.zip", "notices.handler")]);
    assert_eq!(codes(&[("t.yaml", &rare), ("x/y/notices.py", CODE)]), ["-", "-"]);
    assert_eq!(
        codes(&[("t.yaml", &rare), ("x/b/notices.py", CODE)]),
        ["-", "x/b/notices.py"]
    );
    let same = template(&[("a.zip", "notices.handler"), ("a.zip", "notices.handler")]);
    let files = [("t.yaml", &*same), ("x/y/notices.py", CODE)];
    assert_eq!(codes(&files), ["x/y/notices.py", "x/y/notices.py"]);
}

#[test]
fn packages_that_are_called_alike_are_those_of_their_folders() {
    let one = template(&[("src/index.zip", "index.handler")]);
    let files = [
        ("a/t.yaml", &*one),
        ("a/src/index.py", CODE),
        ("b/t.yaml", &*one),
        ("b/src/index.py", CODE),
        ("c/t.yaml", &template(&[("index.zip", "index.handler")])),
    ];
    assert_eq!(codes(&files), ["a/src/index.py", "b/src/index.py", "-"]);
    // Two in one folder are none's.
    let files = [
        ("a/t.yaml", &*one),
        ("a/x/src/index.py", CODE),
        ("a/y/src/index.py", CODE),
    ];
    assert_eq!(codes(&files), ["-"]);
}

#[test]
fn what_reads_packages_loads_no_code() {
    let one = template(&[("one.zip", "app.handler")]);
    let found = |import: &str, use_: &str| {
        let app = format!(
            "{import}\n{}",
            CODE.replace("    boto3", &format!("    {use_}\n    boto3"))
        );
        usage_findings(&[("t.yaml", &one), ("one/app.py", &app)])
    };
    for (import, use_) in [
        ("import importlib.metadata", "importlib.metadata.version('x')"),
        (
            "import importlib\nimport importlib.resources",
            "importlib.resources.files('x')",
        ),
        ("from importlib.metadata import version", "version('x')"),
        ("from importlib import metadata", "metadata.version('x')"),
        ("from importlib import resources", "resources.files('x')"),
        ("import importlib_metadata", "importlib_metadata.version('x')"),
    ] {
        assert_eq!(found(import, use_), ["unused-grant sns:ListTopics"], "{import}");
    }
    for (import, use_) in [
        ("import importlib", "importlib.import_module(event['m']).run()"),
        ("import importlib as loader", "loader.import_module(event['m']).run()"),
        ("from importlib import import_module", "import_module(event['m']).run()"),
        (
            "from importlib import metadata, import_module",
            "import_module(event['m']).run()",
        ),
        (
            "from importlib import (\n    import_module,\n)",
            "import_module(event['m']).run()",
        ),
        ("import json, importlib", "importlib.import_module(event['m']).run()"),
        (
            "from importlib.metadata import entry_points",
            "[e.load() for e in entry_points(group='x')]",
        ),
    ] {
        assert_eq!(found(import, use_), Vec::<String>::new(), "{import}");
    }
}

#[test]
fn imported_files_are_read_where_their_package_is_though_gitignore_has_them() {
    let one = template(&[("x/one.zip", "app.handler")]);
    let app = "import boto3\nfrom lib.first import send\n\n\ndef handler(event, context):\n    send()\n";
    let first = "from lib.second import client\n\n\ndef send():\n    client('sqs').list_queues()\n";
    let second = "import boto3\n\n\ndef client(name):\n    return boto3.client(name)\n";
    let files = [
        ("deployment/t.yaml", &*one),
        ("source/one/app.py", app),
        ("source/lib/first.py", first),
        ("source/lib/second.py", second),
        (".gitignore", "second*\n"),
    ];
    let ran = Repository::new(&files).run(&["workloads"]);
    assert!(
        ran.out
            .contains("  compared: 1 call needs 1 action, the role grants 2 actions\n"),
        "{}",
        ran.out
    );
}

#[test]
fn one_key_in_several_folders_is_each_folders_own() {
    let folder = |name: &str| {
        let main = format!(
            "{}\nresource \"aws_lambda_function\" \"fn\" {{\n  s3_bucket = \"b\"\n  s3_key = aws_s3_object.code.key\n  handler = \
             var.handler\n  runtime = \"python3.13\"\n  role = aws_iam_role.fn.arn\n}}\n\nvariable \"handler\" {{\n  default = \
             \"app.handler\"\n}}\n\nresource \"aws_s3_object\" \"code\" {{\n  bucket = \"b\"\n  key = \"source.zip\"\n  source = \
             data.archive_file.code.output_path\n}}\n\ndata \"archive_file\" \"code\" {{\n  type = \"zip\"\n  source_dir = \
             \"${{path.module}}/src\"\n  output_path = \"out.zip\"\n}}\n",
            "resource \"aws_iam_role\" \"fn\" {\n  assume_role_policy = jsonencode({Version = \"2012-10-17\", Statement = [{Effect = \
             \"Allow\", Action = \"sts:AssumeRole\", Principal = {Service = \"lambda.amazonaws.com\"}}]})\n}\n"
        );
        [
            (format!("{name}/main.tf"), main),
            (
                format!("{name}/src/app.py"),
                "def handler(event, context):\n    return 1\n".to_owned(),
            ),
        ]
    };
    let files: Vec<(String, String)> = ["one", "two"].into_iter().flat_map(folder).collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let listed = Repository::new(&files).run(&["workloads"]).out;
    for line in ["code: one/src/app.py, `handler`", "code: two/src/app.py, `handler`"] {
        assert!(listed.contains(line), "{listed}");
    }
}

#[test]
fn a_package_is_called_after_all_folders_of_its_code() {
    let handler = "handler.handler";
    let keys = ["a_b_c_d_e.zip", "articles.zip", "users_articles.zip"];
    let functions = keys.map(|key| (key, handler));
    let files = ["src/a/b/c/d/e", "src/articles", "src/users/articles"].map(|folder| format!("{folder}/handler.py"));
    let packages = template(&functions);
    let mut there = vec![("infra/t.yaml", packages.as_str())];
    there.extend(files.iter().map(|path| (path.as_str(), CODE)));
    assert_eq!(codes(&there), files);
    // A path of a package that is not there, as `aws cloudformation package` takes it.
    let local = packages
        .replace("Code: {S3Bucket: b, S3Key: articles.zip}", "Code: ./dist/articles.zip")
        .replace(
            "Code: {S3Bucket: b, S3Key: users_articles.zip}",
            "Code: ./dist/users_articles.zip",
        );
    there[0] = ("infra/t.yaml", &local);
    assert_eq!(codes(&there), files);
}

#[test]
fn code_of_the_serverless_framework() {
    let service = |function: &str| {
        format!(
            "service: s\nprovider:\n  name: aws\n  runtime: python3.13\n  iam: {{role: {{statements: [{{Effect: Allow, Action: \
             ['sqs:ListQueues'], Resource: '*'}}]}}}}\nfunctions:\n  f:\n    {function}\n"
        )
    };
    // The folder of the service is the package that the handler begins with.
    let text = service("handler: orders.web.handler");
    assert_eq!(
        codes(&[("orders/serverless.yml", &text), ("orders/web.py", CODE)]),
        ["orders/web.py"]
    );
    // The package comes from elsewhere.
    let text = service("handler: handler.handler\n    package: {artifact: build/orders_web.zip}");
    let there = [
        ("deploy/serverless.yml", &*text),
        ("src/orders/web/handler.py", CODE),
        ("src/other/handler.py", CODE),
    ];
    assert_eq!(codes(&there), ["src/orders/web/handler.py"]);
    // Unless the code is in the folder of the service.
    let here = [there[0], there[1], ("deploy/handler.py", CODE)];
    assert_eq!(codes(&here), ["deploy/handler.py"]);
}

#[test]
fn a_role_from_a_file_that_is_not_there() {
    let text = "service: s\nprovider:\n  name: aws\n  runtime: python3.13\n  role: ${file(./config.json):ROLE}\nfunctions:\n  f:\n    \
                handler: app.handler\n";
    let out = Repository::new(&[("serverless.yml", text), ("app.py", CODE)])
        .run(&["workloads"])
        .out;
    let reason =
        "role not known: `${file(./config.json):ROLE}` is the role, and `./config.json` is not among the files";
    assert!(out.contains(reason), "{out}");
}
