from lib.store import Store
def handler(e, c):
    s = Store()
    s.save(s.load(e))
