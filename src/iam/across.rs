//! Which actions reach resources of another account, where that one lets the caller in.

use std::sync::OnceLock;

use super::ActionSet;

/// Services whose resources other accounts can let in by a policy on the resource.
/// IAM User Guide, "AWS services that work with IAM", column "Resource-based policies".
const SHARED: [&str; 16] = [
    "backup",
    "codeartifact",
    "dynamodb",
    "ecr",
    "elasticfilesystem",
    "es",
    "events",
    "glue",
    "kafka",
    "kinesis",
    "kms",
    "lambda",
    "s3express",
    "secretsmanager",
    "sns",
    "sqs",
];
/// What makes something new does so in the caller's own account.
const MAKING: [&str; 3] = ["Create", "Import", "Register"];
/// What works on existing resources of the caller's own account only. AWS Lambda Developer Guide, "Granting layer access to
/// other accounts" and "Granting Lambda function access to other accounts"; Amazon SQS Developer Guide, "Amazon SQS API
/// permissions: Actions and resource reference" and "Overview of managing access"; AWS KMS Developer Guide, "Permissions reference", column
/// "Cross-account use".
const OWN: [&str; 27] = [
    "kms:Cancel*",
    "kms:Connect*",
    "kms:Delete*",
    "kms:Disable*",
    "kms:Disconnect*",
    "kms:Enable*",
    "kms:Put*",
    "kms:ReplicateKey",
    "kms:Rotate*",
    "kms:Schedule*",
    "kms:Synchronize*",
    "kms:Tag*",
    "kms:Untag*",
    "kms:Update*",
    "lambda:*CodeSigningConfig",
    "lambda:*EventSourceMapping",
    "lambda:*LayerVersion*",
    "sqs:AddPermission",
    "sqs:CancelMessageMoveTask",
    "sqs:DeleteQueue",
    "sqs:RemovePermission",
    "sqs:SetQueueAttributes",
    "sqs:StartMessageMoveTask",
    "sqs:TagQueue",
    "sqs:UntagQueue",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:StopReplicationToReplica",
];
/// Made on what exists: on a key or a function of another account, too.
const MADE_ON: [&str; 2] = ["kms:CreateGrant", "lambda:CreateAlias"];

/// Those of the actions that a resource of another account can allow.
pub fn cross_account_actions(actions: &ActionSet) -> ActionSet {
    static ALL: OnceLock<ActionSet> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut all = ActionSet::empty();
        for service in SHARED {
            all.expand_into(&format!("{service}:*"));
        }
        for service in SHARED {
            for verb in MAKING {
                all.subtract(&ActionSet::expand(&format!("{service}:{verb}*")));
            }
        }
        all.subtract(&ActionSet::expand_all(OWN));
        all.union_with(&ActionSet::expand_all(MADE_ON));
        all
    });
    let mut found = actions.clone();
    found.intersect(all);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_allow() {
        let cases = [
            ("sqs:SendMessage", true),
            ("sqs:SetQueueAttributes", false),
            ("kms:Decrypt", true),
            ("kms:CreateGrant", true),
            ("kms:ScheduleKeyDeletion", false),
            ("kms:CreateKey", false),
            ("lambda:InvokeFunction", true),
            ("lambda:PublishLayerVersion", false),
            ("events:PutEvents", true),
            ("ecr:CreateRepository", false),
            ("ecr:PutImage", true),
            ("ec2:RunInstances", false),
        ];
        for (action, is) in cases {
            assert_eq!(
                !cross_account_actions(&ActionSet::expand(action)).is_empty(),
                is,
                "{action}"
            );
        }
    }
}
