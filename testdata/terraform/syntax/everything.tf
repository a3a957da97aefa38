# All of Terraform's syntax in one file.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
  backend "s3" {
    bucket = "state"
    key    = "a/b.tfstate"
  }
}

provider "aws" { region = "eu-central-1" }

variable "names" {
  type    = list(object({ name = string, tags = optional(map(string), {}) }))
  default = []
  validation {
    condition     = alltrue([for n in var.names : can(regex("^[a-z]+$", n.name))])
    error_message = "Names are \"lower case\"."
  }
}

locals {
  // arithmetic and logic
  sum     = 1 + 2 * 3 - 4 / 2 % 3
  logic   = !var.a && (var.b || var.c) == true != false
  compare = 1 < 2 && 2 <= 3 || 3 > 2 && 3 >= 2
  number  = 1.5e3
  minus   = -local.sum
  nothing = null
  chosen  = var.on ? "yes" : "no"
  /* a comment
     over lines */
  escapes  = "tab\t line\n quote\" backslash\\ unicode\u00e9 $${literal} %%{literal}"
  template = "arn:${local.partition}:s3:::${var.bucket}/*"
  nested   = "${upper("${var.a}-${lower("B")}")}"
  list = [
    "a", # first
    "b",
    ["c", ["d"]],
  ]
  object = {
    plain        = 1
    "quoted"     = 2
    (local.key)  = 3
    colon : 4
    "${local.k}" = 5
  }
  by_name  = { for n in var.names : n.name => n.tags... if n.name != "" }
  indexed  = [for i, n in var.names : "${i}-${n.name}"]
  splat    = aws_instance.all[*].private_ip
  legacy   = aws_instance.all.*.id[0]
  old      = aws_instance.all.0.id
  indexing = local.map["key"][0].name
  call     = merge(local.a, { b = 2 }, local.more...)
  provided = provider::aws::arn_parse("arn:aws:iam::111122223333:role/r")
  long = (
    var.a
    ? var.b
    : var.c
  )
  heredoc = <<EOT
line one ${var.x}
  line two $${not} "quoted"
EOT
  flush = <<-EOT
    indented
      more
    %{ for n in var.names ~}
    name ${n.name}
    %{ endfor ~}
    %{ if var.on }on%{ else }off%{ endif }
  EOT
}

resource "aws_iam_role" "r" {
  for_each           = toset(["a", "b"])
  name               = each.key
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
  lifecycle {
    ignore_changes = [tags]
  }
  dynamic "inline_policy" {
    for_each = local.list
    iterator = it
    content {
      name   = it.value
      policy = data.aws_iam_policy_document.d[it.key].json
    }
  }
}

module "m" {
  source    = "./m"
  providers = { aws = aws.east }
}

output "arns" {
  value     = { for k, r in aws_iam_role.r : k => r.arn }
  sensitive = true
}
