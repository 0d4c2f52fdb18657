"""redis-py, as Debian packages it: pipelines, transactions, locks, pub/sub, scripts, streams, scans."""

import sys
import threading
import time

import redis
from redis.exceptions import LockError, NoScriptError, ResponseError, WatchError

PORT = int(sys.argv[1])
DEADLINE_SEC = 120


def connect(**options):
    return redis.Redis(port=PORT, socket_timeout=DEADLINE_SEC, **options)


def equal(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def fails(error, f, *args, text="", **options):
    try:
        got = f(*args, **options)
    except error as e:
        assert text in str(e), f"{e!r} does not say {text!r}"
        return
    raise AssertionError(f"no {error.__name__}, but {got!r}")


def until(condition):
    end = time.monotonic() + DEADLINE_SEC
    while not condition():
        assert time.monotonic() < end, "the condition does not become true"
        time.sleep(0.005)


def values(r):
    equal(r.set("k", "v", ex=10_000), True)
    equal(r.get("k"), b"v")
    equal(r.ttl("k") > 50, True)
    equal(r.hset("h", mapping={"a": 1, "b": 2.5}), 2)
    equal(r.hgetall("h"), {b"a": b"1", b"b": b"2.5"})
    equal(r.zadd("z", {"a": 1, "b": float("inf")}), 2)
    equal(r.zrange("z", 0, -1, withscores=True), [(b"a", 1.0), (b"b", float("inf"))])
    equal(r.geoadd("g", (13.361389, 38.115556, "Palermo")), 1)
    equal(r.info()["redis_version"].split(".")[0], "7")
    equal(connect(decode_responses=True).get("k"), "v")
    fails(ResponseError, r.lpush, "k", "x", text="WRONGTYPE")


def scans(r):
    r.mset({f"s:{i}": i for i in range(1000)})
    equal(len(set(r.scan_iter("s:*", count=37))), 1000)
    equal(len(set(r.scan_iter(_type="hash"))), 1)
    r.hset("big", mapping={f"f{i}": i for i in range(1000)})
    equal(len(dict(r.hscan_iter("big", count=50))), 1000)
    r.sadd("bigset", *range(1000))
    equal(len(set(r.sscan_iter("bigset"))), 1000)
    r.zadd("bigz", {f"m{i}": i for i in range(1000)})
    equal(len(dict(r.zscan_iter("bigz"))), 1000)


def pipelines(r):
    p = r.pipeline(transaction=False)
    for _ in range(5000):
        p.incr("n")
    equal(p.execute()[-1], 5000)
    replies = r.pipeline(transaction=False).set("p", "x").lpush("p", 1).get("p").execute(raise_on_error=False)
    equal([replies[0], type(replies[1]), replies[2]], [True, ResponseError, b"x"])


def transactions(r):
    equal(r.pipeline().set("t", 1).incr("t").hset("th", "f", "v").hgetall("th").execute(), [True, 2, 1, {b"f": b"v"}])
    fails(ResponseError, r.pipeline().set("t", 5).lpush("t", 1).execute, text="Command # 2 (LPUSH t 1) of pipeline caused error: WRONGTYPE")
    equal(r.get("t"), b"5")
    fails(ResponseError, r.pipeline().set("t", 6).execute_command("SET", "t").execute, text="wrong number of arguments for 'set' command")
    equal(r.get("t"), b"5")
    with r.pipeline() as p:
        p.watch("t")
        r.set("t", 7)
        p.multi()
        p.set("t", 8)
        fails(WatchError, p.execute)
    equal(r.get("t"), b"7")

    def increment(p):
        n = int(p.get("cas") or 0)
        p.multi()
        p.set("cas", n + 1)

    def work():
        mine = connect()
        for _ in range(25):
            mine.transaction(increment, "cas") # tries again until nobody was in between

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(DEADLINE_SEC)
    equal(r.get("cas"), b"150")


def scripts(r):
    multiply = r.register_script("return redis.call('GET', KEYS[1]) * ARGV[1]")
    r.set("two", 2)
    equal(multiply(keys=["two"], args=[21]), 42)
    r.script_flush()
    equal(multiply(keys=["two"], args=[4]), 8)
    p = r.pipeline()
    p.set("two", 3)
    multiply(keys=["two"], args=[5], client=p)
    equal(p.execute(), [True, 15])
    equal(r.eval("return {1, 2.9, 'x', {true, false}}", 0), [1, 2, b"x", [1, None]])
    equal(r.eval("return {'a', nil, 'b'}", 0), [b"a"])
    equal(r.eval("return redis.status_reply('FINE')", 0), b"FINE")
    fails(NoScriptError, r.evalsha, "f" * 40, 0)
    fails(ResponseError, r.eval, "return redis.error_reply('MY own')", 0, text="MY own")
    fails(ResponseError, r.eval, "return redis.call('LPUSH', KEYS[1], 1)", 1, "two", text="WRONGTYPE")
    equal(r.script_exists(multiply.sha, "f" * 40), [True, False])


def locks(r):
    lock = r.lock("lock", timeout=30)
    equal(lock.acquire(), True)
    equal(r.lock("lock", timeout=30).acquire(blocking=False), False)
    equal(lock.locked() and lock.owned(), True)
    equal(lock.extend(30), True)
    equal(r.pttl("lock") > 30_000, True)
    equal(lock.reacquire(), True)
    lock.release()
    fails(LockError, lock.release)
    equal(lock.acquire(), True)
    r.set("lock", "stolen")
    fails(LockError, lock.release)
    r.delete("lock")

    counter = {"n": 0, "inside": 0}

    def work():
        mine = connect()
        for _ in range(10):
            with mine.lock("mutex", timeout=30, sleep=0.002):
                counter["inside"] += 1
                assert counter["inside"] == 1, "two hold the lock"
                counter["n"] += 1
                counter["inside"] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(DEADLINE_SEC)
    equal(counter, {"n": 40, "inside": 0})


def pubsub(r):
    p = r.pubsub()
    p.subscribe("one", "two")
    p.psubscribe(**{"t*": None})
    equal([p.get_message(timeout=DEADLINE_SEC)["data"] for _ in range(3)], [1, 2, 3])
    equal(r.publish("two", "hello"), 2)
    got = [p.get_message(timeout=DEADLINE_SEC) for _ in range(2)]
    equal([(m["type"], m["pattern"], m["channel"], m["data"]) for m in got],
          [("message", None, b"two", b"hello"), ("pmessage", b"t*", b"two", b"hello")])
    equal(r.pubsub_channels(), [b"one", b"two"] if r.pubsub_channels()[0] == b"one" else [b"two", b"one"])
    equal(r.pubsub_numsub("one", "none"), [(b"one", 1), (b"none", 0)])
    equal(r.pubsub_numpat(), 1)
    p.ping("are you there")
    equal(p.get_message(timeout=DEADLINE_SEC)["data"], b"are you there")
    p.unsubscribe()
    p.punsubscribe()
    equal([p.get_message(timeout=DEADLINE_SEC)["type"] for _ in range(3)], ["unsubscribe", "unsubscribe", "punsubscribe"])
    p.close()

    # A thread runs handlers, in the order of the messages.
    got = []
    p = r.pubsub(ignore_subscribe_messages=True)
    p.subscribe(numbers=lambda m: got.append(int(m["data"])))
    thread = p.run_in_thread(sleep_time=0.01)
    until(lambda: r.pubsub_numsub("numbers") == [(b"numbers", 1)])
    for i in range(1000):
        r.publish("numbers", i)
    until(lambda: len(got) == 1000)
    equal(got, list(range(1000)))
    thread.stop()
    thread.join(DEADLINE_SEC)

    r.config_set("notify-keyspace-events", "KEA")
    p = r.pubsub(ignore_subscribe_messages=True)
    p.psubscribe("__key*__:*")
    p.get_message(timeout=DEADLINE_SEC)
    r.pipeline().lpush("nl", 1).lpop("nl").execute()
    got = []

    def collect():
        m = p.get_message(timeout=0.01)
        if m:
            got.append((m["channel"], m["data"]))
        return len(got) == 6

    until(collect)
    equal(got, [e for event in (b"lpush", b"lpop", b"del")
                for e in ((b"__keyspace@0__:nl", event), (b"__keyevent@0__:" + event, b"nl"))])
    r.config_set("notify-keyspace-events", "")
    p.close()


def streams(r):
    ids = [r.xadd("st", {"n": i}) for i in range(10)]
    equal(r.xlen("st"), 10)
    equal([e[1][b"n"] for e in r.xrevrange("st", count=3)], [b"9", b"8", b"7"])
    equal(r.xgroup_create("st", "g", id="0"), True)
    [[name, entries]] = r.xreadgroup("g", "alice", {"st": ">"}, count=5)
    equal((name, [e[0] for e in entries]), (b"st", ids[:5]))
    equal(r.xack("st", "g", *ids[:2]), 2)
    equal(r.xpending("st", "g")["pending"], 3)
    equal([e[0] for e in r.xclaim("st", "g", "bob", 0, ids[2:4])], ids[2:4])
    equal({c["name"]: c["pending"] for c in r.xinfo_consumers("st", "g")}, {b"alice": 1, b"bob": 2})
    equal(r.xread({"st": ids[8]}), [[b"st", [(ids[9], {b"n": b"9"})]]])
    r.xtrim("st", maxlen=2, approximate=False)
    equal(r.xlen("st"), 2)


def blocking(r):
    got = []
    thread = threading.Thread(target=lambda: got.append(connect().blpop(["q1", "q2"])))
    thread.start()
    until(lambda: any(c["cmd"] == "blpop" for c in r.client_list()))
    r.rpush("q2", "x")
    thread.join(DEADLINE_SEC)
    equal(got, [(b"q2", b"x")])


def main():
    r = connect()
    for part in (values, scans, pipelines, transactions, scripts, locks, pubsub, streams, blocking):
        begin = time.monotonic()
        part(r)
        print(f"ok {part.__name__} {1000 * (time.monotonic() - begin):.0f} ms", flush=True)


main()
