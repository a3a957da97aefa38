import boto3
athena = boto3.client('athena')
def handler(event, context):
    q = athena.start_query_execution(QueryString='select 1')
    return athena.get_query_results(QueryExecutionId=q['QueryExecutionId'])
