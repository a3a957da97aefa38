import boto3, os
db = boto3.resource('dynamodb')
orders = db.Table(os.environ['ORDERS'])
customers = db.Table(os.environ['CUSTOMERS'])
def handler(e, c):
    orders.put_item(Item=e)
    orders.update_item(Key=e)
    orders.delete_item(Key=e)
    orders.query(KeyConditionExpression='i')
