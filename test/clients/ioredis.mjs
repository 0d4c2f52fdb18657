// ioredis: pipelines, transactions, scripts, pub/sub, streams, automatic pipelines; RESP2.
import assert from 'node:assert/strict';
import Redis from 'ioredis';
import { host, main, port, rejects, until } from './harness.mjs';

const client = (options) => {
  const c = new Redis({ host, port, ...options });
  c.on('error', (err) => { throw err; });
  return c;
};
const redis = client();

async function values() {
  assert.equal(await redis.set('k', 'v', 'EX', 100), 'OK');
  assert.equal(await redis.get('k'), 'v');
  assert.ok(await redis.ttl('k') > 50);
  const bytes = Buffer.from([0, 255, 13, 10, 0x80]);
  await redis.set(Buffer.from([0, 1]), bytes);
  assert.deepEqual(await redis.getBuffer(Buffer.from([0, 1])), bytes);
  await redis.hset('h', { a: 1, b: 'two' });
  await redis.hset('h', new Map([['c', 3]]));
  assert.deepEqual(await redis.hgetall('h'), { a: '1', b: 'two', c: '3' });
  await redis.mset({ m1: 1, m2: 2 });
  assert.deepEqual(await redis.mget('m1', 'nosuch', 'm2'), ['1', null, '2']);
  await redis.zadd('z', 1, 'a', 2.5, 'b', 'inf', 'c');
  assert.deepEqual(await redis.zrange('z', 0, -1, 'WITHSCORES'), ['a', '1', 'b', '2.5', 'c', 'inf']);
  await rejects(redis.incr('h'), /^WRONGTYPE /);
  await rejects(redis.call('nosuch', 'x'), /^ERR unknown command 'nosuch'/);
  for (let i = 0; i < 1000; i += 100) await redis.mset(...Array.from({ length: 100 }, (_, j) => [`scan:${i + j}`, j]).flat());
  const found = new Set();
  for await (const keys of redis.scanStream({ match: 'scan:*', count: 50 })) keys.forEach((key) => found.add(key));
  assert.equal(found.size, 1000);
}

async function pipelines() {
  const replies = await redis.pipeline().set('p', 1).incr('p').lpush('p', 'x').get('p').exec();
  assert.deepEqual(replies.map(([err]) => err?.message.slice(0, 9) ?? null), [null, null, 'WRONGTYPE', null]);
  assert.deepEqual(replies.map(([, value]) => value), ['OK', 2, undefined, '2']);
  const long = redis.pipeline();
  for (let i = 0; i < 10_000; i++) long.incrby('sum', i);
  const sums = await long.exec();
  assert.equal(sums.length, 10_000);
  assert.equal(sums.at(-1)[1], 49_995_000);
}

async function transactions() {
  const replies = await redis.multi().set('t', 'x').get('t').lpush('t', 1).strlen('t').exec();
  assert.deepEqual(replies.map(([err, value]) => err?.message.slice(0, 9) ?? value), ['OK', 'x', 'WRONGTYPE', 1]);
  await rejects(redis.multi().set('t', 'y').set('t').exec(), /^EXECABORT /);
  assert.equal(await redis.get('t'), 'x');

  const [one, two] = [client(), client()];
  await one.watch('w');
  await two.set('w', 'changed');
  assert.equal(await one.multi().set('w', 'mine').exec(), null);
  assert.equal(await one.get('w'), 'changed');
  await one.watch('w');
  assert.deepEqual(await one.multi().set('w', 'mine').exec(), [[null, 'OK']]);
  await one.watch('w');
  await two.set('w', 'again');
  await one.unwatch();
  assert.deepEqual(await one.multi().get('w').exec(), [[null, 'again']]);
  // Not in one piece, as by hand.
  await one.multi({ pipeline: false });
  assert.equal(await one.incr('n'), 'QUEUED');
  assert.equal(await one.discard(), 'OK');
  assert.equal(await one.get('n'), null);
  await rejects(one.exec(), /^ERR EXEC without MULTI/);

  // Compare and set, many at a time: none is lost.
  const clients = Array.from({ length: 8 }, () => client());
  await Promise.all(clients.map(async (c) => {
    for (let done = 0; done < 25;) {
      await c.watch('cas');
      const n = Number(await c.get('cas') ?? 0);
      if (await c.multi().set('cas', n + 1).exec()) done++;
    }
    c.disconnect();
  }));
  assert.equal(await redis.get('cas'), '200');
  one.disconnect();
  two.disconnect();
}

async function scripts() {
  redis.defineCommand('swapif', {
    numberOfKeys: 2,
    lua: `local a = redis.call('GET', KEYS[1])
      if a ~= ARGV[1] then return redis.error_reply('MISMATCH it is ' .. tostring(a)) end
      redis.call('SET', KEYS[1], redis.call('GET', KEYS[2]) or '')
      redis.call('SET', KEYS[2], a)
      return {KEYS[1], KEYS[2], #ARGV, 3.99, true, false}`,
  });
  await redis.mset('s1', 'one', 's2', 'two');
  assert.deepEqual(await redis.swapif('s1', 's2', 'one', 'x'), ['s1', 's2', 2, 3, 1, null]);
  assert.deepEqual(await redis.mget('s1', 's2'), ['two', 'one']);
  await rejects(redis.swapif('s1', 's2', 'one'), /^MISMATCH it is two/);
  assert.deepEqual(await redis.swapifBuffer('s1', 's2', 'two').then((a) => a[0]), Buffer.from('s1'));
  await redis.script('FLUSH'); // EVALSHA fails once, EVAL follows
  assert.equal((await redis.swapif('s1', 's2', 'one')).length, 6);
  const inPipeline = await redis.pipeline().swapif('s1', 's2', 'two').get('s1').exec();
  assert.equal(inPipeline[1][1], 'one');
  const inMulti = await redis.multi().swapif('s1', 's2', 'one').get('s1').exec();
  assert.equal(inMulti[1][1], 'two');

  const json = await redis.eval(`local t = cjson.decode(ARGV[1]); t.n = t.n + 1; t.list[#t.list + 1] = 'x'; return cjson.encode(t)`, 0, '{"n":1,"list":[1,2]}');
  assert.deepEqual(JSON.parse(json), { n: 2, list: [1, 2, 'x'] });
  const packed = await redis.evalBuffer(`return cmsgpack.pack({1, 'two', {a = 3}})`, 0);
  assert.deepEqual([...packed], [0x93, 1, 0xa3, 0x74, 0x77, 0x6f, 0x81, 0xa1, 0x61, 3]);
  const sha = await redis.script('LOAD', 'return ARGV[1]');
  assert.deepEqual(await redis.script('EXISTS', sha, 'ffffffffffffffffffffffffffffffffffffffff'), [1, 0]);
  assert.equal(await redis.evalsha(sha, 0, 'back'), 'back');
  await rejects(redis.evalsha('f'.repeat(40), 0), /^NOSCRIPT /);
  await rejects(redis.eval(`return redis.call('INCR', KEYS[1])`, 1, 'h'), /WRONGTYPE/);
  await rejects(redis.eval('return foo', 0), /nonexistent global variable 'foo'/);
  await rejects(redis.eval('this is not Lua', 0), /^ERR Error compiling script/);
  assert.equal(await redis.eval(`return redis.pcall('INCR', KEYS[1]).err:sub(1, 9)`, 1, 'h'), 'WRONGTYPE');

  const prefixed = client({ keyPrefix: 'pre:' });
  prefixed.defineCommand('put', { numberOfKeys: 1, lua: `return redis.call('SET', KEYS[1], ARGV[1])` });
  await prefixed.put('k', 'v');
  assert.equal(await redis.get('pre:k'), 'v');
  prefixed.disconnect();
}

async function pubsub() {
  const sub = client();
  const got = [];
  sub.on('message', (channel, message) => got.push([channel, message]));
  sub.on('pmessage', (pattern, channel, message) => got.push([pattern, channel, message]));
  assert.equal(await sub.subscribe('news', 'other'), 2);
  assert.equal(await sub.psubscribe('n?ws*'), 3);
  await rejects(sub.get('k'), /subscriber mode/);
  assert.deepEqual(await sub.ping(), ['pong', '']); // allowed, in a form of its own
  assert.equal(await redis.publish('news', 'one'), 2);
  await until('a message and a pattern message', () => got.length === 2);
  assert.deepEqual(got, [['news', 'one'], ['n?ws*', 'news', 'one']]);
  assert.equal(await sub.unsubscribe('news'), 2);
  assert.equal(await redis.publish('news', 'two'), 1);
  assert.deepEqual(await redis.pubsub('CHANNELS'), ['other']);
  assert.deepEqual(await redis.pubsub('NUMSUB', 'other', 'news'), ['other', 1, 'news', 0]);
  assert.equal(await redis.pubsub('NUMPAT'), 1);
  await until('the second message', () => got.length === 3);
  assert.equal(await sub.punsubscribe('n?ws*'), 1);
  assert.equal(await sub.unsubscribe('other'), 0);
  assert.equal(await sub.get('k'), 'v'); // an ordinary connection again

  // Messages of one publisher arrive in their order.
  const order = [];
  sub.removeAllListeners('message');
  sub.on('message', (_, message) => order.push(Number(message)));
  await sub.subscribe('order');
  const p = redis.pipeline();
  for (let i = 0; i < 5000; i++) p.publish('order', i);
  await p.exec();
  await until('5,000 messages', () => order.length === 5000);
  assert.ok(order.every((n, i) => n === i));

  // Binary channels and messages; a publication inside of a transaction and a script.
  const raw = [];
  sub.on('messageBuffer', (channel, message) => raw.push([channel, message]));
  await sub.subscribe(Buffer.from([0, 255]));
  await redis.publish(Buffer.from([0, 255]), Buffer.from([1, 254]));
  await redis.multi().publish(Buffer.from([0, 255]), 'm').exec();
  await redis.eval(`return redis.call('PUBLISH', KEYS[1], 's')`, 1, Buffer.from([0, 255]));
  await until('binary messages', () => raw.length === 3);
  assert.deepEqual(raw.map(([, m]) => [...m]), [[1, 254], [109], [115]]);
  assert.deepEqual([...raw[0][0]], [0, 255]);

  // Keyspace notifications.
  await redis.config('SET', 'notify-keyspace-events', 'Kx$g');
  const events = [];
  sub.on('pmessage', (_, channel, message) => events.push(`${channel} ${message}`));
  await sub.psubscribe('__keyspace@0__:note*');
  await redis.set('note', 1, 'PX', 1);
  await until('the key to expire', async () => (await redis.exists('note')) === 0);
  await until('the notifications', () => events.length === 3);
  assert.deepEqual(events, ['set', 'expire', 'expired'].map((e) => `__keyspace@0__:note ${e}`));
  await redis.config('SET', 'notify-keyspace-events', '');
  sub.disconnect();
}

async function streams() {
  const id = await redis.xadd('st', '*', 'n', 0);
  for (let i = 1; i < 10; i++) await redis.xadd('st', '*', 'n', i);
  assert.equal((await redis.xrange('st', '-', '+')).length, 10);
  await redis.xgroup('CREATE', 'st', 'g', '0');
  const [[name, entries]] = await redis.xreadgroup('GROUP', 'g', 'alice', 'COUNT', 4, 'STREAMS', 'st', '>');
  assert.equal(name, 'st');
  assert.deepEqual(entries.map(([, fields]) => fields), [0, 1, 2, 3].map((n) => ['n', String(n)]));
  assert.equal(await redis.xack('st', 'g', id, entries[1][0]), 2);
  assert.equal((await redis.xpending('st', 'g'))[0], 2);
  const claimed = await redis.xautoclaim('st', 'g', 'bob', 0, '-');
  assert.equal(claimed[1].length, 2);
  // A blocked reader gets what another connection adds.
  const reader = client();
  const waiting = reader.xread('BLOCK', 0, 'STREAMS', 'st2', '$');
  await until('the reader to block', async () => /cmd=xread/.test(await redis.client('LIST')));
  await redis.xadd('st2', '5-1', 'f', 'v');
  assert.deepEqual(await waiting, [['st2', [['5-1', ['f', 'v']]]]]);
  const popped = reader.blpop('empty1', 'empty2', 0);
  await until('the reader to block again', async () => /cmd=blpop/.test(await redis.client('LIST')));
  await redis.multi().rpush('empty2', 'b').rpush('empty1', 'a').exec();
  assert.deepEqual(await popped, ['empty2', 'b']); // the key that was first to get an element
  reader.disconnect();
}

async function automaticPipelines() {
  const auto = client({ enableAutoPipelining: true });
  const before = Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))[1]);
  const replies = await Promise.all(Array.from({ length: 1000 }, (_, i) => auto.incrby('auto', i)));
  assert.equal(replies.at(-1), 499_500);
  await auto.ping();
  const after = Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))[1]);
  assert.ok(after - before >= 1001);
  auto.disconnect();
}

await main([values, pipelines, transactions, scripts, pubsub, streams, automaticPipelines]);
