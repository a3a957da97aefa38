resource "aws_iot_policy" "device" {
  name = "device"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "iot:*" # expect: iot-policy-star-action
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = "greengrass:*"
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = ["iot:Connect", "iot:Publish"]
        Resource = "*" # expect: iot-policy-star-resource
      },
    ]
  })
}
