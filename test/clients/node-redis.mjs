// redis (node-redis 5) in RESP3 and RESP2: transactions, scripts, functions, pub/sub, client-side caching.
import assert from 'node:assert/strict';
import { ClientClosedError, createClient, createClientPool, defineScript, WatchError } from 'redis';
import { host, main, port, rejects, until } from './harness.mjs';

const addUp = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: `return redis.call('INCRBY', KEYS[1], ARGV[1] + ARGV[2])`,
  parseCommand(parser, key, a, b) {
    parser.pushKey(key);
    parser.push(String(a), String(b));
  },
  transformReply: (reply) => reply,
});

const library = {
  shop: {
    sell: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser, key, n) {
        parser.pushKey(key);
        parser.push(String(n));
      },
      transformReply: (reply) => reply,
    },
    stock: {
      NUMBER_OF_KEYS: 1,
      IS_READ_ONLY: true,
      parseCommand(parser, key) { parser.pushKey(key); },
      transformReply: (reply) => reply,
    },
  },
};
const libraryCode = `#!lua name=shop
local function sell(keys, args)
  if tonumber(redis.call('GET', keys[1]) or 0) < tonumber(args[1]) then return redis.error_reply('SOLDOUT') end
  return redis.call('DECRBY', keys[1], args[1])
end
redis.register_function('sell', sell)
redis.register_function{function_name = 'stock', callback = function(keys) return redis.call('GET', keys[1]) end, flags = {'no-writes'}}
`;

async function connect(options) {
  const c = createClient({ socket: { host, port }, scripts: { addUp }, functions: library, ...options });
  c.on('error', (err) => { throw err; });
  return c.connect();
}

// both runs a part in RESP2 and in RESP3, each on its own keys.
const both = (part) => Object.defineProperty(async () => {
  for (const RESP of [2, 3]) {
    const redis = await connect({ RESP });
    await redis.flushAll();
    await part(redis, RESP);
    redis.destroy();
  }
}, 'name', { value: part.name });

async function values(redis, RESP) {
  assert.equal(await redis.set('k', 'v', { expiration: { type: 'EX', value: 100 } }), 'OK');
  assert.equal(await redis.get('k'), 'v');
  assert.equal(await redis.get('nosuch'), null);
  await redis.hSet('h', { a: '1', b: '2' });
  assert.deepEqual({ ...await redis.hGetAll('h') }, { a: '1', b: '2' });
  await redis.zAdd('z', [{ score: 1.5, value: 'a' }, { score: Infinity, value: 'b' }]);
  assert.deepEqual((await redis.zRangeWithScores('z', 0, -1)).map(({ value, score }) => [value, score]), [['a', 1.5], ['b', Infinity]]);
  assert.equal(await redis.incrByFloat('f', 1.25), '1.25');
  assert.equal((await redis.sendCommand(['HELLO'])) !== null, true);
  await redis.mSet(Array.from({ length: 500 }, (_, i) => [`s:${i}`, String(i)]));
  const found = new Set();
  for await (const keys of redis.scanIterator({ MATCH: 's:*', COUNT: 30 })) keys.forEach((key) => found.add(key));
  assert.equal(found.size, 500);
  const replies = await Promise.all(Array.from({ length: 1000 }, () => redis.incr('n'))); // one pipeline
  assert.deepEqual(replies, replies.map((_, i) => i + 1));
  await rejects(redis.lPush('k', 'x'), /^WRONGTYPE /);
  const raw = await redis.sendCommand(['CONFIG', 'GET', 'maxmemory']);
  if (RESP === 2) assert.deepEqual(raw, ['maxmemory', '0']);
}

async function transactions(redis) {
  const replies = await redis.multi().set('t', 'x').get('t').incr('c').hSet('h', 'f', 'v').hGetAll('h').exec();
  assert.deepEqual(replies.slice(0, 4), ['OK', 'x', 1, 1]);
  assert.deepEqual({ ...replies[4] }, { f: 'v' });
  const mixed = await redis.multi().set('t', 'x').lPush('t', 'y').get('t').exec().catch((err) => err);
  assert.equal(mixed.replies[2], 'x');
  assert.match(mixed.replies[1].message, /^WRONGTYPE /);
  await assert.rejects(redis.multi().addCommand(['SET', 'onlykey']).exec());

  const other = redis.duplicate();
  await other.connect();
  await redis.watch(['w', 'w2']);
  await other.set('w2', '1');
  await assert.rejects(redis.multi().set('w', 'mine').exec(), WatchError);
  assert.equal(await redis.get('w'), null);
  await redis.watch('w');
  await other.flushDb(); // touches no watched key: w is not there
  assert.deepEqual(await redis.multi().set('w', 'mine').exec(), ['OK']);
  other.destroy();

  const pool = await createClientPool({ socket: { host, port } }, { minimum: 1, maximum: 8 }).connect();
  await Promise.all(Array.from({ length: 8 }, () => pool.execute(async (c) => {
    for (let done = 0; done < 20;) {
      await c.watch('cas');
      const n = Number(await c.get('cas') ?? 0);
      try {
        await c.multi().set('cas', String(n + 1)).exec();
        done++;
      } catch (err) {
        assert.ok(err instanceof WatchError, err);
      }
    }
  })));
  assert.equal(await redis.get('cas'), '160');
  await pool.close();
}

async function scripts(redis, RESP) {
  assert.equal(await redis.addUp('sum', 2, 3), 5);
  await redis.scriptFlush();
  assert.equal(await redis.addUp('sum', 2, 3), 10);
  assert.deepEqual(await redis.multi().addUp('sum', 1, 1).get('sum').exec(), [12, '12']);
  assert.equal(await redis.eval('return {KEYS[1], ARGV[1]}', { keys: ['a'], arguments: ['b'] }).then((r) => r.join()), 'a,b');
  const typed = await redis.eval(`redis.setresp(3); return {double = 1.5}`);
  assert.equal(typed, RESP === 3 ? 1.5 : '1.5');
  assert.equal(await redis.eval(`redis.setresp(3); return true`), RESP === 3 ? true : 1);
  const sha = await redis.scriptLoad('return 1');
  assert.deepEqual(await redis.scriptExists([sha, 'f'.repeat(40)]), [1, 0]);
  await rejects(redis.evalRo(`return redis.call('SET', KEYS[1], 'x')`, { keys: ['k'] }), /Write commands are not allowed from read-only scripts/);
}

async function functions(redis) {
  assert.equal(await redis.functionLoad(libraryCode, { REPLACE: true }), 'shop');
  await redis.set('apples', '10');
  assert.equal(await redis.shop.sell('apples', 3), 7);
  assert.equal(await redis.shop.stock('apples'), '7');
  await rejects(redis.shop.sell('apples', 8), /SOLDOUT/);
  await rejects(redis.fCallRo('sell', { keys: ['apples'], arguments: ['1'] }), /Can not execute a script with write flag using \*_ro command/);
  await rejects(redis.functionLoad(libraryCode), /Library 'shop' already exists/);
  const [info] = await redis.functionList();
  assert.equal(info.library_name, 'shop');
  assert.deepEqual(info.functions.map((f) => f.name).sort(), ['sell', 'stock']);
  const dump = await redis.withTypeMapping({ 36: Buffer }).functionDump(); // 36: bulk strings
  await redis.functionFlush();
  await rejects(redis.shop.stock('apples'), /Function not found/);
  assert.equal(await redis.functionRestore(dump), 'OK');
  assert.equal(await redis.shop.stock('apples'), '7');
  const stats = await redis.functionStats();
  assert.equal(stats.running_script, null);
  assert.equal(await redis.functionDelete('shop'), 'OK');
}

async function pubsub(redis, RESP) {
  const sub = await connect({ RESP });
  const got = [];
  await sub.subscribe('news', (message, channel) => got.push([channel, message]));
  await sub.pSubscribe('n*', (message, channel) => got.push(['n*', channel, message]));
  await sub.sSubscribe('shard', (message, channel) => got.push(['shard', channel, message]));
  if (RESP === 3) assert.equal(await sub.get('nosuch'), null); // commands still work
  assert.equal(await redis.publish('news', 'one'), 2);
  assert.equal(await redis.sPublish('shard', 'two'), 1);
  await until('three messages', () => got.length === 3);
  assert.deepEqual(got, [['news', 'one'], ['n*', 'news', 'one'], ['shard', 'shard', 'two']]);
  assert.deepEqual(await redis.pubSubChannels(), ['news']);
  assert.deepEqual(await redis.pubSubShardChannels(), ['shard']);
  assert.deepEqual({ ...await redis.pubSubNumSub(['news', 'none']) }, { news: 1, none: 0 });
  assert.equal(await redis.pubSubNumPat(), 1);
  await sub.unsubscribe('news');
  await sub.pUnsubscribe();
  await sub.sUnsubscribe();
  assert.equal(await redis.publish('news', 'nobody'), 0);
  assert.equal(String(await sub.ping()), 'PONG'); // in RESP2 it comes as bytes
  const order = [];
  await sub.subscribe('order', (message) => order.push(Number(message)));
  await Promise.all(Array.from({ length: 2000 }, (_, i) => redis.publish('order', String(i))));
  await until('2,000 messages', () => order.length === 2000);
  assert.ok(order.every((n, i) => n === i));
  sub.destroy();
}

// caching: what was read is answered from the client's memory until someone changes it.
async function caching() {
  const writer = await connect({ RESP: 3 });
  await writer.flushAll();
  const cached = await connect({ RESP: 3, clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' } });
  const stats = () => cached.clientSideCache.stats();
  await writer.set('k', 'one');
  assert.equal(await cached.get('k'), 'one');
  assert.equal(await cached.get('k'), 'one');
  assert.equal(stats().hitCount, 1);
  assert.equal(stats().missCount, 1);
  await writer.set('k', 'two');
  await until('the invalidation', async () => (await cached.get('k')) === 'two');
  const hits = stats().hitCount;
  for (let i = 0; i < 100; i++) assert.equal(await cached.get('k'), 'two');
  assert.equal(stats().hitCount, hits + 100);

  await writer.hSet('h', 'f', '1');
  assert.equal(await cached.hGet('h', 'f'), '1');
  for (const change of [
    () => writer.hSet('h', 'f', '2'),
    () => writer.multi().hSet('h', 'f', '3').exec(),
    () => writer.eval(`return redis.call('HSET', KEYS[1], 'f', '4')`, { keys: ['h'] }),
    () => writer.del('h'),
  ]) {
    await change();
    const want = await writer.hGet('h', 'f');
    await until('the next invalidation', async () => (await cached.hGet('h', 'f')) === want);
  }
  await cached.get('k');
  await writer.set('k', 'soon gone', { expiration: { type: 'PX', value: 30 } });
  await until('the invalidation of what is set to expire', async () => (await cached.get('k')) !== 'two');
  await until('the key to expire', async () => (await cached.get('k')) === null);
  await writer.set('k', 'three');
  await until('the invalidation of a null', async () => (await cached.get('k')) === 'three');
  await writer.flushAll();
  await until('the invalidation of everything', async () => (await cached.get('k')) === null);
  cached.destroy();
  await assert.rejects(cached.get('k'), ClientClosedError);
  writer.destroy();
}

await main([...[values, transactions, scripts, functions, pubsub].map(both), caching]);
