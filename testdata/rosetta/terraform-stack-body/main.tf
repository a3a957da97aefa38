resource "aws_cloudformation_stack" "s" {
  name = "s"
  template_body = <<EOF
Resources:
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: ["s3:*"], Resource: "*"}
          - {Effect: Allow, Action: ["iam:PassRole"], Resource: "*"}
EOF
}
