//! Functions of the repository behind its own decorators, and packages that a build step puts beside the code.

use crate::support::repository::Repository;

const TEMPLATE: &str = r"Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: app.handler
      CodeUri: src/
      Policies:
        - Version: '2012-10-17'
          Statement:
            - Effect: Allow
              Action: sqs:PurgeQueue
              Resource: arn:aws:sqs:eu-west-1:111122223333:q
";

const HELPERS: &str = "import boto3, functools

def again(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper

@again
def put(name, value):
    boto3.client('ssm').put_parameter(Name=name, Value=value, Type='String')

@again
def drop(name):
    boto3.client('ssm').delete_parameter(Name=name)
";

fn said(files: &[(&str, &str)]) -> Vec<String> {
    let all: Vec<(&str, &str)> = [("template.yaml", TEMPLATE)].iter().chain(files).copied().collect();
    let findings = Repository::new(&all)
        .check(&["--isolated", "--select", "missing-grant,unused-grant", "."])
        .findings();
    findings
        .iter()
        .map(|f| f["message"].as_str().unwrap().to_owned())
        .collect()
}

const UNUSED: &str = "`sqs:PurgeQueue` is granted, but the code never calls it";

#[test]
fn what_is_decorated_is_called_where_its_name_is() {
    let handlers = [
        "from helpers import put, drop\n\ndef handler(event, context):\n    put('a', 'b')\n",
        "import helpers\n\ndef handler(event, context):\n    return helpers.again\n",
        "from helpers import again\n\ndef handler(event, context):\n    return 1\n",
    ];
    let expected: [&[&str]; 3] = [
        &["`ssm:PutParameter` is required but not allowed by the role", UNUSED],
        &[UNUSED],
        &[UNUSED],
    ];
    for (handler, expected) in handlers.into_iter().zip(expected) {
        let mut found = said(&[("src/app.py", handler), ("src/helpers.py", HELPERS)]);
        found.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{handler}");
    }
    // In the same file, too.
    let own = format!("{HELPERS}\ndef handler(event, context):\n    drop('a')\n");
    let found = said(&[("src/app.py", &own)]);
    assert!(
        found.contains(&"`ssm:DeleteParameter` is required but not allowed by the role".to_owned()),
        "{found:?}"
    );
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn what_a_framework_calls_is_still_called() {
    let handler = "import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
app = APIGatewayRestResolver()

@app.get('/x')
def x():
    boto3.client('ssm').put_parameter(Name='a', Value='b', Type='String')

def handler(event, context):
    return app.resolve(event, context)
";
    let found = said(&[("src/app.py", handler)]);
    assert!(
        found.contains(&"`ssm:PutParameter` is required but not allowed by the role".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_package_that_is_there_once_is_the_one_that_is_imported() {
    let handler = "from own_helpers import store\n\ndef handler(event, context):\n    store.purge()\n";
    let store = "import boto3\n\ndef purge():\n    boto3.client('sqs').purge_queue(QueueUrl='q')\n";
    let files = [
        ("src/app.py", handler),
        ("layers/one/own_helpers/__init__.py", ""),
        ("layers/one/own_helpers/store.py", store),
    ];
    assert_eq!(said(&files), Vec::<String>::new());
    // Without it, and with two of them, what the code calls is not known.
    assert_eq!(said(&files[..1]), Vec::<String>::new());
    let none = "import boto3\n";
    let one = [files[0], files[1], ("layers/one/own_helpers/store.py", none)];
    assert_eq!(said(&one), [UNUSED]);
    let two = [one.as_slice(), &[("layers/two/own_helpers/__init__.py", "")]].concat();
    assert_eq!(said(&two), Vec::<String>::new());
}
