//! What roles of workloads need although no line of code calls it.

use std::sync::OnceLock;

use crate::iam::{ActionSet, sdk};
use crate::model::Resource;

/// Features of Lambda that a template shows where they are used; all others may be set up anywhere.
const SHOWN: &[&str] = &[
    "dead letter queue sns",
    "dead letter queue sqs",
    "on-failure destination sns",
    "on-failure destination sqs",
    "on-success destination",
];

/// Needed, or harmless, whatever the code does: the platform's own calls, encryption with a key that the resource's owner
/// chose, and what needs no permission.
const ALWAYS: &[&str] = &[
    "iam:CreateServiceLinkedRole",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
    "sts:GetCallerIdentity",
];

/// What extensions in a layer that is not in the repository commonly call.
const EXTENSIONS: &[&str] = &[
    "appconfig:GetLatestConfiguration",
    "appconfig:StartConfigurationSession",
    "cloudwatch:PutMetricData",
    "logs:*",
    "s3:PutObject",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter*",
    "xray:*",
];

/// AWS's managed policies that hold what the platform needs and little else.
const POLICIES: &[&str] = &[
    "AWSLambdaBasicDurableExecutionRolePolicy",
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
];

/// Whether a managed policy, by its name without path, is the platform's own.
pub(super) fn is_platform_policy(name: &str) -> bool {
    POLICIES.contains(&name)
}

/// What any role may need.
pub(super) fn always() -> &'static ActionSet {
    static SET: OnceLock<ActionSet> = OnceLock::new();
    SET.get_or_init(|| {
        let mut set = ActionSet::expand_all(ALWAYS.iter().copied());
        for feature in sdk::lambda_features().filter(|f| !SHOWN.contains(f)) {
            set.union_with(&ActionSet::expand_all(
                sdk::lambda_baseline(feature).unwrap_or_default(),
            ));
        }
        set
    })
}

/// Whether a resource sends what a function gives, or could not take, to a destination.
pub(super) fn has_destination(r: &Resource) -> bool {
    matches!(
        &*r.kind,
        "AWS::Lambda::EventInvokeConfig" | "AWS::Lambda::EventSourceMapping"
    ) && r.get("DestinationConfig").is_some()
}

/// What a function's own settings ask for besides; `sent`: the results of some function of its scope go to a destination.
pub(super) fn of_function(r: &Resource, sent: bool) -> ActionSet {
    let mut set = ActionSet::empty();
    if sent || r.get("DeadLetterConfig").is_some() || r.get("EventInvokeConfig").is_some() {
        for feature in SHOWN {
            set.union_with(&ActionSet::expand_all(
                sdk::lambda_baseline(feature).unwrap_or_default(),
            ));
        }
    }
    if r.get("Layers").is_some() {
        set.union_with(&ActionSet::expand_all(EXTENSIONS.iter().copied()));
    }
    set
}

/// What the platform does with a function's role as the function is set up; `polled`: functions of its scope are fed from
/// queues or streams.
pub(super) fn surely(r: &Resource, polled: bool) -> ActionSet {
    let active = |name: &str| r.get(name).is_some_and(|v| !v.is_null());
    let mut set = ActionSet::empty();
    for feature in sdk::lambda_features() {
        let on = match feature {
            "logs" => true,
            "tracing" => active("TracingConfig"),
            "vpc" => active("VpcConfig"),
            "efs" => active("FileSystemConfigs"),
            "durable execution" => active("DurableConfig"),
            _ => polled && feature.ends_with("event source"),
        };
        if on {
            set.union_with(&ActionSet::expand_all(
                sdk::lambda_baseline(feature).unwrap_or_default(),
            ));
        }
    }
    set
}
