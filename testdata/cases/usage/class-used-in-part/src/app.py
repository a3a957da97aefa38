from lib.store import Store
def handler(e, c):
    return Store().load(e)
