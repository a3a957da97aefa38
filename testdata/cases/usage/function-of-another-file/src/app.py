from store import load
def handler(e, c):
    return load(e)
