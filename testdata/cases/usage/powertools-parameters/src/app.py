from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities import parameters
def handler(event, context):
    return parameters.get_parameter('/a'), parameters.get_secret('b')
