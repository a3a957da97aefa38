actions = ["sqs:*"]
