//! Actions that workload roles need although no code calls them.

use std::sync::OnceLock;

use super::obstacle::Obstacle;
use crate::iam::{ActionSet, sdk};
use crate::model::Resource;
use crate::project::user_data;
use crate::source::{Span, Text};
use crate::value::{Value, ValueKind};

/// Features of Lambda that are visible in the template; all others may be configured elsewhere.
const SHOWN: &[&str] = &[
    "dead letter queue sns",
    "dead letter queue sqs",
    "on-failure destination sns",
    "on-failure destination sqs",
    "on-success destination",
];

/// Actions that are needed or harmless for any code: calls of the platform, encryption with the resource owner's key,
/// and calls that need no permission.
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

/// Actions that extensions in layers outside the repository commonly call.
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

/// Actions that AWS agents on instances and next to containers call: Systems Manager, ECS Exec, the CloudWatch agent,
/// log routers, and image pulls. Amazon ECS Developer Guide, "Amazon ECS task IAM role"; Systems Manager User Guide,
/// "Configure instance permissions required for Systems Manager".
const AGENTS: &[&str] = &[
    "cloudwatch:PutMetricData",
    "ec2:DescribeTags",
    "ec2:DescribeVolumes",
    "ec2messages:*",
    "ecr:*",
    "firehose:PutRecordBatch",
    "logs:*",
    "ssm:*",
    "ssmmessages:*",
    "xray:*",
];

/// Parts of the names of sidecar images, which call [`AGENTS`].
const SIDECARS: &[&str] = &[
    "amazon-cloudwatch-agent",
    "aws-for-fluent-bit",
    "aws-otel-collector",
    "aws-xray-daemon",
    "cloudwatch-agent",
    "datadog/agent",
    "fluent-bit",
    "nginx",
    "redis",
];

/// AWS managed policies that grant what the platform needs and little else.
const POLICIES: &[&str] = &[
    "AWSLambdaBasicDurableExecutionRolePolicy",
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSGlueServiceRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
];

/// Actions that AWS Glue calls for a job. AWS Glue User Guide, "Create an IAM policy for the AWS Glue service".
const GLUE: &[&str] = &[
    "cloudwatch:PutMetricData",
    "ec2:CreateNetworkInterface",
    "ec2:CreateTags",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteTags",
    "ec2:Describe*",
    "glue:*",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListRolePolicies",
    "lakeformation:GetDataAccess",
    "logs:*",
    "s3:CreateBucket",
    "s3:DeleteObject",
    "s3:Get*",
    "s3:List*",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
];

/// Actions that the role of a job of AWS Glue may need for any script.
pub(super) fn actions_of_job() -> &'static ActionSet {
    static SET: OnceLock<ActionSet> = OnceLock::new();
    SET.get_or_init(|| ActionSet::expand_all(GLUE.iter().copied()))
}

/// Whether the managed policy of this name, without its path, is one of [`POLICIES`].
pub(super) fn is_platform_policy(name: &str) -> bool {
    POLICIES.contains(&name)
}

/// Actions that any role may need.
pub(super) fn actions_of_any_role() -> &'static ActionSet {
    static SET: OnceLock<ActionSet> = OnceLock::new();
    SET.get_or_init(|| {
        let mut set = ActionSet::expand_all(ALWAYS.iter().copied());
        for feature in sdk::lambda_features().filter(|f| !SHOWN.contains(f) && !is_source(f)) {
            set.union_with(&ActionSet::expand_all(
                sdk::lambda_baseline(feature).unwrap_or_default(),
            ));
        }
        set
    })
}

/// Whether a feature is an event source: Lambda reads from a queue or stream.
pub(super) fn is_source(feature: &str) -> bool {
    feature.ends_with("event source") || feature.starts_with("kafka")
}

/// Actions for event sources for which these actions are not enough: Lambda does not read from one with them.
pub(super) fn actions_of_other_sources(actions: &ActionSet) -> ActionSet {
    let (mut enough, mut other) = (ActionSet::empty(), ActionSet::empty());
    for feature in sdk::lambda_features().filter(|f| is_source(f)) {
        let needs = ActionSet::expand_all(sdk::lambda_baseline(feature).unwrap_or_default());
        match needs.is_subset(actions) {
            true => enough.union_with(&needs),
            false => other.union_with(&needs),
        }
    }
    other.subtract(&enough);
    other
}

/// Whether a resource sends results or failed events of a function to a destination.
pub(super) fn has_destination(r: &Resource) -> bool {
    matches!(
        &*r.kind,
        "AWS::Lambda::EventInvokeConfig" | "AWS::Lambda::EventSourceMapping"
    ) && r.get("DestinationConfig").is_some()
}

/// Actions that a function's properties require. `sent`: results of a function in its scope go to a destination.
pub(super) fn actions_of_function(r: &Resource, sent: bool) -> ActionSet {
    let mut set = ActionSet::empty();
    if sent || r.get("DeadLetterConfig").is_some() || r.get("EventInvokeConfig").is_some() {
        for feature in SHOWN {
            set.union_with(&ActionSet::expand_all(
                sdk::lambda_baseline(feature).unwrap_or_default(),
            ));
        }
    }
    set
}

/// Whether a function has a layer whose code is not in the repository, as `is_own` says.
pub(super) fn has_other_layers(r: &Resource, is_own: impl Fn(&Value) -> bool) -> bool {
    r.get("Layers").is_some_and(|layers| !layers.items().iter().all(is_own))
}

/// Actions that extensions in such layers may call.
pub(super) fn actions_of_extensions() -> &'static ActionSet {
    static SET: OnceLock<ActionSet> = OnceLock::new();
    SET.get_or_init(|| ActionSet::expand_all(EXTENSIONS.iter().copied()))
}

/// Actions of what runs with the role of a task or instance, the `workload`, in addition to its code. Fails if they are unknown:
/// other containers, a start script that calls AWS, or one that is what says which code runs (at `code`), and starts more.
pub(super) fn sidecar_actions(r: &Resource, workload: usize, code: Option<Span>) -> Result<ActionSet, Obstacle> {
    let image = |c: &Value| {
        let image = c.get("Image").or_else(|| c.get("image"))?;
        image.as_text().map(Text::display)
    };
    let own = |c: &&Value| !image(c).is_some_and(|name| SIDECARS.iter().any(|s| name.contains(s)));
    let containers = r.get("ContainerDefinitions");
    match containers.map(|c| (&c.decoded().kind, c.span)) {
        None => {}
        Some((ValueKind::Seq(all), _)) if all.iter().filter(own).count() <= 1 => {}
        Some((_, span)) => return Err(Obstacle::Containers(workload, span)),
    }
    if let Some(script) = user_data::of(r)
        && !script.decoded().as_text().is_some_and(|t| {
            let (text, says_code) = (t.display(), code == Some(script.span));
            is_known_start_script(&text) && (!says_code || user_data::starts_only_python(&text))
        })
    {
        return Err(Obstacle::StartScript(workload, script.span));
    }
    Ok(ActionSet::expand_all(AGENTS.iter().copied()))
}

/// Whether a start script is known and uses the AWS CLI only to pull images.
fn is_known_start_script(script: &str) -> bool {
    let calls = script.match_indices("aws ").filter(|(at, _)| {
        let before = script[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    });
    let mut others = calls.filter(|(at, word)| !script[at + word.len()..].trim_start().starts_with("ecr"));
    script.trim_start().starts_with(['#', '<']) && others.next().is_none()
}

/// Actions that the platform calls for a function as it is configured, without its event sources.
pub(super) fn platform_actions(r: &Resource) -> ActionSet {
    let active = |name: &str| r.has(name);
    let mut set = ActionSet::empty();
    for feature in sdk::lambda_features() {
        let on = match feature {
            "logs" => true,
            "tracing" => active("TracingConfig"),
            "vpc" => active("VpcConfig"),
            "efs" => active("FileSystemConfigs"),
            "durable execution" => active("DurableConfig"),
            _ => false,
        };
        if on {
            set.union_with(&ActionSet::expand_all(
                sdk::lambda_baseline(feature).unwrap_or_default(),
            ));
        }
    }
    set
}
