//! The catalogue, the sets of actions, AWS's own policies.

use crate::support::glob_matches;
use overgrant::internals::iam::catalogue::{KeyPresence, catalogue};
use overgrant::internals::iam::{AccessLevel, ActionSet};
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn names_are_found_in_any_case_and_given_in_aws_own() {
    let action = catalogue().action("S3:getobject").unwrap();
    assert_eq!(action.name(), "s3:GetObject");
    assert_eq!(action.short_name(), "GetObject");
    assert_eq!(action.service().prefix(), "s3");
    assert_eq!(action.level(), AccessLevel::Read);
    assert!(action.scopable());
    assert!(
        action
            .resource_types()
            .any(|t| t.name() == "object" && t.arn_format() == "arn:${Partition}:s3:::${BucketName}/${ObjectName}")
    );
    assert!(action.supports_key("s3:ExistingObjectTag/team"));
    assert!(catalogue().action("s3:GetObjects").is_none());
    assert_eq!(catalogue().service("EC2").unwrap().prefix(), "ec2");
    assert!(catalogue().service("amazon").is_none());
}

#[test]
fn an_action_may_have_two_levels() {
    let action = catalogue().action("sqs:AddPermission").unwrap();
    assert_eq!(action.level(), AccessLevel::PermissionsManagement);
    assert_eq!(action.second_level(), Some(AccessLevel::Write));
    assert_eq!(catalogue().action("s3:GetObject").unwrap().second_level(), None);
    assert!(
        catalogue()
            .action("iam:PassRole")
            .unwrap()
            .called_permissions_management()
    );
}

#[test]
fn every_name_finds_itself() {
    for service in catalogue().services() {
        assert_eq!(catalogue().service(service.prefix()), Some(service));
        for action in service.actions() {
            assert_eq!(catalogue().action(action.name()), Some(action));
            assert_eq!(action.service(), service);
            assert_eq!(action.id().action(), action);
        }
        for key in service.condition_keys() {
            assert!(service.condition_key(key.name()).is_some(), "{key:?}");
        }
    }
    for policy in catalogue().managed_policies() {
        assert_eq!(catalogue().managed_policy(policy.arn), Some(policy));
        assert_eq!(catalogue().managed_policy(policy.name), Some(policy));
    }
    for template in catalogue().sam_templates() {
        let json: Value = serde_json::from_str(catalogue().sam_template(template).unwrap()).unwrap();
        assert!(json["Definition"]["Statement"].is_array(), "{template}");
    }
}

#[test]
fn a_pattern_expands_to_the_actions_that_it_matches() {
    let names = |p: &str| ActionSet::expand(p).iter().map(|a| a.name()).collect::<Vec<_>>();
    assert_eq!(names("s3:GetObjec?"), ["s3:GetObject"]);
    assert_eq!(
        names("SQS:*message"),
        ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]
    );
    assert!(names("s3:Get*").contains(&"s3:GetBucketPolicy"));
    assert!(names("*:PassRole") == ["iam:PassRole"]);
    assert!(names("nothing:*").is_empty() && names("").is_empty());
    assert!(ActionSet::expand("*").is_all() && ActionSet::expand("*:*").is_all());
    // Retired services have no members.
    assert!(names("iotevents:*").is_empty());
    assert!(catalogue().action("iotevents:CreateInput").unwrap().is_retired());
}

#[test]
fn wide_grants_name_the_gravest_first() {
    assert_eq!(ActionSet::expand("s3:*").most_severe(1), ["s3:PutBucketPolicy"]);
    let iam = ActionSet::expand("iam:*");
    assert_eq!(iam.most_severe(200).len(), iam.len().min(200));
    assert!(iam.most_severe(12).contains(&"iam:PassRole"));
    let levels = ActionSet::expand("s3:*").by_level();
    assert_eq!(levels.total(), ActionSet::expand("s3:*").len());
    assert!(levels.permissions_management > 0 && levels.write > 0);
    assert_eq!(levels.highest(), Some(AccessLevel::PermissionsManagement));
}

#[test]
fn global_keys_have_their_type_and_say_when_they_are_there() {
    let key = catalogue().global_condition_key("AWS:sourcearn").unwrap();
    assert_eq!(
        (key.name, key.type_name, key.multivalued),
        ("aws:SourceArn", "ARN", false)
    );
    assert!(matches!(key.presence, KeyPresence::Only(_)));
    let key = catalogue().global_condition_key("aws:PrincipalTag/team").unwrap();
    assert_eq!(key.name, "aws:PrincipalTag/${TagKey}");
    assert!(catalogue().global_condition_key("aws:tagkeys").unwrap().multivalued);
    assert_eq!(
        catalogue()
            .global_condition_key("aws:SecureTransport")
            .unwrap()
            .presence,
        KeyPresence::Always
    );
    assert!(catalogue().global_condition_key("aws:PrincipalTag/").is_none());
    assert!(catalogue().global_condition_key("aws:Nothing").is_none());
}

#[test]
fn managed_policies_are_found_by_name_path_and_arn() {
    let admin = catalogue()
        .managed_policy("arn:aws:iam::aws:policy/AdministratorAccess")
        .unwrap();
    assert_eq!(admin.name, "AdministratorAccess");
    assert!(admin.document_json().unwrap().contains(r#""Action":"*""#));
    assert!(
        catalogue()
            .managed_policy("arn:aws-cn:iam::aws:policy/ReadOnlyAccess")
            .is_some()
    );
    assert!(
        catalogue()
            .managed_policy("service-role/AWSLambdaBasicExecutionRole")
            .is_some()
    );
    assert!(
        catalogue()
            .managed_policy("arn:aws:iam::123456789012:policy/AdministratorAccess")
            .is_none()
    );
    let old = catalogue().managed_policy("AWSLambdaFullAccess").unwrap();
    assert!(old.deprecated);
    assert_eq!(old.replacement, Some("AWSLambda_FullAccess"));
    for policy in catalogue().managed_policies() {
        if let Some(replacement) = policy.replacement {
            assert!(
                !catalogue().managed_policy(replacement).unwrap().deprecated,
                "{}",
                policy.name
            );
        }
    }
}

#[test]
fn slips_are_answered_with_the_name_that_is_meant() {
    let meant = |n: &str| catalogue().did_you_mean_action(n, &ActionSet::empty());
    assert_eq!(meant("s3:GetObjekt"), Some("s3:GetObject"));
    assert_eq!(meant("s3:PutBuketPolicy"), Some("s3:PutBucketPolicy"));
    assert_eq!(meant("dynamobd:GetItem"), Some("dynamodb:GetItem"));
    assert_eq!(meant("s3:Frobnicate"), None);
    assert_eq!(meant("dynamodb:CreateItem"), Some("dynamodb:PutItem"));
    assert_eq!(meant("s3:ReadObject"), Some("s3:GetObject"));
    assert_eq!(meant("ecs:StopTasks"), Some("ecs:StopTask"));
    assert_eq!(meant("s3:getobjekt"), Some("s3:GetObject"));
    assert_eq!(
        meant("lambda:GetFunctionConcurrent"),
        Some("lambda:GetFunctionConcurrency")
    );
    // A verb that reads is not corrected to one that writes, nor a thing to another one.
    for name in [
        "glue:BatchGetTable",
        "logs:ReadLogGroup",
        "glue:BatchGetTables",
        "glue:BatchGetConnection",
    ] {
        let verb = meant(name).and_then(|m| m.split_once(':')).map(|(_, action)| action);
        let reads = ["Get", "BatchGet", "Describe", "List"];
        assert!(
            verb.is_none_or(|v| reads.iter().any(|r| v.starts_with(r))),
            "{name}: {verb:?}"
        );
    }
    let prefix = |p: &str, n: &str| catalogue().did_you_mean_prefix(p, n);
    assert_eq!(prefix("vpc", "DescribeSubnets").as_deref(), Some("ec2:DescribeSubnets"));
    assert_eq!(prefix("dynamo", "GetItem").as_deref(), Some("dynamodb:GetItem"));
    assert_eq!(prefix("vpc", "Describe*"), None);
    let beside = ActionSet::expand("ses:SendEmail");
    assert_eq!(
        catalogue().did_you_mean_action("ses:SendMail", &beside),
        Some("ses:SendEmail")
    );
    assert_eq!(catalogue().did_you_mean_service("lamda"), Some("lambda"));
    let meant: Vec<_> = catalogue()
        .api_name("s3:getbucket")
        .unwrap()
        .iter()
        .map(|a| a.name())
        .collect();
    assert_eq!(meant, ["s3:ListBucket"]);
}

#[test]
fn every_action_named_by_hand_exists() {
    let known = |name: &str| catalogue().action(name).is_some();
    let notable = include_str!("../../rules/facts/hand/notable-actions.txt");
    let notable: Vec<&str> = notable.lines().filter_map(|l| Some(l.split_once('\t')?.0)).collect();
    assert!(notable.len() > 50);
    for action in notable {
        assert!(known(action), "{action}");
    }
    let checked = include_str!("../../rules/facts/hand/checked-arns.txt");
    let checked = checked.lines().filter(|l| !l.starts_with('#'));
    for action in checked.filter_map(|l| Some(l.split_once('\t')?.0)) {
        let of_service = action
            .strip_suffix(":*")
            .is_some_and(|s| catalogue().service(s).is_some());
        assert!(of_service || known(action), "{action}");
    }
    for feature in overgrant::internals::iam::sdk::lambda_features() {
        for action in overgrant::internals::iam::sdk::lambda_baseline(feature).unwrap() {
            assert!(known(action), "{feature}: {action}");
        }
    }
    let lists = include_str!("../../rules/facts/hand/kms-needs.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| Some(l.split_once('\t')?.1));
    for action in lists.flat_map(|l| l.split(", ")) {
        assert!(known(action), "{action}");
    }
}

/// Fields of the rows of a hand-kept table.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = table.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    lines.map(|l| l.split('\t').collect())
}

#[test]
fn ways_to_more_permissions_are_made_of_actions() {
    let mut ways = 0;
    for row in rows(include_str!("../../rules/facts/hand/escalation.txt")) {
        let [name, kind, actions, what, ref types @ ..] = row[..] else {
            panic!("four fields: {row:?}")
        };
        assert!(["self", "other", "reach", "target"].contains(&kind), "{name}: {kind}");
        assert_eq!(types.len(), usize::from(matches!(kind, "reach" | "target")), "{name}");
        let mut types = types.iter().flat_map(|t| t.split(' '));
        assert!(types.all(|t| t.starts_with("AWS::")), "{name}");
        ways += 1;
        for action in actions.split(' ') {
            let known = catalogue().action(action).is_some_and(|a| a.name() == action);
            assert!(known, "{name}: {action}");
            // A role is handed over by `iam:PassRole`, and `passed-roles.txt` has what that takes.
            assert_ne!(action, "iam:PassRole", "{name}");
        }
        assert!(!what.is_empty(), "{name}");
    }
    assert!(ways > 30, "{ways}");
}

#[test]
fn classes_and_patterns_kept_by_hand_name_known_actions() {
    for row in rows(include_str!("../../rules/facts/hand/exposure.txt")) {
        let known = catalogue().action(row[1]).is_some_and(|a| a.name() == row[1]);
        assert!(known, "{row:?}");
    }
    for row in rows(include_str!("../../rules/facts/hand/api-names.txt")) {
        assert!(catalogue().action(row[0]).is_none(), "{row:?}");
        for meant in row[1].split(", ") {
            assert!(catalogue().action(meant).is_some_and(|a| !a.is_retired()), "{row:?}");
        }
    }
    for row in rows(include_str!("../../rules/facts/hand/besides.txt")) {
        for pattern in row.get(1).iter().flat_map(|p| p.split(", ")) {
            assert!(!ActionSet::expand(pattern).is_empty(), "{row:?}: {pattern}");
        }
    }
    for row in rows(include_str!("../../rules/facts/hand/caller-rights.txt")) {
        let (client, operations) = row[0].split_once('.').unwrap();
        let client = overgrant::internals::iam::sdk::clients()
            .find(|c| c.name() == client)
            .unwrap();
        for name in operations.split(", ") {
            assert!(client.operations().any(|o| o.name() == name), "{row:?}: {name}");
        }
        for words in &row[1..] {
            let [_, _, actions] = words.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{row:?}")
            };
            for action in actions.split(", ") {
                assert!(
                    catalogue().action(action).is_some_and(|a| a.name() == action),
                    "{row:?}: {action}"
                );
            }
        }
    }
    for row in rows(include_str!("../../rules/facts/hand/conditional-triggers.txt")) {
        let all = catalogue().actions();
        let pattern = row[0].to_lowercase();
        let hits = all.filter(|a| glob_matches(pattern.as_bytes(), a.name().to_lowercase().as_bytes()));
        assert!(hits.count() > 0, "{row:?}");
    }
}

/// What an operation needs is an action, but for operations that are newer than the catalogue.
#[test]
fn operations_need_known_actions() {
    for client in overgrant::internals::iam::sdk::clients() {
        for operation in client.operations().filter(|o| !o.is_assumed()) {
            for action in operation.all_actions() {
                assert!(
                    catalogue().action(action).is_some(),
                    "{client:?} {operation:?}: {action}"
                );
            }
        }
    }
}

#[test]
fn regions_partitions_and_service_principals() {
    assert_eq!(catalogue().region("eu-west-1").unwrap().partition, "aws");
    assert!(catalogue().region("eu-west-99").is_none());
    assert!(catalogue().is_partition("aws-us-gov") && !catalogue().is_partition("aws_cn"));
    for known in [
        "lambda.amazonaws.com",
        "logs.eu-west-1.amazonaws.com",
        "ec2.amazonaws.com.cn",
        "ECS-tasks.amazonaws.com",
        "states.us-east-1.amazonaws.com",
    ] {
        assert!(catalogue().is_service_principal(known), "{known}");
    }
    assert!(!catalogue().is_service_principal("lamda.amazonaws.com"));
    assert_eq!(
        catalogue().did_you_mean_service_principal("lamda.amazonaws.com"),
        Some("lambda.amazonaws.com")
    );
}

/// Every concrete action of AWS's own policies is known, and every pattern of them matches something, but for those that
/// are AWS's mistakes or private.
#[test]
fn managed_policies_name_known_actions() {
    let unknown: Vec<&str> = include_str!("../../testdata/facts/managed-policies-unknown.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .collect();
    let mut strange = Vec::new();
    for policy in catalogue().managed_policies() {
        let Some(json) = policy.document_json() else { continue };
        let document: Value = serde_json::from_str(json).unwrap();
        for pattern in document_actions(&document) {
            let known = if pattern.contains(['*', '?']) {
                let any_case = pattern.to_lowercase();
                !ActionSet::expand(&pattern).is_empty()
                    || catalogue()
                        .actions()
                        .any(|a| glob_matches(any_case.as_bytes(), a.name().to_lowercase().as_bytes()))
            } else {
                catalogue().action(&pattern).is_some()
            };
            if !known && !unknown.contains(&pattern.as_str()) {
                strange.push(format!("{}: {pattern}", policy.name));
            }
        }
    }
    assert!(strange.is_empty(), "{strange:#?}");
}

fn document_actions(document: &Value) -> Vec<String> {
    let list = |v: &Value| match v {
        Value::Array(items) => items.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    list(&document["Statement"])
        .iter()
        .flat_map(|s| [list(&s["Action"]), list(&s["NotAction"])])
        .flatten()
        .filter_map(|a| Some(a.as_str()?.to_owned()))
        .collect()
}

/// A pattern made from a real name: a piece of it cut out for a star, a letter for a question mark, case turned.
fn action_pattern() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = catalogue().actions().map(|a| a.name()).collect();
    (
        prop::sample::select(names),
        any::<[prop::sample::Index; 3]>(),
        any::<[bool; 3]>(),
    )
        .prop_map(|(name, at, how)| {
            let mut text = name.to_owned();
            if how[0] {
                let i = at[0].index(text.len());
                text.replace_range(i..=i, "?");
            }
            if how[1] {
                let (a, b) = (at[1].index(text.len() + 1), at[2].index(text.len() + 1));
                text.replace_range(a.min(b)..a.max(b), "*");
            }
            if how[2] { text.to_uppercase() } else { text }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn expansion_is_what_a_naive_glob_says(pattern in action_pattern()) {
        let set = ActionSet::expand(&pattern);
        let lower = pattern.to_lowercase();
        for action in catalogue().actions() {
            let expected = !action.is_retired() && glob_matches(lower.as_bytes(), action.name().to_lowercase().as_bytes());
            prop_assert_eq!(set.contains(action.id()), expected, "{} and {}", &pattern, action.name());
        }
        prop_assert_eq!(set.len(), set.iter().count());
    }

    #[test]
    fn not_action_is_the_complement(a in action_pattern(), b in action_pattern()) {
        let set = ActionSet::expand_all([a.as_str(), b.as_str()]);
        let rest = set.complement();
        prop_assert!(!set.intersects(&rest));
        let mut both = set.clone();
        both.union_with(&rest);
        prop_assert!(both.is_all());
        prop_assert_eq!(rest.complement(), set);
    }
}

mod boto3 {
    use overgrant::internals::iam::sdk::{self, Trigger};

    fn required(client: &str, method: &str) -> Vec<&'static str> {
        sdk::operation(client, method).unwrap().required().collect()
    }

    #[test]
    fn a_method_needs_the_actions_of_its_operation() {
        assert_eq!(required("s3", "get_object"), ["s3:GetObject"]);
        assert_eq!(required("s3", "list_objects_v2"), ["s3:ListBucket"]);
        assert_eq!(required("s3", "copy_object"), ["s3:GetObject", "s3:PutObject"]);
        assert_eq!(required("lambda", "invoke"), ["lambda:InvokeFunction"]);
        assert_eq!(required("sqs", "send_message_batch"), ["sqs:SendMessage"]);
        assert_eq!(required("stepfunctions", "start_execution"), ["states:StartExecution"]);
        assert!(sdk::operation("sts", "get_caller_identity").unwrap().needs_no_action());
        assert!(sdk::operation("s3", "get_objects").is_none());
        assert!(sdk::operation("nothing", "get_object").is_none());
        let statement = sdk::operation("dynamodb", "execute_statement").unwrap();
        assert!(
            statement.required().len() == 0 && statement.alternative_actions().any(|a| a == "dynamodb:PartiQLSelect")
        );
        assert!(
            sdk::operation("timestream-query", "query")
                .unwrap()
                .required()
                .any(|a| a == "timestream:DescribeEndpoints")
        );
    }

    #[test]
    fn what_only_some_calls_need_names_its_sign() {
        let put = sdk::operation("s3", "put_object").unwrap();
        let acl = put.conditional().find(|c| c.action == "s3:PutObjectAcl").unwrap();
        let Trigger::Params(params) = acl.trigger else {
            panic!("{:?}", acl.trigger)
        };
        assert!(params.contains(&"ACL"));
        let create = sdk::operation("lambda", "create_function")
            .unwrap()
            .pass_role()
            .unwrap();
        assert_eq!(
            (create.to, create.params, create.guessed),
            (vec!["lambda.amazonaws.com"], vec!["Role"], false)
        );
        assert!(sdk::operation("lambda", "invoke").unwrap().pass_role().is_none());
        let get = sdk::operation("dynamodb", "get_item").unwrap();
        assert!(get.conditional().all(|c| c.trigger == Trigger::Never));
        assert_eq!(put.kms_actions(sdk::client("s3").unwrap()), ["kms:GenerateDataKey"]);
    }

    #[test]
    fn paginators_waiters_and_injected_methods() {
        let s3 = sdk::client("s3").unwrap();
        assert!(
            s3.operation("list_objects_v2").unwrap().has_paginator()
                && !s3.operation("get_object").unwrap().has_paginator()
        );
        assert_eq!(s3.waiter("bucket_exists").unwrap().name(), "HeadBucket");
        let upload = s3.injected("upload_file").unwrap();
        assert_eq!(upload.calls().map(|o| o.name()).collect::<Vec<_>>(), ["PutObject"]);
        let token = sdk::client("rds").unwrap().injected("generate_db_auth_token").unwrap();
        assert_eq!(token.needs().collect::<Vec<_>>(), ["rds-db:connect"]);
        assert_eq!(s3.did_you_mean("get_objetc").as_deref(), Some("get_object"));
        assert_eq!(
            sdk::operation("waf", "list_web_acls").unwrap().method(),
            "list_web_acls"
        );
        assert_eq!(s3.operation("ListObjectsV2").unwrap().method(), "list_objects_v2");
    }

    #[test]
    fn the_resource_api() {
        let s3 = sdk::client("s3").unwrap();
        let bucket = s3.service_resource().unwrap().sub_resource("Bucket").unwrap();
        assert_eq!(bucket.ids().collect::<Vec<_>>(), ["name"]);
        let objects = bucket.collection("objects").unwrap();
        assert_eq!(objects.calls().next().unwrap().name(), "ListObjects");
        let delete = objects.returns().unwrap().batch("delete").unwrap();
        assert_eq!(delete.calls().next().unwrap().name(), "DeleteObjects");
        let table = sdk::client("dynamodb").unwrap().resource_type("Table").unwrap();
        assert_eq!(table.load().unwrap().name(), "DescribeTable");
        assert_eq!(
            table.method("put_item").unwrap().calls().next().unwrap().name(),
            "PutItem"
        );
        assert_eq!(
            table.method("batch_writer").unwrap().calls().next().unwrap().name(),
            "BatchWriteItem"
        );
        assert!(table.method("frobnicate").is_none());
        let instance = sdk::client("ec2").unwrap().resource_type("Instance").unwrap();
        assert_eq!(instance.reference("vpc").unwrap().name(), "Vpc");
        assert!(instance.sub_resource("Vpc").is_none());
        assert!(sdk::client("lambda").unwrap().service_resource().is_none());
    }

    #[test]
    fn what_no_line_of_code_calls() {
        assert!(
            sdk::lambda_baseline("vpc")
                .unwrap()
                .contains(&"ec2:CreateNetworkInterface")
        );
        assert!(sdk::lambda_features().any(|f| f == "sqs event source"));
        let secret = sdk::library_call("aws_lambda_powertools.utilities.parameters.get_secret").unwrap();
        assert_eq!(secret.actions, ["secretsmanager:GetSecretValue"]);
    }

    /// Methods and operations name each other.
    #[test]
    fn every_operation_is_found_by_its_method() {
        for client in sdk::clients() {
            assert_eq!(sdk::client(client.name()), Some(client));
            for operation in client.operations() {
                assert_eq!(
                    client.operation(&operation.method()),
                    Some(operation),
                    "{client:?} {operation:?}"
                );
            }
        }
    }
}

#[test]
fn operations_that_are_no_actions_name_the_action() {
    for (operation, action) in [
        ("s3:ListObjectsV2", "s3:ListBucket"),
        ("s3:HeadObject", "s3:GetObject"),
        ("s3:ListBuckets", "s3:ListAllMyBuckets"),
        ("sqs:SendMessageBatch", "sqs:SendMessage"),
        ("lambda:Invoke", "lambda:InvokeFunction"),
    ] {
        let meant = catalogue().api_name(operation).unwrap();
        assert!(meant.iter().any(|a| a.name() == action), "{operation}: {meant:?}");
        assert!(catalogue().action(operation).is_none());
    }
    assert!(catalogue().api_name("s3:GetObject").is_none());
    assert_eq!(catalogue().did_you_mean_service("stepfunctions"), Some("states"));
}

mod expand {
    use overgrant::internals::iam::expand::{describe, describe_clause};

    #[test]
    fn one_action_is_told_in_full() {
        let text = describe("S3:getobject").human();
        assert!(text.starts_with("S3:getobject: 1 action\n"), "{text}");
        for line in [
            "  action          s3:GetObject\n",
            "  access level    read\n",
            "object: arn:${Partition}:s3:::${BucketName}/${ObjectName}\n",
            "s3:ExistingObjectTag/<key>\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn a_pattern_is_told_by_level() {
        let expansion = describe("sqs:*Message");
        assert_eq!(expansion.levels.to_string(), "2 write, 1 read");
        let text = expansion.human();
        assert!(
            text.starts_with("sqs:*Message: 3 actions (2 write, 1 read)\n"),
            "{text}"
        );
        assert!(
            text.contains(
                r"
read
  sqs:ReceiveMessage  queue
"
            ),
            "{text}"
        );
        let json = serde_json::to_value(&expansion).unwrap();
        assert_eq!(json["count"], 3);
        assert_eq!(json["actions"][0]["name"], "sqs:DeleteMessage");
        assert_eq!(json["actions"][0]["resource_types"][0]["required"], true);
        assert_eq!(json["levels"]["write"], 2);
    }

    #[test]
    fn what_stands_for_nothing_says_why() {
        let note = |p: &str| describe(p).note.unwrap();
        assert!(note("s3:GetObjekt").ends_with("did you mean `s3:GetObject`?"));
        assert!(note("s3:ListObjectsV2").ends_with("its action is `s3:ListBucket`"));
        assert!(note("lamda:Invoke*").ends_with("did you mean `lambda`?"));
        assert!(note("iotevents:CreateInput").contains("retired"));
        assert!(note("GetObject").contains("service:Action"));
        assert!(note("s3:Frob*").starts_with("matches no action (AWS data of 2"));
    }

    #[test]
    fn not_action_is_everything_else() {
        let all = describe("*").count;
        let rest = describe_clause(["iam:*", "organizations:*"], true);
        assert_eq!(rest.pattern, "not iam:*, organizations:*");
        assert_eq!(
            rest.count,
            all - describe("iam:*").count - describe("organizations:*").count
        );
        assert!(!rest.services.contains(&"iam"));
    }
}
