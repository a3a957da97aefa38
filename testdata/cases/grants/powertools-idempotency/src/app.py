from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name='seen'))
def handler(e, c):
    return {}
