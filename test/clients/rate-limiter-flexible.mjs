// rate-limiter-flexible on ioredis and on node-redis.
import assert from 'node:assert/strict';
import Redis from 'ioredis';
import { BurstyRateLimiter, RateLimiterQueue, RateLimiterRedis, RateLimiterRes, RateLimiterUnion } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { host, main, port, sleep } from './harness.mjs';

const io = new Redis({ host, port, enableOfflineQueue: false, lazyConnect: true });
const node = createClient({ socket: { host, port } });
node.on('error', (err) => { throw err; });

const flavours = [
  { name: 'ioredis', storeClient: io },
  { name: 'node-redis', storeClient: node, useRedisPackage: true },
];

async function connect() {
  await io.connect();
  await node.connect();
}

// refused asserts that a consumption is refused, and returns why.
async function refused(promise) {
  const res = await promise.then(() => null, (err) => err);
  assert.ok(res instanceof RateLimiterRes, `not refused: ${res}`);
  return res;
}

async function points() {
  for (const { name, ...flavour } of flavours) {
    const limiter = new RateLimiterRedis({ ...flavour, keyPrefix: `points-${name}`, points: 5, duration: 300 });
    for (let i = 1; i <= 5; i++) {
      const res = await limiter.consume('ip');
      assert.equal(res.consumedPoints, i);
      assert.equal(res.remainingPoints, 5 - i);
      assert.equal(res.isFirstInDuration, i === 1);
      assert.ok(res.msBeforeNext > 0 && res.msBeforeNext <= 300_000);
    }
    const res = await refused(limiter.consume('ip'));
    assert.equal(res.consumedPoints, 6);
    assert.equal(res.remainingPoints, 0);
    assert.equal((await limiter.get('ip')).consumedPoints, 6);
    assert.equal(await limiter.get('nobody'), null);
    await limiter.reward('ip', 3);
    assert.equal((await limiter.get('ip')).consumedPoints, 3);
    await limiter.penalty('ip', 1);
    assert.equal((await limiter.consume('ip')).remainingPoints, 0);
    await limiter.block('ip', 200);
    const blocked = await refused(limiter.consume('ip'));
    assert.ok(blocked.msBeforeNext > 10_000 && blocked.msBeforeNext <= 200_000);
    assert.equal(await limiter.delete('ip'), true);
    assert.equal((await limiter.consume('ip', 5)).remainingPoints, 0);
    await limiter.set('ip', 2, 0); // for ever
    assert.equal((await limiter.get('ip')).msBeforeNext, -1);
  }
}

// parallel: however many ask at the same time, exactly as many as there are points get one.
async function parallel() {
  for (const { name, ...flavour } of flavours) {
    const limiter = new RateLimiterRedis({ ...flavour, keyPrefix: `parallel-${name}`, points: 100, duration: 600 });
    const all = await Promise.allSettled(Array.from({ length: 1000 }, (_, i) => limiter.consume(`key${i % 3}`)));
    assert.equal(all.filter((r) => r.status === 'fulfilled').length, 300);
    assert.ok(all.every((r) => r.status === 'fulfilled' || r.reason instanceof RateLimiterRes));
    const counts = all.filter((_, i) => i % 3 === 0).map((r) => (r.value ?? r.reason).consumedPoints).sort((a, b) => a - b);
    assert.deepEqual(counts, counts.map((_, i) => i + 1));
  }
}

// window: points come back when the duration has passed.
async function window() {
  for (const { name, ...flavour } of flavours) {
    const limiter = new RateLimiterRedis({ ...flavour, keyPrefix: `window-${name}`, points: 1, duration: 1 });
    // The machine may be so busy that the second comes when the duration has passed.
    let res = null;
    while (!(res instanceof RateLimiterRes)) res = await limiter.consume('k').then(() => null, (err) => err);
    await sleep(res.msBeforeNext + 20);
    assert.equal((await limiter.consume('k')).isFirstInDuration, true);
  }
}

async function combined() {
  const short = new RateLimiterRedis({ storeClient: io, keyPrefix: 'short', points: 2, duration: 200 });
  const long = new RateLimiterRedis({ storeClient: io, keyPrefix: 'long', points: 3, duration: 600 });
  const bursty = new BurstyRateLimiter(short, long);
  for (let i = 0; i < 5; i++) await bursty.consume('k'); // 2, then 3 of the burst
  await refused(bursty.consume('k'));

  const union = new RateLimiterUnion(
    new RateLimiterRedis({ storeClient: io, keyPrefix: 'u1', points: 1, duration: 200 }),
    new RateLimiterRedis({ storeClient: io, keyPrefix: 'u2', points: 9, duration: 200 }),
  );
  const res = await union.consume('k');
  assert.equal(res.u2.remainingPoints, 8);
  await assert.rejects(union.consume('k'));

  const script = `local n = redis.call('incrby', KEYS[1], ARGV[1])
    if n == tonumber(ARGV[1]) then redis.call('pexpire', KEYS[1], ARGV[2] * 1000) end
    return {n, redis.call('pttl', KEYS[1])}`;
  const custom = new RateLimiterRedis({ storeClient: io, keyPrefix: 'custom', points: 3, duration: 20, customIncrTtlLuaScript: script });
  assert.equal((await custom.consume('k', 2)).remainingPoints, 1);

  const queue = new RateLimiterQueue(new RateLimiterRedis({ storeClient: io, keyPrefix: 'queue', points: 5, duration: 1 }));
  const begin = Date.now();
  await Promise.all(Array.from({ length: 10 }, () => queue.removeTokens(1)));
  assert.ok(Date.now() - begin > 100, 'the second five waited');
}

await main([connect, points, parallel, window, combined]);
