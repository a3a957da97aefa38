//! What an identity may do in all, across the policies put on it.

use overgrant::internals::iam::{Action, Ownership, Truth, catalogue};
use overgrant::internals::pipeline::analyze;
use overgrant::internals::project::{Effective, PolicySource, Project, UnknownPolicies};
use overgrant::internals::source::Sources;

/// Asks about the identity whose resource has this address.
fn ask<T>(files: &[(&str, &str)], address: &str, f: impl FnOnce(&Project<'_>, Effective<'_>) -> T) -> T {
    let sources = Sources::from_strings(files);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let (id, _) = project
        .identities
        .iter_enumerated()
        .find(|(_, i)| &*project.resources[i.resource].address.name == address)
        .unwrap_or_else(|| panic!("no identity {address}"));
    f(&project, Effective::new(&project, id))
}

fn action(name: &str) -> Action {
    catalogue().action(name).unwrap_or_else(|| panic!("no action {name}"))
}

/// Which of `actions` are allowed, may be, and are not: `+`, `?`, `-`.
fn answers(files: &[(&str, &str)], address: &str, actions: &[&str]) -> String {
    ask(files, address, |_, effective| {
        let answer = |a: &&str| match effective.allows(action(a)) {
            Truth::Yes => '+',
            Truth::Unknown => '?',
            Truth::No => '-',
        };
        actions.iter().map(answer).collect()
    })
}

const ROLE: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]}
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/AmazonSQSFullAccess
        - !Ref Managed
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: ["s3:Get*", "dynamodb:GetItem"], Resource: "*"}
              - {Effect: Deny, Action: "s3:GetObjectAcl", Resource: "*"}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "sns:Publish", Resource: "*", Condition: {Bool: {"aws:SecureTransport": "true"}}}
          - {Effect: Allow, Action: "s3:PutObject", Resource: "arn:aws:s3:::a/*"}
  Other:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: other
      Roles: [!Ref Role]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Deny, Action: "s3:PutObject", Resource: "arn:aws:s3:::a*"}
          - {Effect: Deny, Action: "dynamodb:*", Resource: "*", Condition: {Bool: {"aws:MultiFactorAuthPresent": "false"}}}
          - {Effect: Deny, Action: "sqs:DeleteQueue", Resource: "*"}
"#;

#[test]
fn policies_of_all_kinds_unite_less_what_any_denies() {
    let files = [("t.yaml", ROLE)];
    let actions = [
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:PutObject",
        "dynamodb:GetItem",
        "sns:Publish",
        "sqs:SendMessage",
        "sqs:DeleteQueue",
        "ec2:RunInstances",
    ];
    assert_eq!(answers(&files, "Role", &actions), "+--+++--");
}

#[test]
fn a_grant_names_its_witnesses() {
    let sources = Sources::from_strings(&[("t.yaml", ROLE)]);
    ask(&[("t.yaml", ROLE)], "Role", |_, effective| {
        let shown = |name: &str| {
            let grant = effective.grants_of(action(name)).next().unwrap();
            let at = sources.slice(grant.span(action(name)));
            (at.to_owned(), sources.slice(grant.through.span).lines().count())
        };
        assert_eq!(shown("s3:GetObject").0, r#""s3:Get*""#);
        assert_eq!(
            shown("sqs:SendMessage"),
            ("arn:aws:iam::aws:policy/AmazonSQSFullAccess".to_owned(), 1)
        );
        assert_eq!(shown("sns:Publish"), (r#""sns:Publish""#.to_owned(), 1));
        let publish = effective.grants_of(action("sns:Publish")).next().unwrap();
        assert!(matches!(publish.source, PolicySource::Written(_)) && !publish.through.inline);
        let get = effective.grants_of(action("s3:GetObject")).next().unwrap();
        assert!(get.through.inline && !get.is_narrowed());
        assert_eq!(effective.limiting_denies(action("dynamodb:GetItem")).count(), 1);
        assert!(effective.is_complete());
    });
}

#[test]
fn a_boundary_bounds_and_an_unknown_one_leaves_it_open() {
    let template = |boundary: &str| {
        format!(
            r#"
Parameters: {{Limit: {{Type: String}}}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: {boundary}
      Policies:
        - PolicyName: p
          PolicyDocument: {{Statement: [{{Effect: Allow, Action: ["s3:*", "iam:CreateUser"], Resource: "*"}}]}}
  Limit2:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {{Statement: [{{Effect: Allow, Action: "s3:Get*", Resource: "arn:aws:s3:::a/*"}}, {{Effect: Allow, Action: "sqs:*", Resource: "*"}}]}}
"#
        )
    };
    let actions = ["s3:GetObject", "s3:PutObject", "iam:CreateUser", "sqs:SendMessage"];
    let check = |boundary: &str| answers(&[("t.yaml", &template(boundary))], "Role", &actions);
    assert_eq!(check("!Ref Limit2"), "+---");
    assert_eq!(check("arn:aws:iam::aws:policy/PowerUserAccess"), "++--");
    assert_eq!(check("!Ref Limit"), "???-");
    ask(&[("t.yaml", &template("!Ref Limit2"))], "Role", |_, effective| {
        let boundary = effective.boundary.unwrap();
        assert!(!boundary.everywhere.contains_name("s3:GetObject"));
        assert!(boundary.everywhere.contains_name("sqs:SendMessage"));
    });
}

const GROUPS: &str = r#"
resource "aws_iam_group" "ops" { name = "ops" }
resource "aws_iam_user" "ann" { name = "ann" }
resource "aws_iam_user" "bob" { name = "bob" }
resource "aws_iam_user_group_membership" "ann" {
  user   = aws_iam_user.ann.name
  groups = [aws_iam_group.ops.name]
}
resource "aws_iam_group_membership" "bob" {
  name  = "x"
  group = "elsewhere"
  users = [aws_iam_user.bob.name]
}
resource "aws_iam_group_policy" "ops" {
  group  = aws_iam_group.ops.name
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "*" }] })
}
"#;

#[test]
fn a_user_has_what_its_groups_have() {
    let files = [("main.tf", GROUPS)];
    let actions = ["s3:PutObject", "s3:GetObject"];
    assert_eq!(answers(&files, "aws_iam_user.ann", &actions), "+-");
    assert_eq!(answers(&files, "aws_iam_user.bob", &actions), "??");
    ask(&files, "aws_iam_user.ann", |project, effective| {
        let group = effective.grants[0].group.unwrap();
        assert_eq!(project.identities[group].kind.name(), "group");
    });
}

#[test]
fn a_permission_set_has_what_is_attached_to_it() {
    let files = [(
        "main.tf",
        r#"
resource "aws_ssoadmin_permission_set" "dev" {
  name         = "dev"
  instance_arn = var.instance
}
resource "aws_ssoadmin_permission_set_inline_policy" "dev" {
  instance_arn       = var.instance
  permission_set_arn = aws_ssoadmin_permission_set.dev.arn
  inline_policy      = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:PutObject", Resource = "*" }] })
}
resource "aws_ssoadmin_managed_policy_attachment" "dev" {
  instance_arn       = var.instance
  permission_set_arn = aws_ssoadmin_permission_set.dev.arn
  managed_policy_arn = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
}
resource "aws_iam_policy" "more" {
  name   = "more"
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sns:Publish", Resource = "*" }] })
}
resource "aws_ssoadmin_customer_managed_policy_attachment" "dev" {
  instance_arn       = var.instance
  permission_set_arn = aws_ssoadmin_permission_set.dev.arn
  customer_managed_policy_reference {
    name = "more"
  }
}
"#,
    )];
    let actions = ["s3:PutObject", "sqs:GetQueueUrl", "sns:Publish", "sqs:SendMessage"];
    assert_eq!(answers(&files, "aws_ssoadmin_permission_set.dev", &actions), "+++-");
}

#[test]
fn what_cannot_be_seen_is_a_gap_with_its_place() {
    let role = |more: &str| {
        format!(
            r#"
variable "more" {{}}
resource "aws_iam_role" "r" {{
  name = "r"
}}
resource "aws_iam_role" "s" {{
  name = "s"
}}
{more}
"#
        )
    };
    let attachment = |role: &str, arn: &str| {
        format!(
            r#"resource "aws_iam_role_policy_attachment" "a" {{
 role = {role}
 policy_arn = {arn}
}}"#
        )
    };
    let inline = |policy: &str| {
        format!(
            r#"resource "aws_iam_role_policy" "a" {{
 role = aws_iam_role.r.name
 policy = {policy}
}}"#
        )
    };
    let cases = [
        (
            attachment("aws_iam_role.r.name", "var.more"),
            "var.more",
            UnknownPolicies::Elsewhere,
        ),
        (
            attachment("aws_iam_role.r.name", r#""arn:aws:iam::aws:policy/NoSuchThing""#),
            r#""arn:aws:iam::aws:policy/NoSuchThing""#,
            UnknownPolicies::NotShownByAws,
        ),
        (
            attachment("var.more", r#""arn:aws:iam::aws:policy/ReadOnlyAccess""#),
            "var.more",
            UnknownPolicies::Unplaced,
        ),
        (
            inline("var.more"),
            r#"resource "aws_iam_role_policy" "a""#,
            UnknownPolicies::Elsewhere,
        ),
        (
            inline(r#"jsonencode({ Statement = [{ Effect = "Allow", Action = var.more, Resource = "*" }] })"#),
            "var.more",
            UnknownPolicies::Unclear,
        ),
    ];
    for (more, at, why) in cases {
        let text = role(&more);
        let files = [("main.tf", text.as_str())];
        let sources = Sources::from_strings(&files);
        ask(&files, "aws_iam_role.r", |_, effective| {
            let gaps: Vec<_> = effective.gaps.iter().map(|g| (sources.slice(g.span), g.why)).collect();
            assert_eq!(gaps, [(at, why)], "{text}");
            assert_eq!(effective.allows(action("s3:PutObject")), Truth::Unknown);
        });
        let other = answers(&files, "aws_iam_role.s", &["s3:PutObject"]);
        assert_eq!(
            other,
            if why == UnknownPolicies::Unplaced { "?" } else { "-" },
            "{text}"
        );
    }
}

#[test]
fn templates_of_sam_count() {
    let files = [(
        "t.yaml",
        r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.12
      Policies:
        - DynamoDBReadPolicy: {TableName: t}
        - AmazonSQSReadOnlyAccess
"#,
    )];
    let actions = [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "sqs:GetQueueUrl",
        "logs:PutLogEvents",
    ];
    assert_eq!(answers(&files, "FRole", &actions), "+-++");
}

/// A role with one policy attached through a look-up of this form.
fn looked_up(lookup: &str) -> String {
    format!(
        r#"
data "aws_partition" "here" {{}}
data "aws_iam_policy" "found" {{
  {lookup}
}}
resource "aws_iam_policy" "own" {{
  name   = "own"
  path   = "/team/"
  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = "s3:PutObject", Resource = "*" }}] }})
}}
resource "aws_iam_role" "r" {{ name = "r" }}
resource "aws_iam_role_policy_attachment" "r" {{
  role       = aws_iam_role.r.name
  policy_arn = data.aws_iam_policy.found.arn
}}
"#
    )
}

#[test]
fn a_policy_that_is_looked_up_is_the_one_that_has_the_name() {
    let cases = [
        (r#"name = "own""#, "+-"),
        (r#"arn = "arn:aws:iam::111122223333:policy/team/own""#, "+-"),
        ("arn = aws_iam_policy.own.arn", "+-"),
        ("name = aws_iam_policy.own.name", "+-"),
        (r#"name = "AmazonSQSFullAccess""#, "-+"),
        (r#"arn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess""#, "-+"),
        (
            r#"arn = "arn:${data.aws_partition.here.partition}:iam::aws:policy/AmazonSQSFullAccess""#,
            "-+",
        ),
        (
            r#"name = "SystemAdministrator"
  path_prefix = "/job-function/""#,
            "++",
        ),
        (
            r#"name = "AmazonSQSFullAccess"
  path_prefix = "/service-role/""#,
            "??",
        ),
        (r#"name = "elsewhere""#, "??"),
        ("name = var.which", "??"),
        ("arn = data.aws_iam_policy.found.arn", "??"),
    ];
    for (lookup, expected) in cases {
        let file = looked_up(lookup);
        let found = answers(
            &[("main.tf", file.as_str())],
            "aws_iam_role.r",
            &["s3:PutObject", "sqs:SendMessage"],
        );
        assert_eq!(found, expected, "{lookup}");
    }
}

#[test]
fn look_ups_of_many_are_told_apart() {
    let file = r#"
data "aws_iam_policy" "many" {
  for_each = toset(["AmazonSQSFullAccess", "AmazonSNSFullAccess"])
  name     = each.value
}
resource "aws_iam_role" "r" { name = "r" }
resource "aws_iam_role" "s" { name = "s" }
resource "aws_iam_role_policy_attachment" "r" {
  for_each   = data.aws_iam_policy.many
  role       = aws_iam_role.r.name
  policy_arn = each.value.arn
}
resource "aws_iam_role_policy_attachment" "s" {
  role       = aws_iam_role.s.name
  policy_arn = data.aws_iam_policy.many["AmazonSNSFullAccess"].arn
}
"#;
    let actions = ["sns:Publish", "sqs:SendMessage", "s3:PutObject"];
    assert_eq!(answers(&[("main.tf", file)], "aws_iam_role.r", &actions), "++-");
    assert_eq!(answers(&[("main.tf", file)], "aws_iam_role.s", &actions), "+--");
}

#[test]
fn the_document_of_a_looked_up_policy_is_what_it_says() {
    let file = |source: &str| {
        format!(
            r#"
{}
data "aws_iam_policy_document" "d" {{
  source_policy_documents = [{source}]
}}
resource "aws_iam_role_policy" "d" {{
  role   = aws_iam_role.r.name
  policy = data.aws_iam_policy_document.d.json
}}
"#,
            looked_up(r#"name = "AmazonSQSFullAccess""#)
        )
    };
    let actions = ["sqs:SendMessage", "s3:PutObject"];
    let cases = [
        ("data.aws_iam_policy.found.policy", "+-"),
        ("data.aws_iam_policy.none.policy", "??"),
    ];
    for (source, expected) in cases {
        let file = file(source);
        // Only the document counts.
        let file = file.replace(
            "data.aws_iam_policy.found.arn",
            r#""arn:aws:iam::aws:policy/AmazonS3TablesReadOnlyAccess""#,
        );
        assert_eq!(
            answers(&[("main.tf", file.as_str())], "aws_iam_role.r", &actions),
            expected,
            "{source}"
        );
    }
}

/// A role that may do everything, in a root module of its own.
const HOLDER: (&str, &str) = (
    "app/main.tf",
    r#"
resource "aws_iam_role" "r" {
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:*", "sqs:*"], Resource = "*" }] })
}
"#,
);

/// An organization in Terraform, and a policy that is attached to `target`.
fn attached(effect: &str, target: &str) -> String {
    format!(
        r#"
data "aws_organizations_organization" "known" {{}}
resource "aws_organizations_organization" "made" {{
  feature_set = "ALL"
}}
resource "aws_organizations_organizational_unit" "unit" {{
  name      = "unit"
  parent_id = aws_organizations_organization.made.roots[0].id
}}
variable "target" {{}}
resource "aws_organizations_policy" "limit" {{
  name    = "limit"
  content = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "{effect}", Action = "s3:*", Resource = "*" }}] }})
}}
resource "aws_organizations_policy_attachment" "limit" {{
  policy_id = aws_organizations_policy.limit.id
  target_id = {target}
}}
"#
    )
}

#[test]
fn a_service_control_policy_on_the_root_limits_every_account() {
    let asked = ["s3:GetObject", "sqs:SendMessage"];
    for (target, expected) in [
        (r#""r-ab12""#, "-+"),
        ("aws_organizations_organization.made.roots[0].id", "-+"),
        ("data.aws_organizations_organization.known.roots[0].id", "-+"),
        // Nothing says that the account of the role is there.
        ("aws_organizations_organizational_unit.unit.id", "++"),
        (r#""ou-ab12-cdefghij""#, "++"),
        (r#""111122223333""#, "++"),
        ("var.target", "++"),
    ] {
        let organization = attached("Deny", target);
        let found = answers(&[HOLDER, ("org/main.tf", &organization)], "aws_iam_role.r", &asked);
        assert_eq!(found, expected, "{target}");
    }
}

#[test]
fn an_allow_list_beside_full_access_takes_nothing_away() {
    // AWS attaches FullAWSAccess to the root, and the repository does not show that it is detached.
    let organization = attached("Allow", r#""r-ab12""#);
    let asked = ["s3:GetObject", "sqs:SendMessage"];
    let found = answers(&[HOLDER, ("org/main.tf", &organization)], "aws_iam_role.r", &asked);
    assert_eq!(found, "++");
}

#[test]
fn the_management_account_is_not_limited() {
    let asked = ["s3:GetObject", "sqs:SendMessage"];
    let both = [attached("Deny", r#""r-ab12""#), HOLDER.1.to_owned()].concat();
    assert_eq!(answers(&[("main.tf", &both)], "aws_iam_role.r", &asked), "++");
    let template = r#"
Resources:
  Organization: {Type: AWS::Organizations::Organization}
  Limit:
    Type: AWS::Organizations::Policy
    Properties:
      Name: limit
      Type: SERVICE_CONTROL_POLICY
      TargetIds: [!GetAtt Organization.RootId]
      Content: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "s3:*", Resource: "*"}]}
  Own:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]}
      Policies:
        - PolicyName: all
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["s3:*", "sqs:*"], Resource: "*"}]}
"#;
    assert_eq!(answers(&[("org.yaml", template)], "Own", &asked), "++");
    assert_eq!(
        answers(&[HOLDER, ("org.yaml", template)], "aws_iam_role.r", &asked),
        "-+"
    );
}

#[test]
fn a_policy_that_may_not_be_attached_limits_nothing() {
    let asked = ["s3:GetObject", "sqs:SendMessage"];
    let organization = attached("Deny", r#""r-ab12""#).replace(
        "  policy_id = aws_organizations_policy.limit.id",
        r#"  count     = var.target == "" ? 0 : 1
  policy_id = aws_organizations_policy.limit.id"#,
    );
    let found = answers(&[HOLDER, ("org/main.tf", &organization)], "aws_iam_role.r", &asked);
    assert_eq!(found, "++");
}
