//! Which formats read a file.

use crate::classify::FileClues;

use super::{FORMATS, Format, FormatClaim, cloudformation};

/// What a file may hold, from its name and its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileKinds {
    /// The bit of each format in [`FORMATS`] that reads it.
    formats: u32,
    /// Parameters that a CloudFormation template is deployed with.
    pub has_parameters: bool,
    /// It is searched for credentials.
    pub is_readable: bool,
    /// A token that looks like a credential occurs in it.
    pub has_key: bool,
}

impl FileKinds {
    /// Of the file shown as `path`; a file of no kind is dropped at once.
    pub fn of(path: &str, text: &str) -> Self {
        let clues = FileClues::new(path, text);
        if !clues.is_readable {
            return Self::default();
        }
        let mut kinds = Self {
            is_readable: true,
            has_key: clues.has_key,
            ..Self::default()
        };
        for (format, claim) in FORMATS.iter().map(|format| (*format, format.claim(&clues))) {
            match claim {
                FormatClaim::Whole => {
                    kinds.formats = 0;
                    kinds.add(format);
                    return kinds;
                }
                FormatClaim::Shared => kinds.add(format),
                FormatClaim::None => {}
            }
        }
        kinds.has_parameters = cloudformation::is_parameter_file(crate::source::file_name(path), text);
        kinds
    }

    /// The formats that read it.
    pub fn formats(self) -> impl Iterator<Item = &'static dyn Format> {
        FORMATS.iter().copied().filter(move |format| self.is_read_by(*format))
    }

    /// Whether it may grant something, or say what is granted.
    pub fn is_iam(self) -> bool {
        self.formats != 0 || self.has_parameters
    }

    pub fn is_read_by(self, format: &dyn Format) -> bool {
        self.formats & bit_of(format) != 0
    }

    /// Another file names it as one that the format reads.
    pub fn add(&mut self, format: &dyn Format) {
        self.formats |= bit_of(format);
    }
}

/// The bit that stands for a format.
fn bit_of(format: &dyn Format) -> u32 {
    let position = FORMATS.iter().position(|one| one.title() == format.title());
    position.map_or(0, |bit| 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The titles of the formats that read a file, then `parameters`, `text`, and `key`.
    fn titles(path: &str, text: &str) -> Vec<&'static str> {
        let kinds = FileKinds::of(path, text);
        let mut titles: Vec<&str> = kinds.formats().map(Format::title).collect();
        let others = [
            (kinds.has_parameters, "parameters"),
            (kinds.is_readable, "text"),
            (kinds.has_key, "key"),
        ];
        titles.extend(others.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name));
        titles
    }

    #[test]
    fn files_are_what_name_and_words_say() {
        let policy = r#"{"Statement": {"Effect": "Allow"}}"#;
        let template = r"AWSTemplateFormatVersion: x
Resources:
  R:
    Type: AWS::S3::Bucket
# Statement Action";
        let cases: &[(&str, &str, &[&str])] = &[
            ("p.json", policy, &["policy", "text"]),
            (
                "p.json",
                r#"{"\u0053tatement": [{"\u0045ffect": "Allow"}]}"#,
                &["policy", "text"],
            ),
            (
                "p.yaml",
                r#""\x53tatement": [{"\U00000045ffect": "Allow"}]"#,
                &["policy", "text"],
            ),
            ("p.json", r#"{"statement": [{"effect": "Allow"}]}"#, &["policy", "text"]),
            ("p.json", r#"{"x": "\u00e9\u12", "y": "\x"}"#, &["text"]),
            ("a/p.yml", "Statement:\n- Action: x", &["policy", "text"]),
            ("t.yaml", template, &["CloudFormation", "text"]),
            (
                "t.template",
                "Resources: {R: {Type: 'AWS::SNS::Topic'}}",
                &["CloudFormation", "text"],
            ),
            (
                "f.yml",
                "F:\n  Type: AWS::Serverless::Function",
                &["CloudFormation", "text"],
            ),
            ("serverless.yml", "service: x", &["Serverless", "text"]),
            (
                "s.yml",
                r"service: x
provider:
  name: aws
functions:
  f: {}",
                &["Serverless", "text"],
            ),
            ("main.tf", "", &["Terraform", "text"]),
            ("x.tf.json", policy, &["Terraform", "text"]),
            ("a.auto.tfvars.json", "{}", &["Terraform", "text"]),
            ("terragrunt.hcl", "", &["Terraform", "text"]),
            ("p.json.tpl", policy, &["policy", "text"]),
            ("p.json.erb", policy, &["policy", "text"]),
            ("p.hbs", policy, &["policy", "text"]),
            ("user-data.tpl", "#!/bin/sh\n# Statement Effect", &["text"]),
            ("a.py", "import boto3", &["Python", "text"]),
            ("a.py", "import awswrangler as wr", &["Python", "text"]),
            (
                "a.py",
                "from aws_lambda_powertools.utilities import parameters",
                &["Python", "text"],
            ),
            ("a.py", "pd.read_csv('s3://b/k')", &["Python", "text"]),
            ("a.md", "s3://b/k", &["text"]),
            ("n.ipynb", r#"{"cells": ["import botocore"]}"#, &["Python", "text"]),
            ("a.py", "print(1)", &["text"]),
            (
                "prod.json",
                r#"[{"ParameterKey": "A", "ParameterValue": "b"}]"#,
                &["parameters", "text"],
            ),
            ("prod.json", r#"{"Parameters": {"A": "b"}}"#, &["parameters", "text"]),
            ("prod.json", r#"{"a": {"Parameters": {}}}"#, &["text"]),
            (
                "samconfig.toml",
                r#"parameter_overrides = "A=b""#,
                &["parameters", "text"],
            ),
            ("package.json", policy, &["text"]),
            ("tsconfig.build.json", policy, &["text"]),
            ("deployment.yaml", "kind: Deployment", &["text"]),
            ("package-lock.json", policy, &[]),
            ("app.min.css", "aws_secret_access_key", &[]),
            ("app.min.js", "aws_secret_access_key", &["text", "key"]),
            ("run.sh", "export AWS_SECRET_ACCESS_KEY=x", &["text", "key"]),
            ("README", "use AKIA... keys", &["text", "key"]),
            ("README", "keep it secret", &["text"]),
            ("old-token.txt", "AQoDYXdzEJr", &["text", "key"]),
            (".npmrc", "registry=https://registry.example.com/", &["text"]),
        ];
        for (path, text, expected) in cases {
            assert_eq!(titles(path, text), *expected, "{path}");
        }
    }
}
