//! Code and images that run the next time.

use crate::paths::{admin, allow, paths, policy, user};

const TASK: &str = r#"
resource "aws_ecr_repository" "app" {
  name = "app"
}
resource "aws_ecs_task_definition" "t" {
  family = "t"
  task_role_arn = aws_iam_role.boss.arn
  container_definitions = jsonencode([{ name = "app", image = "IMAGE" }])
}
"#;

const JOB: &str = r#"
resource "aws_s3_bucket" "b" {
  bucket = "scripts-b"
}
resource "aws_glue_job" "j" {
  name = "j"
  role_arn = aws_iam_role.boss.arn
  command {
    script_location = "SCRIPT"
  }
}
"#;

const PROJECT: &str = r#"
resource "aws_codecommit_repository" "r" {
  repository_name = "r"
}
resource "aws_codebuild_project" "p" {
  name = "p"
  service_role = aws_iam_role.boss.arn
  source {
    type = "CODECOMMIT"
    location = aws_codecommit_repository.r.clone_url_http
  }
}
"#;

#[test]
fn images_scripts_and_sources() {
    let with = |service: &str, resources: &str, statements: &str| {
        paths(&(admin("boss", service) + resources + &user("ann") + &policy("user", "ann", statements)))
    };
    let push = "ecr:PutImage ecr:UploadLayerPart";
    let image = ["admin: user/ann → repository/app → task/t → role/boss"];
    for (image_of, statements, found) in [
        (
            "${aws_ecr_repository.app.repository_url}:latest",
            allow(push, "*"),
            true,
        ),
        (
            "${aws_ecr_repository.app.repository_url}:latest",
            allow(push, "aws_ecr_repository.app.arn"),
            true,
        ),
        (
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
            allow(push, "*"),
            true,
        ),
        (
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:0f",
            allow(push, "*"),
            false,
        ),
        (
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/other:v1",
            allow(push, "*"),
            false,
        ),
        ("nginx:latest", allow(push, "*"), false),
        (
            "${aws_ecr_repository.app.repository_url}:latest",
            allow("ecr:PutImage", "*"),
            false,
        ),
        (
            "${aws_ecr_repository.app.repository_url}:latest",
            allow(push, "arn:aws:ecr:*:*:repository/other"),
            false,
        ),
    ] {
        let there = with("ecs-tasks", &TASK.replace("IMAGE", image_of), &statements);
        assert_eq!(there, &image[..usize::from(found)], "{image_of} {statements}");
    }
    let script = ["admin: user/ann → job/j → role/boss"];
    for (location, on, found) in [
        (
            "s3://${aws_s3_bucket.b.bucket}/jobs/j.py",
            "arn:aws:s3:::scripts-b/*",
            true,
        ),
        ("s3://scripts-b/jobs/j.py", "arn:aws:s3:::scripts-b/*", true),
        ("s3://scripts-b/jobs/j.py", "*", true),
        ("s3://scripts-b/jobs/j.py", "arn:aws:s3:::scripts-b/jobs/*", true),
        ("s3://scripts-b/jobs/j.py", "arn:aws:s3:::scripts-b/data/*", false),
        ("s3://scripts-b/${var.key}", "arn:aws:s3:::scripts-b/data/*", false),
        ("s3://elsewhere/jobs/j.py", "arn:aws:s3:::scripts-b/*", false),
    ] {
        let resources = "variable \"key\" {}\n".to_owned() + &JOB.replace("SCRIPT", location);
        let there = with("glue", &resources, &allow("s3:PutObject", on));
        assert_eq!(there, &script[..usize::from(found)], "{location} {on}");
    }
    let source = ["admin: user/ann → repository/r → project/p → role/boss"];
    for (action, found) in [("codecommit:GitPush", true), ("codecommit:GitPull", false)] {
        let there = with("codebuild", PROJECT, &allow(action, "*"));
        assert_eq!(there, &source[..usize::from(found)], "{action}");
    }
}
