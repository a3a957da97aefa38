import boto3
ec2 = boto3.client('ec2')
def handler(e, c):
    ids = []
    for page in ec2.get_paginator('describe_instances').paginate(): # expect: missing-grant
        ids += [i['InstanceId'] for r in page['Reservations'] for i in r['Instances']]
    ec2.stop_instances(InstanceIds=ids)
    ec2.start_instances(InstanceIds=ids)
