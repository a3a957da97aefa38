//! Roles that are passed: what the passer gains from each service, and what keeps the passer from it.

use std::collections::{BTreeMap, BTreeSet};

use overgrant::internals::iam::catalogue::catalogue;
use serde_json::Value;

use crate::paths::{admin, allow, policy, user};
use crate::support::repository::Repository;

/// The service that the role trusts, the actions that are needed besides `iam:PassRole`, and what is done.
const METHODS: &str = "
airflow | airflow:CreateEnvironment | runs workflows as the role
airflow | airflow:UpdateEnvironment | runs other workflows as the role
airflow-env | airflow:CreateEnvironment | runs workflows as the role
airflow-env | airflow:UpdateEnvironment | runs other workflows as the role
airflow-serverless | airflow-serverless:CreateWorkflow airflow-serverless:StartWorkflowRun | runs a workflow as the role
airflow-serverless | airflow-serverless:UpdateWorkflow airflow-serverless:StartWorkflowRun | runs a workflow as the role
amplify | amplify:CreateApp amplify:StartJob | runs a build as the role
amplify | amplify:UpdateApp amplify:StartJob | runs a build as the role
apigateway | apigateway:PATCH apigateway:POST | calls any AWS API as the role
apigateway | apigateway:POST | calls any AWS API as the role
apigateway | apigateway:PUT apigateway:POST | calls any AWS API as the role
appstream | appstream:CreateFleet appstream:AssociateFleet appstream:StartFleet appstream:CreateStreamingURL | opens a session that has the role
appstream | appstream:CreateImageBuilder appstream:CreateImageBuilderStreamingURL | opens an image builder that has the role
appstream | appstream:UpdateFleet appstream:StopFleet appstream:StartFleet appstream:CreateStreamingURL | opens a session that has the role
appsync | appsync:CreateDataSource appsync:CreateResolver | calls any AWS API as the role
appsync | appsync:UpdateDataSource appsync:CreateResolver | calls any AWS API as the role
appsync | appsync:UpdateDataSource appsync:UpdateResolver | calls any AWS API as the role
athena | athena:CreateWorkGroup athena:StartSession athena:GetSessionEndpoint | runs Spark code as the role
athena | athena:CreateWorkGroup athena:StartSession athena:StartCalculationExecution | runs Spark code as the role
athena | athena:StartSession athena:GetSessionEndpoint | runs Spark code as the role
athena | athena:StartSession athena:StartCalculationExecution | runs Spark code as the role
athena | athena:UpdateWorkGroup athena:StartSession athena:GetSessionEndpoint | runs Spark code as the role
athena | athena:UpdateWorkGroup athena:StartSession athena:StartCalculationExecution | runs Spark code as the role
bedrock-agentcore | bedrock-agentcore:CreateAgentRuntime bedrock-agentcore:InvokeAgentRuntime | runs a container as the role
bedrock-agentcore | bedrock-agentcore:CreateCodeInterpreter bedrock-agentcore:StartCodeInterpreterSession bedrock-agentcore:InvokeCodeInterpreter | runs code as the role
bedrock-agentcore | bedrock-agentcore:CreateHarness bedrock-agentcore:InvokeHarness | runs a container as the role
bedrock-agentcore | bedrock-agentcore:UpdateAgentRuntime bedrock-agentcore:InvokeAgentRuntime | runs another container as the role
bedrock-agentcore | bedrock-agentcore:UpdateHarness bedrock-agentcore:InvokeHarness | runs a container as the role
braket | braket:CreateJob | runs code as the role
capabilities.eks | eks:CreateCapability eks:CreateAccessEntry eks:AssociateAccessPolicy | creates resources as the role
capabilities.eks | eks:UpdateCapability eks:CreateAccessEntry eks:AssociateAccessPolicy | creates resources as the role
cloudformation | cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet | changes a stack as the role
cloudformation | cloudformation:CreateResource | creates resources as the role
cloudformation | cloudformation:CreateStack | creates resources as the role
cloudformation | cloudformation:CreateStackSet cloudformation:CreateStackInstances | creates resources as the role
cloudformation | cloudformation:UpdateResource | creates resources as the role
cloudformation | cloudformation:UpdateStack | changes a stack as the role
cloudformation | cloudformation:UpdateStackSet | creates resources as the role
codebuild | codebuild:CreateProject codebuild:StartBuild | runs a build as the role
codebuild | codebuild:CreateProject codebuild:StartBuildBatch | runs a build as the role
codebuild | codebuild:StartBuild | runs a build with other commands as the role
codebuild | codebuild:StartBuildBatch | runs a build with other commands as the role
codebuild | codebuild:UpdateProject codebuild:StartBuild | runs a build as the role
codebuild | codebuild:UpdateProject codebuild:StartBuildBatch | runs a build as the role
codepipeline | codepipeline:CreatePipeline | runs the actions of a pipeline as the role
codepipeline | codepipeline:UpdatePipeline | runs the actions of a pipeline as the role
credentials.deadline | deadline:CreateFleet deadline:CreateWorker deadline:AssumeFleetRoleForWorker | gets the credentials of the role for a worker
credentials.deadline | deadline:CreateQueue deadline:AssumeQueueRoleForUser | gets the credentials of the role for a queue
credentials.deadline | deadline:UpdateFleet deadline:CreateWorker deadline:AssumeFleetRoleForWorker | gets the credentials of the role for a worker
credentials.deadline | deadline:UpdateQueue deadline:AssumeQueueRoleForUser | gets the credentials of the role for a queue
credentials.iot | iot:CreateRoleAlias iot:CreateKeysAndCertificate iot:CreatePolicy iot:AttachPolicy | gets the credentials of the role with its own certificate
credentials.iot | iot:UpdateRoleAlias iot:CreateKeysAndCertificate iot:CreatePolicy iot:AttachPolicy | gets the credentials of the role with its own certificate
datapipeline | datapipeline:PutPipelineDefinition datapipeline:CreatePipeline datapipeline:ActivatePipeline | runs commands as the role
devicefarm | devicefarm:CreateProject devicefarm:CreateUpload devicefarm:ScheduleRun | runs tests as the role
devicefarm | devicefarm:ScheduleRun devicefarm:CreateUpload | runs tests as the role
devicefarm | devicefarm:UpdateProject devicefarm:CreateUpload devicefarm:ScheduleRun | runs tests as the role
ec2 | autoscaling:CreateLaunchConfiguration autoscaling:CreateAutoScalingGroup | starts instances that run as the role
ec2 | autoscaling:CreateLaunchConfiguration autoscaling:UpdateAutoScalingGroup | starts instances that run as the role
ec2 | batch:CreateComputeEnvironment ec2:CreateLaunchTemplate | starts instances that run as the role
ec2 | batch:UpdateComputeEnvironment ec2:CreateLaunchTemplate | starts instances that run as the role
ec2 | datapipeline:PutPipelineDefinition datapipeline:CreatePipeline datapipeline:ActivatePipeline | runs commands as the role
ec2 | ec2:AssociateIamInstanceProfile ssm:StartSession | gives an instance the role
ec2 | ec2:CreateLaunchTemplate autoscaling:CreateAutoScalingGroup | starts instances that run as the role
ec2 | ec2:CreateLaunchTemplate autoscaling:UpdateAutoScalingGroup | starts instances that run as the role
ec2 | ec2:CreateLaunchTemplate ec2:CreateFleet | starts instances that run as the role
ec2 | ec2:CreateLaunchTemplateVersion | changes what the next instances run, and as which role
ec2 | ec2:ReplaceIamInstanceProfileAssociation ssm:StartSession | gives an instance the role
ec2 | ec2:RequestSpotFleet | starts instances that run as the role
ec2 | ec2:RequestSpotInstances | starts an instance that runs as the role
ec2 | ec2:RunInstances | starts an instance that runs as the role
ec2 | eks:CreateNodegroup ec2:CreateLaunchTemplate | starts nodes that run as the role
ec2 | elasticmapreduce:RunJobFlow | starts a cluster that runs as the role
ec2 | imagebuilder:CreateInfrastructureConfiguration imagebuilder:CreateImage | runs build commands as the role
ec2 | imagebuilder:CreateInfrastructureConfiguration imagebuilder:CreateImagePipeline | runs build commands as the role
ec2 | imagebuilder:UpdateInfrastructureConfiguration imagebuilder:CreateImage | runs build commands as the role
ec2 | imagebuilder:UpdateInfrastructureConfiguration imagebuilder:CreateImagePipeline | runs build commands as the role
ec2 | imagebuilder:UpdateInfrastructureConfiguration imagebuilder:StartImagePipelineExecution | runs build commands as the role
ecs-tasks | batch:RegisterJobDefinition batch:SubmitJob | runs a container as the role
ecs-tasks | ecs:CreateExpressGatewayService | runs a container as the role
ecs-tasks | ecs:RegisterDaemonTaskDefinition ecs:CreateDaemon | runs a container as the role
ecs-tasks | ecs:RegisterDaemonTaskDefinition ecs:UpdateDaemon | runs a container as the role
ecs-tasks | ecs:RegisterTaskDefinition ecs:CreateService | runs a container as the role
ecs-tasks | ecs:RegisterTaskDefinition ecs:RunTask | runs a container as the role
ecs-tasks | ecs:RegisterTaskDefinition ecs:StartTask | runs a container as the role
ecs-tasks | ecs:RegisterTaskDefinition ecs:UpdateService | runs a container as the role
ecs-tasks | ecs:RunTask | runs a task with other commands as the role
ecs-tasks | ecs:StartTask | runs a task with other commands as the role
ecs-tasks | ecs:UpdateExpressGatewayService | runs a container as the role
elasticmapreduce | elasticmapreduce:RunJobFlow | starts a cluster that runs as the role
emr-containers | emr-containers:StartJobRun | runs a job as the role
emr-serverless | emr-serverless:StartJobRun | runs a job as the role
emr-serverless | emr-serverless:StartSession emr-serverless:GetSessionEndpoint | runs Spark code as the role
events | events:PutTargets events:PutRule | starts tasks and automations as the role
gamelift | gamelift:CreateFleet | starts servers that run as the role
gameliftstreams | gameliftstreams:StartStreamSession gameliftstreams:CreateApplication | runs an application as the role
glue | glue:CreateDevEndpoint | opens an endpoint that runs as the role
glue | glue:CreateJob glue:CreateTrigger | runs a job as the role
glue | glue:CreateJob glue:StartJobRun | runs a job as the role
glue | glue:CreateSession glue:RunStatement | runs statements as the role
glue | glue:UpdateJob glue:CreateTrigger | runs a job as the role
glue | glue:UpdateJob glue:StartJobRun | runs a job as the role
kafkaconnect | kafkaconnect:CreateConnector kafkaconnect:CreateCustomPlugin | runs a connector as the role
kinesisanalytics | kinesisanalytics:CreateApplication kinesisanalytics:StartApplication | runs an application as the role
kinesisanalytics | kinesisanalytics:UpdateApplication kinesisanalytics:StartApplication | runs another application as the role
lambda | lambda:CreateFunction lambda:AddPermission | runs a function as the role
lambda | lambda:CreateFunction lambda:CreateEventSourceMapping | runs a function as the role
lambda | lambda:CreateFunction lambda:CreateFunctionUrlConfig | runs a function as the role
lambda | lambda:CreateFunction lambda:InvokeFunction | runs a function as the role
lambda | lambda:RunMicrovm lambda:CreateMicrovmShellAuthToken lambda:PassNetworkConnector | opens a shell in a virtual machine that runs as the role
lambda | lambda:UpdateFunctionConfiguration lambda:InvokeFunction | gives a function another role
lambda | lambda:UpdateFunctionConfiguration lambda:UpdateFunctionCode | gives a function another role and other code
lambda | synthetics:CreateCanary synthetics:StartCanary | runs a script as the role
lambda | synthetics:StartCanaryDryRun | runs another script as the role
lambda | synthetics:UpdateCanary synthetics:StartCanary | runs another script as the role
omics | omics:StartRun omics:CreateWorkflow | runs a workflow as the role
omics | omics:StartRunBatch omics:CreateWorkflow | runs workflows as the role
pods.eks | eks:CreatePodIdentityAssociation eks:CreateAccessEntry eks:AssociateAccessPolicy | gives pods the credentials of the role
pods.eks | eks:UpdatePodIdentityAssociation eks:CreateAccessEntry eks:AssociateAccessPolicy | gives pods the credentials of the role
resources.cloudformation | cloudformation:RegisterType cloudformation:CreateResource | runs the handlers of a resource type as the role
resources.cloudformation | cloudformation:RegisterType cloudformation:CreateStack | runs the handlers of a resource type as the role
rolesanywhere | rolesanywhere:CreateProfile rolesanywhere:CreateTrustAnchor | gets the credentials of the role with its own certificate
rolesanywhere | rolesanywhere:UpdateProfile rolesanywhere:CreateTrustAnchor | gets the credentials of the role with its own certificate
sagemaker | batch:SubmitServiceJob batch:CreateServiceEnvironment batch:CreateJobQueue | runs a training job as the role
sagemaker | sagemaker:CreateAlgorithm | runs a container as the role
sagemaker | sagemaker:CreateCluster | starts a cluster that runs as the role
sagemaker | sagemaker:CreateDataQualityJobDefinition sagemaker:CreateMonitoringSchedule | runs a container as the role
sagemaker | sagemaker:CreateDomain sagemaker:CreatePresignedDomainUrl | opens a notebook that runs as the role
sagemaker | sagemaker:CreateEndpointConfig sagemaker:CreateEndpoint sagemaker:CreateInferenceComponent | runs a container as the role
sagemaker | sagemaker:CreateHyperParameterTuningJob | runs a job as the role
sagemaker | sagemaker:CreateModel sagemaker:CreateEndpointConfig sagemaker:CreateEndpoint | runs a container as the role
sagemaker | sagemaker:CreateModel sagemaker:CreateTransformJob | runs a container as the role
sagemaker | sagemaker:CreateModelBiasJobDefinition sagemaker:CreateMonitoringSchedule | runs a container as the role
sagemaker | sagemaker:CreateModelExplainabilityJobDefinition sagemaker:CreateMonitoringSchedule | runs a container as the role
sagemaker | sagemaker:CreateModelPackage | runs a container as the role
sagemaker | sagemaker:CreateModelQualityJobDefinition sagemaker:CreateMonitoringSchedule | runs a container as the role
sagemaker | sagemaker:CreateMonitoringSchedule | runs a container as the role
sagemaker | sagemaker:CreateNotebookInstance | opens a notebook that runs as the role
sagemaker | sagemaker:CreatePipeline sagemaker:StartPipelineExecution | runs a pipeline as the role
sagemaker | sagemaker:CreateProcessingJob | runs a job as the role
sagemaker | sagemaker:CreateTrainingJob | runs a job as the role
sagemaker | sagemaker:CreateUserProfile sagemaker:CreatePresignedDomainUrl | opens a notebook that runs as the role
sagemaker | sagemaker:UpdateCluster | starts a cluster that runs as the role
sagemaker | sagemaker:UpdateDomain sagemaker:CreatePresignedDomainUrl | opens a notebook that runs as the role
sagemaker | sagemaker:UpdateMonitoringSchedule | runs a container as the role
sagemaker | sagemaker:UpdateNotebookInstance sagemaker:StartNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl | gives a notebook the role
sagemaker | sagemaker:UpdatePipeline sagemaker:StartPipelineExecution | runs a pipeline as the role
sagemaker | sagemaker:UpdateUserProfile sagemaker:CreatePresignedDomainUrl | opens a notebook that runs as the role
scheduler | scheduler:CreateSchedule | calls any AWS API as the role
scheduler | scheduler:UpdateSchedule | calls any AWS API as the role
servicecatalog | servicecatalog:CreateConstraint servicecatalog:CreateProduct servicecatalog:AssociateProductWithPortfolio servicecatalog:AssociatePrincipalWithPortfolio servicecatalog:ProvisionProduct | creates resources as the role
ssm | config:PutRemediationConfigurations ssm:CreateDocument config:StartRemediationExecution | calls any AWS API as the role
ssm | ssm:CreateActivation | registers its own machine with the role
ssm | ssm:CreateAssociationBatch ssm:CreateDocument | calls any AWS API as the role
ssm | ssm:CreateDocument ssm:CreateAssociation | calls any AWS API as the role
ssm | ssm:CreateDocument ssm:StartAutomationExecution | calls any AWS API as the role
ssm | ssm:RegisterTaskWithMaintenanceWindow ssm:CreateDocument | calls any AWS API as the role
ssm | ssm:UpdateAssociation ssm:CreateDocument | calls any AWS API as the role
ssm | ssm:UpdateDocument ssm:StartAutomationExecution | calls any AWS API as the role
ssm | ssm:UpdateMaintenanceWindowTask ssm:CreateDocument | calls any AWS API as the role
ssm | ssm:UpdateManagedInstanceRole ssm:SendCommand | gives a managed machine the role
ssm | ssm:UpdateManagedInstanceRole ssm:StartSession | gives a managed machine the role
ssm-incidents | ssm-incidents:CreateResponsePlan ssm:CreateDocument ssm-incidents:StartIncident | calls any AWS API as the role
ssm-incidents | ssm-incidents:UpdateResponsePlan ssm:CreateDocument ssm-incidents:StartIncident | calls any AWS API as the role
states | states:CreateStateMachine states:StartExecution | calls any AWS API as the role
states | states:CreateStateMachine states:StartSyncExecution | calls any AWS API as the role
states | states:TestState | calls any AWS API as the role
states | states:UpdateStateMachine states:StartExecution | calls any AWS API as the role
states | states:UpdateStateMachine states:StartSyncExecution | calls any AWS API as the role
synthetics | synthetics:CreateCanary synthetics:StartCanary | runs a script as the role
synthetics | synthetics:StartCanaryDryRun | runs another script as the role
synthetics | synthetics:UpdateCanary synthetics:StartCanary | runs another script as the role
tasks.apprunner | apprunner:CreateService | starts a service that runs as the role
tasks.apprunner | apprunner:UpdateService | gives a service the role and other code
";

/// Services that use a role for their own work, or read and write data with it.
const HARMLESS: &str = "
access-analyzer | access-analyzer:StartPolicyGeneration
autoscaling | autoscaling:CreateAutoScalingGroup autoscaling:PutLifecycleHook
backup | backup:CreateBackupSelection backup:StartBackupJob backup:StartRestoreJob
batch | batch:CreateComputeEnvironment batch:SubmitJob ec2:CreateLaunchTemplate
bedrock | bedrock:CreateModelCustomizationJob bedrock:CreateAgent bedrock:CreateFlow bedrock:InvokeAgent
budgets | budgets:CreateBudgetAction budgets:ModifyBudget budgets:ExecuteBudgetAction
build.apprunner | apprunner:CreateService apprunner:UpdateService
chatbot | chatbot:CreateSlackChannelConfiguration
cloudtrail | cloudtrail:CreateTrail cloudtrail:UpdateTrail
codedeploy | codedeploy:CreateDeploymentGroup codedeploy:CreateDeployment
config | config:PutConfigurationRecorder config:PutRemediationConfigurations
datasync | datasync:CreateLocationS3 datasync:CreateTask datasync:StartTaskExecution
dlm | dlm:CreateLifecyclePolicy
dms | dms:CreateEndpoint dms:CreateReplicationInstance
ecs | ecs:RegisterTaskDefinition ecs:RunTask ecs:CreateService
edgelambda | lambda:CreateFunction lambda:InvokeFunction
eks | eks:CreateCluster eks:CreateNodegroup eks:CreateAddon
eks-fargate-pods | eks:CreateFargateProfile
elasticbeanstalk | elasticbeanstalk:CreateEnvironment
firehose | firehose:CreateDeliveryStream firehose:PutRecord
fis | fis:CreateExperimentTemplate fis:StartExperiment
glue | glue:CreateCrawler glue:StartCrawler
imagebuilder | imagebuilder:CreateImage imagebuilder:CreateImagePipeline
iot | iot:CreateTopicRule iot:CreateRoleAlias iot:CreateKeysAndCertificate iot:CreatePolicy iot:AttachPolicy
kinesisanalytics | kinesisanalytics:AddApplicationInput kinesisanalytics:StartApplication
pipes | pipes:CreatePipe pipes:UpdatePipe pipes:StartPipe
quicksight | quicksight:CreateDataSource quicksight:UpdateDataSource
rds | rds:AddRoleToDBCluster rds:StartExportTask rds:CreateDBInstance
redshift | redshift:CreateCluster redshift:ModifyClusterIamRoles redshift:CreateScheduledAction
s3 | s3:PutReplicationConfiguration s3:PutObject
sns | sns:CreateTopic sns:SetTopicAttributes sns:Subscribe
spotfleet | ec2:RequestSpotFleet
ssm | ssm:SendCommand ssm:UpdateServiceSetting
transcribe | transcribe:StartTranscriptionJob
transfer | transfer:CreateUser transfer:CreateServer transfer:CreateAccess
vpc-flow-logs | ec2:CreateFlowLogs
";

/// An administrator that a service may assume, and a user who may pass this role and do some actions.
struct Case {
    service: &'static str,
    actions: BTreeSet<&'static str>,
    words: &'static str,
    /// What the user is not allowed after all.
    denied: &'static str,
    /// To which service alone the user may pass the role.
    passed_to: Option<&'static str>,
    /// Whom the role trusts.
    trusted: &'static str,
}

fn cases(table: &'static str) -> Vec<Case> {
    let rows = table.lines().filter(|l| !l.is_empty());
    let case = |row: &'static str| {
        let mut fields = row.split(" | ");
        let service = fields.next().unwrap();
        Case {
            service,
            actions: fields.next().unwrap().split(' ').collect(),
            words: fields.next().unwrap_or_default(),
            denied: "",
            passed_to: None,
            trusted: service,
        }
    };
    rows.map(case).collect()
}

impl Case {
    fn terraform(&self, number: usize) -> String {
        let name = format!("n{number}");
        let pass = allow("iam:PassRole", &format!("aws_iam_role.{name}.arn"));
        let pass = match self.passed_to {
            None => pass,
            Some(service) => {
                let condition = format!("StringEquals = {{ \"iam:PassedToService\" = \"{service}.amazonaws.com\" }}");
                pass.replace(" },", &format!(", Condition = {{ {condition} }} }},"))
            }
        };
        let actions: Vec<&str> = self.actions.iter().copied().collect();
        let deny = match self.denied {
            "" => String::new(),
            denied => allow(denied, "*").replace("Allow", "Deny"),
        };
        let profile = format!(
            "resource \"aws_iam_instance_profile\" \"{name}\" {{\n  name = \"{name}\"\n  role = aws_iam_role.{name}.name\n}}\n"
        );
        let statements = pass + &allow(&actions.join(" "), "*") + &deny;
        user(&name) + &policy("user", &name, &statements) + &admin(&name, self.trusted) + &profile
    }

    /// Whether these actions have all that a method of the service needs.
    fn has_method(&self, all: &[Self]) -> bool {
        let mut own = all.iter().filter(|o| o.service == self.service);
        own.any(|o| o.actions.is_subset(&self.actions))
    }
}

/// The cases whose user becomes the administrator, and what the hop says.
fn reached(cases: &[Case]) -> Vec<(usize, String)> {
    let terraform: String = cases.iter().enumerate().map(|(i, c)| c.terraform(i)).collect();
    let json = Repository::new(&[("main.tf", &terraform)])
        .run(&["paths", "--format", "json"])
        .json();
    let number = |end: &Value| end["name"].as_str().unwrap()[1..].parse::<usize>().unwrap();
    let mut found: Vec<(usize, String)> = json["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            assert_eq!(number(&p["from"]), number(&p["to"]), "{p}");
            assert_eq!(p["hops"].as_array().unwrap().len(), 1, "{p}");
            (number(&p["from"]), p["hops"][0]["by"].as_str().unwrap().to_owned())
        })
        .collect();
    found.sort();
    found
}

#[track_caller]
fn none_reaches(cases: &[Case]) {
    let found = reached(cases);
    let text = |(i, by): &(usize, String)| format!("{} {:?}: {by}", cases[*i].service, cases[*i].actions);
    assert!(found.is_empty(), "{:#?}", found.iter().map(text).collect::<Vec<_>>());
}

#[test]
fn a_passed_role_is_reached_through_each_service() {
    let all = cases(METHODS);
    let services: BTreeSet<&str> = all.iter().map(|c| c.service).collect();
    assert!(services.len() >= 40, "{services:?}");
    let found = reached(&all);
    let missing: Vec<&Case> = (all.iter().enumerate())
        .filter(|(i, _)| !found.iter().any(|(n, _)| n == i))
        .map(|(_, c)| c)
        .collect();
    let names: Vec<_> = missing.iter().map(|c| (c.service, &c.actions)).collect();
    assert!(names.is_empty(), "{names:#?}");
    for (i, by) in &found {
        let case = &all[*i];
        assert!(
            all.iter()
                .any(|o| o.words == by && o.service == case.service && o.actions.is_subset(&case.actions)),
            "{by}: {} {:?}",
            case.service,
            case.actions
        );
    }
}

#[test]
fn a_passed_role_is_not_reached_through_a_service_that_it_does_not_trust() {
    let mut all = cases(METHODS);
    all.iter_mut().for_each(|c| c.trusted = "transfer");
    none_reaches(&all);
}

#[test]
fn a_role_that_may_not_be_passed_is_not_reached() {
    let mut all = cases(METHODS);
    all.iter_mut().for_each(|c| c.denied = "iam:PassRole");
    none_reaches(&all);
    all.iter_mut().for_each(|c| c.denied = "");
    all.iter_mut().for_each(|c| c.passed_to = Some("transfer"));
    none_reaches(&all);
    // The services themselves.
    all.iter_mut().for_each(|c| c.passed_to = Some(c.service));
    assert_eq!(reached(&all).len(), all.len());
}

#[test]
fn every_action_of_a_method_is_needed() {
    let all = cases(METHODS);
    let mut short: Vec<Case> = Vec::new();
    for case in &all {
        for action in &case.actions {
            let mut actions = case.actions.clone();
            actions.remove(action);
            let less = Case { actions, ..*case };
            if less.actions.is_empty() || less.has_method(&all) {
                continue;
            }
            short.push(less);
            short.push(Case {
                actions: case.actions.clone(),
                denied: action,
                ..*case
            });
        }
    }
    none_reaches(&short);
}

#[test]
fn a_role_of_a_service_that_runs_nothing_is_not_reached() {
    let all = cases(HARMLESS);
    none_reaches(&all);
    let methods = cases(METHODS);
    assert!(all.iter().all(|c| !c.has_method(&methods)));
}

#[test]
fn gains_are_of_operations_that_pass_a_role() {
    let rows = |table: &'static str| table.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    let operations: BTreeMap<&str, BTreeSet<&str>> = {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in rows(include_str!("../../rules/facts/pass-role.txt")) {
            let mut fields = row.split('\t');
            found
                .entry(fields.next().unwrap())
                .or_default()
                .insert(fields.next().unwrap());
        }
        found
    };
    let is_action = |name: &str| catalogue().action(name).is_some_and(|a| a.name() == name);
    let is_service = |name: &str| catalogue().is_service_principal(&format!("{name}.amazonaws.com"));
    let mut judged: BTreeSet<(&str, &str)> = BTreeSet::new();
    for row in rows(include_str!("../../rules/facts/hand/passed-roles.txt")) {
        let fields: Vec<&str> = row.split('\t').collect();
        if let ["runs", services] = fields[..] {
            assert!(services.split(", ").all(is_service), "{row}");
            continue;
        }
        let [clients, names, gain, ref rest @ ..] = fields[..] else {
            panic!("three fields: {row}")
        };
        for client in clients.split(", ") {
            for name in names.split(", ") {
                assert!(name == "*" || operations[client].contains(name), "{row}");
                judged.insert((client, name));
            }
        }
        if ["data", "none"].contains(&gain) {
            assert!(rest.is_empty(), "{row}");
            continue;
        }
        assert!(["code", "calls", "credentials"].contains(&gain), "{row}");
        assert!(!names.contains('*') && !clients.contains(','), "{row}");
        for field in &rest[1..] {
            match field.split_once('=') {
                Some(("with", with)) => assert!(with.split(" | ").flat_map(|a| a.split(", ")).all(is_action), "{row}"),
                Some(("to", to)) => assert!(to.split(", ").all(is_service), "{row}"),
                _ => assert!(["policy", "profile"].contains(field), "{row}"),
            }
        }
    }
    for (client, names) in &operations {
        let open = names.iter().filter(|n| !judged.contains(&(*client, **n)));
        assert!(judged.contains(&(*client, "*")) || open.count() == 0, "{client}");
    }
}
