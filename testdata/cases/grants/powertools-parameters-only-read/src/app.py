from aws_lambda_powertools.utilities import parameters
def handler(e, c):
    return parameters.get_parameter('/a'), parameters.get_secret('s')
