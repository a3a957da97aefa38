//! What anyone can write to, and what starts then.

use crate::paths::{admin, paths};

const FUNCTION: &str = r#"
resource "aws_lambda_function" "f" {
  function_name = "f"
  role = aws_iam_role.boss.arn
}
"#;

const QUEUE: &str = r#"
resource "aws_sqs_queue" "q" {
  name = "q"
}
resource "aws_lambda_event_source_mapping" "m" {
  event_source_arn = aws_sqs_queue.q.arn
  function_name = aws_lambda_function.f.arn
}
"#;

const TOPIC: &str = r#"
resource "aws_sns_topic" "t" {
  name = "t"
}
resource "aws_lambda_permission" "p" {
  action = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal = "sns.amazonaws.com"
  source_arn = aws_sns_topic.t.arn
}
"#;

const BUCKET: &str = r#"
resource "aws_s3_bucket" "b" {
  bucket = "b"
}
resource "aws_lambda_permission" "p" {
  action = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.arn
  principal = "s3.amazonaws.com"
  source_arn = aws_s3_bucket.b.arn
}
"#;

fn statement(effect: &str, principal: &str, action: &str, resource: &str, condition: &str) -> String {
    format!(
        "{{ Effect = \"{effect}\", Principal = {principal}, Action = \"{action}\", Resource = {resource}{condition} }},"
    )
}

fn policy(kind: &str, owner: &str, statements: &str) -> String {
    format!(
        "resource \"{kind}\" \"p\" {{\n  {owner}\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{statements}] }})\n}}\n"
    )
}

#[test]
fn queues_topics_and_buckets_that_anyone_writes_to() {
    let queue = |principal: &str, condition: &str| {
        let s = statement("Allow", principal, "sqs:SendMessage", "aws_sqs_queue.q.arn", condition);
        QUEUE.to_owned() + &policy("aws_sqs_queue_policy", "queue_url = aws_sqs_queue.q.id", &s)
    };
    let topic = |action: &str| {
        let s = statement("Allow", "\"*\"", action, "aws_sns_topic.t.arn", "");
        TOPIC.to_owned() + &policy("aws_sns_topic_policy", "arn = aws_sns_topic.t.arn", &s)
    };
    let bucket = |statements: &str| {
        BUCKET.to_owned() + &policy("aws_s3_bucket_policy", "bucket = aws_s3_bucket.b.id", statements)
    };
    let put = |effect: &str| statement(effect, "\"*\"", "s3:PutObject", "\"${aws_s3_bucket.b.arn}/*\"", "");
    let read = statement("Allow", "\"*\"", "s3:GetObject", "\"${aws_s3_bucket.b.arn}/*\"", "");
    let blocked = "resource \"aws_s3_bucket_public_access_block\" \"x\" {\n  bucket = aws_s3_bucket.b.id\n  \
                   restrict_public_buckets = true\n}\n";
    let from = ", Condition = { ArnLike = { \"aws:SourceArn\" = \"arn:aws:sns:eu-west-1:111122223333:t\" } }";
    let relayed = {
        let topic_alone = "resource \"aws_sns_topic\" \"t\" {\n  name = \"t\"\n}\n";
        let subscription = "resource \"aws_sns_topic_subscription\" \"s\" {\n  topic_arn = aws_sns_topic.t.arn\n  \
                            protocol = \"sqs\"\n  endpoint = aws_sqs_queue.q.arn\n}\n";
        topic_alone.to_owned() + QUEUE + subscription + topic("sns:Publish").strip_prefix(TOPIC).unwrap()
    };
    let through_queue = "admin: public/anyone → queue/q → function/f → role/boss";
    let through_topic = "admin: public/anyone → topic/t → function/f → role/boss";
    let through_both = "admin: public/anyone → topic/t → queue/q → function/f → role/boss";
    let past_bucket = "admin: public/anyone → function/f → role/boss";
    let there = admin("boss", "lambda") + FUNCTION;
    for (what, expected) in [
        (queue("\"*\"", ""), Some(through_queue)),
        (queue("{ AWS = \"*\" }", ""), Some(through_queue)),
        (queue("\"*\"", from), None),
        (queue("{ Service = \"sns.amazonaws.com\" }", ""), None),
        (QUEUE.to_owned(), None),
        (topic("sns:Publish"), Some(through_topic)),
        (topic("SNS:*"), Some(through_topic)),
        (topic("sns:Subscribe"), None),
        (relayed, Some(through_both)),
        (bucket(&put("Allow")), Some(past_bucket)),
        (bucket(&read), None),
        (bucket(&(put("Allow") + &put("Deny"))), None),
        (bucket(&put("Allow")) + blocked, None),
    ] {
        let found = paths(&(there.clone() + &what));
        assert_eq!(found.first().map(String::as_str), expected, "{what}");
    }
}
