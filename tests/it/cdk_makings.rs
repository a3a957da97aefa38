//! Functions that one call of CDK code makes several times: each is listed with its own code.

use crate::support::repository::Repository;

const HANDLER: &str = "import boto3


def handler(event, context):
    boto3.client('dynamodb').get_item(TableName='orders', Key={})
";

const IMPORTS: &str =
    "from aws_cdk import Stack, aws_iam as iam, aws_lambda as lambda_\nfrom constructs import Construct\n";

/// A stack whose constructor has this body, after what stands before it in its module.
fn stack(before: &str, body: &str, methods: &str) -> String {
    let indented = |text: &str, by: &str| text.lines().map(|l| format!("{by}{l}\n")).collect::<String>();
    format!(
        "{IMPORTS}{before}\n\nclass Orders(Stack):\n    def __init__(self, scope, ident, **kwargs):\n        \
         super().__init__(scope, ident, **kwargs)\n{}{}",
        indented(body, "        "),
        indented(methods, "    "),
    )
}

const MADE: &str = "lambda_.Function(self, name, handler='app.handler', runtime=lambda_.Runtime.PYTHON_3_13, code=lambda_.Code.from_asset(f'lambda/{folder}'))";

/// `name: file, how it is compared` of every function, and the actions that are never called.
fn listed(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let mut all = files.to_vec();
    all.extend([
        ("cdk.json", "{}"),
        ("lambda/a/app.py", HANDLER),
        ("lambda/b/app.py", HANDLER),
    ]);
    let repository = Repository::new(&all);
    let json = repository.run(&["workloads", "--format", "json"]).json();
    let workloads = json["workloads"].as_array().expect("workloads").iter();
    let mut functions: Vec<String> = workloads
        .map(|w| {
            let compared = w["unused_grant"]["compared"].as_bool() == Some(true);
            let name = w["name"].as_str().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            format!("{name}: {} {compared}", w["code"]["entry"].as_str().unwrap_or("?"))
        })
        .collect();
    functions.sort();
    let report = repository.run(&["check", "--format", "json"]).json();
    let findings = report["findings"].as_array().expect("findings").iter();
    let unused = findings.filter(|f| f["rule"] == "unused-grant");
    let mut unused: Vec<String> = unused
        .map(|f| {
            f["message"]
                .as_str()
                .unwrap_or_default()
                .split('`')
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    unused.sort();
    unused.dedup();
    (functions, unused)
}

const BOTH: [&str; 2] = ["One: lambda/a/app.py true", "Two: lambda/b/app.py true"];

fn grant(action: &str) -> String {
    format!("fn.add_to_role_policy(iam.PolicyStatement(actions=['dynamodb:GetItem', '{action}'], resources=['*']))")
}

#[test]
fn functions_of_helpers_are_told_apart() {
    let put = grant("dynamodb:PutItem");
    let method = format!("def make(self, name, folder):\n    fn = {MADE}\n    {put}\n    return fn\n");
    let calls = "self.make('One', 'a')\nself.make('Two', folder='b')\n";
    let by_default = format!("def make(self, name, folder='b'):\n    fn = {MADE}\n    {put}\n");
    let nested = format!("{method}def both(self, folder, name):\n    self.make(name, folder)\n");
    let of_object =
        "def make(self, name, code):\n    fn = lambda_.Function(self, name, handler='app.handler', code=code)\n";
    let of_object = format!("{of_object}    {put}\n");
    let module = format!("def make(self, name, folder):\n    fn = {MADE}\n    {put}\n    return fn\n");
    for (before, body, methods) in [
        ("", calls, method.as_str()),
        ("", "self.make('One', 'a')\nself.make('Two')\n", &by_default),
        (
            "",
            "self.both('a', 'One')\nself.both(name='Two', folder='b')\n",
            &nested,
        ),
        (
            "",
            "self.make('One', lambda_.Code.from_asset('lambda/a'))\nself.make('Two', lambda_.Code.from_asset('lambda/b'))\n",
            &of_object,
        ),
        (
            "",
            "for name, folder in [('One', 'a'), ('Two', 'b')]:\n    self.make(name, folder)\n",
            &method,
        ),
        (
            "",
            "for name, folder in {'One': 'a', 'Two': 'b'}.items():\n    self.make(name, folder)\n",
            &method,
        ),
        (&module, "make(self, 'One', 'a')\nmake(self, 'Two', 'b')\n", ""),
    ] {
        let app = stack(before, body, methods);
        let (functions, unused) = listed(&[("app.py", &app)]);
        assert_eq!(functions, BOTH, "{app}");
        assert_eq!(unused, ["dynamodb:PutItem"], "{app}");
    }
}

#[test]
fn functions_of_other_modules_are_told_apart() {
    let put = grant("dynamodb:PutItem");
    let helper = format!("{IMPORTS}\n\ndef make(self, name, folder):\n    fn = {MADE}\n    {put}\n    return fn\n");
    let class = format!(
        "{IMPORTS}\n\nclass Maker:\n    def __init__(self, stack):\n        self.stack = stack\n\n    def make_function(self, name, folder):\n        fn = {MADE}\n        {put}\n"
    );
    for (helper, body) in [
        (
            &helper,
            "from helper import make\nmake(self, 'One', 'a')\nmake(self, 'Two', folder='b')\n",
        ),
        (
            &helper,
            "import helper\nhelper.make(self, 'One', 'a')\nhelper.make(self, 'Two', folder='b')\n",
        ),
        (
            &class,
            "from helper import Maker\nmaker = Maker(self)\nmaker.make_function('One', 'a')\nmaker.make_function('Two', 'b')\n",
        ),
    ] {
        let app = stack("", body, "");
        let (functions, unused) = listed(&[("app.py", &app), ("helper.py", helper)]);
        assert_eq!(functions, BOTH, "{app}");
        assert_eq!(unused, ["dynamodb:PutItem"], "{app}");
    }
}

#[test]
fn a_handler_that_another_module_gives_is_known() {
    let maker = |body: &str| {
        let body: String = body.lines().map(|l| format!("        {l}\n")).collect();
        format!(
            "{IMPORTS}\n\nclass Maker(Construct):\n    def __init__(self, scope, name, folder, handler='index.handler'):\n        \
             super().__init__(scope, name)\n{body}        fn = lambda_.Function(self, 'fn', handler=self.handler, \
             code=lambda_.Code.from_asset(f'lambda/{{folder}}'))\n        {}\n",
            grant("dynamodb:PutItem")
        )
    };
    let body = "from maker import Maker\nMaker(self, 'One', 'a', 'app.handler')\nMaker(self, 'Two', 'b', handler='app.handler')\n";
    let app = stack("", body, "");
    for assigned in [
        "self.handler = handler",
        "self.handler = 'index.handler'\nself.handler = handler",
        "given = handler\nself.handler = given",
    ] {
        let (functions, unused) = listed(&[("app.py", &app), ("maker.py", &maker(assigned))]);
        let entries: Vec<&str> = functions
            .iter()
            .filter_map(|f| f.split_once(": "))
            .map(|(_, f)| f)
            .collect();
        assert_eq!(entries, ["lambda/a/app.py true", "lambda/b/app.py true"], "{assigned}");
        assert_eq!(unused, ["dynamodb:PutItem"], "{assigned}");
    }
}

#[test]
fn classes_of_functions_are_told_apart() {
    let super_call =
        "super().__init__(scope, name, handler='app.handler', code=lambda_.Code.from_asset(f'lambda/{folder}')";
    let put = grant("dynamodb:PutItem").replace("fn.", "self.");
    let class = |more: &str, given: &str| {
        format!(
            "\n\nclass Own(lambda_.Function):\n    def __init__(self, scope, name, folder{more}):\n        {super_call}{given})\n        {put}\n"
        )
    };
    let calls = "Own(self, 'One', 'a')\nOwn(self, 'Two', folder='b')\n";
    let with_more = "Own(self, 'One', 'a', memory_size=256)\nOwn(self, 'Two', folder='b', environment={})\n";
    for (class, body) in [(class("", ""), calls), (class(", **kwargs", ", **kwargs"), with_more)] {
        let app = stack(&class, body, "");
        let (functions, unused) = listed(&[("app.py", &app)]);
        assert_eq!(functions, BOTH, "{app}");
        assert_eq!(unused, ["dynamodb:PutItem"], "{app}");
        let module = format!("{IMPORTS}{class}");
        let app = stack("", &format!("from own import Own\n{body}"), "");
        let (functions, _) = listed(&[("app.py", &app), ("own.py", &module)]);
        assert_eq!(functions, BOTH, "{app}");
    }
}

#[test]
fn functions_of_loops_are_told_apart() {
    for head in [
        "for name, folder in [('One', 'a'), ('Two', 'b')]:",
        "for name, folder in {'One': 'a', 'Two': 'b'}.items():",
    ] {
        let app = stack(
            "",
            &format!("{head}\n    fn = {MADE}\n    {}\n", grant("dynamodb:PutItem")),
            "",
        );
        let (functions, unused) = listed(&[("app.py", &app)]);
        assert_eq!(functions, BOTH, "{app}");
        assert_eq!(unused, ["dynamodb:PutItem"], "{app}");
    }
}

#[test]
fn what_is_granted_to_one_counts_for_all_that_are_made() {
    let method = format!("def make(self, name, folder):\n    fn = {MADE}\n    return fn\n");
    let calls = format!(
        "fn = self.make('One', 'a')\n{}\nself.make('Two', 'b')\n",
        grant("dynamodb:PutItem")
    );
    let (functions, unused) = listed(&[("app.py", &stack("", &calls, &method))]);
    assert_eq!(functions, BOTH);
    assert!(unused.is_empty() || unused == ["dynamodb:PutItem"], "{unused:?}");
    // The code of one of them is not known: it may use what the other one does not.
    let calls = format!("{calls}self.make('Three', scope.folder)\n");
    let (functions, unused) = listed(&[("app.py", &stack("", &calls, &method))]);
    assert_eq!(functions.len(), 3, "{functions:?}");
    assert!(functions.iter().all(|f| f.ends_with("false")), "{functions:?}");
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn a_helper_that_is_passed_on_may_be_called_by_others() {
    let method = format!(
        "def make(self, name, folder):\n    fn = {MADE}\n    {}\n",
        grant("dynamodb:PutItem")
    );
    let body = "self.make('One', 'a')\nself.make('Two', 'b')\nscope.register(self.make)\n";
    let (functions, unused) = listed(&[("app.py", &stack("", body, &method))]);
    assert_eq!(functions.len(), 3, "{functions:?}");
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn constructs_with_conditions_make_what_they_are_given() {
    let class = "\n\nclass Lambda(Construct):
    def __init__(self, scope, ident, folder=None, image=None, handler='app.handler'):
        super().__init__(scope, ident)
        if image is not None:
            self.fn = lambda_.DockerImageFunction(self, 'fn', code=lambda_.DockerImageCode.from_image_asset(image))
        else:
            if folder is None:
                self.code = lambda_.Code.from_bucket(scope.bucket, 'key')
                self.handler = 'index.handler'
            else:
                self.code = lambda_.Code.from_asset('lambda/' + folder)
            self.handler = handler
            self.fn = lambda_.Function(self, 'fn', handler=self.handler, code=self.code)
";
    let body = "Lambda(self, 'One', 'a')\nLambda(self, 'Two', folder='b')\n";
    let app = stack(class, body, "");
    let repository = Repository::new(&[
        ("cdk.json", "{}"),
        ("app.py", &app),
        ("lambda/a/app.py", HANDLER),
        ("lambda/b/app.py", HANDLER),
    ]);
    let json = repository.run(&["workloads", "--format", "json"]).json();
    let workloads = json["workloads"].as_array().expect("workloads");
    let listed: Vec<String> = workloads
        .iter()
        .map(|w| {
            format!(
                "{} {}",
                w["name"].as_str().unwrap_or("?"),
                w["code"]["entry"].as_str().unwrap_or("?")
            )
        })
        .collect();
    assert_eq!(
        listed,
        ["Lambda/One/fn lambda/a/app.py", "Lambda/Two/fn lambda/b/app.py"]
    );
}
