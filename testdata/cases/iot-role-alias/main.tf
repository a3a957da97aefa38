resource "aws_iam_role" "device" {
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "iot.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iot_role_alias" "device" {
  alias    = "device"
  role_arn = aws_iam_role.device.arn # expect: role-trusts-other-service
}
