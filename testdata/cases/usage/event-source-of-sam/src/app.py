import json
def handler(e, c):
    return json.dumps(e)
