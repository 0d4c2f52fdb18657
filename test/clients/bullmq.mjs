// BullMQ: a queue of 1,000 jobs with delays, retries, priorities; flows; rate limits; schedules.
import assert from 'node:assert/strict';
import { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import { host, main, port, sleep, until } from './harness.mjs';

const connection = { host, port, maxRetriesPerRequest: null };

// A job that waits is looked for at least so often by an idle worker (BullMQ's default is 5 s).
const impatient = { connection, drainDelay: 1, autorun: true };

const open = [];
function keep(thing) {
  thing.on('error', (err) => {
    console.error('FAIL: error event:', err);
    process.exit(1);
  });
  open.push(thing);
  return thing;
}
async function closeAll() {
  // Workers before what they use.
  for (const thing of open.reverse()) await thing.close();
  open.length = 0;
}

// thousandJobs: every job is done exactly once, after its delay, and tried as often as it should be.
async function thousandJobs() {
  const queue = keep(new Queue('thousand', { connection }));
  const jobs = [];
  for (let i = 0; i < 1000; i++) {
    const opts = {};
    if (i % 5 === 1) opts.delay = 50 + (i % 400);
    if (i % 5 === 2) Object.assign(opts, { attempts: 3, backoff: { type: 'exponential', delay: 20 } });
    if (i % 5 === 3) Object.assign(opts, { attempts: 2, backoff: { type: 'fixed', delay: 30 } });
    if (i % 5 === 4) opts.priority = 1 + (i % 50);
    jobs.push({ name: `kind${i % 5}`, data: { i, text: 'x'.repeat(i % 100) }, opts });
  }
  const tries = new Map();
  const succeeded = new Map();
  const worker = keep(new Worker('thousand', async (job) => {
    const { i } = job.data;
    assert.equal(job.data.text.length, i % 100);
    tries.set(i, (tries.get(i) ?? 0) + 1);
    if (i % 5 === 1) assert.ok(Date.now() >= job.timestamp + job.delay, `job ${i} is early`);
    if (i % 5 === 2 && job.attemptsMade < 2) throw new Error('not yet');
    if (i % 5 === 3) throw i % 2 ? new UnrecoverableError('never') : new Error('never');
    succeeded.set(i, (succeeded.get(i) ?? 0) + 1);
    return i * 2;
  }, { ...impatient, concurrency: 50 }));
  const added = [];
  for (let i = 0; i < jobs.length; i += 100) added.push(...await queue.addBulk(jobs.slice(i, i + 100)));
  assert.equal(new Set(added.map((job) => job.id)).size, 1000);
  await until('the thousand jobs', async () => {
    const counts = await queue.getJobCounts();
    return counts.completed + counts.failed === 1000;
  });
  const counts = await queue.getJobCounts();
  for (const state of ['waiting', 'active', 'delayed', 'prioritized', 'paused']) assert.equal(counts[state] ?? 0, 0, state);
  assert.equal(counts.completed, 800);
  assert.equal(counts.failed, 200);
  for (let i = 0; i < 1000; i++) {
    const [want, done] = [[1, 1], [1, 1], [3, 1], [i % 2 ? 1 : 2, undefined], [1, 1]][i % 5];
    assert.equal(tries.get(i), want, `tries of job ${i}`);
    assert.equal(succeeded.get(i), done, `successes of job ${i}`);
  }
  const done = await queue.getJob(added[7].id); // one that was tried three times
  assert.equal(done.attemptsMade, 3);
  assert.equal(done.returnvalue, 14);
  assert.equal(await done.getState(), 'completed');
  const failed = await queue.getFailed(0, 999);
  assert.equal(failed.length, 200);
  assert.ok(failed.every((job) => job.failedReason === 'never'));
  // Failed jobs are tried again.
  await queue.retryJobs({ count: 100 });
  await until('the retried jobs', async () => (await queue.getJobCounts('failed')).failed === 200);
  assert.equal(await queue.clean(0, 1000, 'completed').then((ids) => ids.length), 800);
  await worker.close();
  await queue.obliterate({ force: true });
  assert.equal(await (await queue.client).exists('bull:thousand:meta'), 0);
}

// priorities: one worker takes jobs by priority, and those of one priority in the order they came.
async function priorities() {
  const queue = keep(new Queue('priorities', { connection }));
  for (let i = 0; i < 100; i++) await queue.add('job', { i }, { priority: 1 + (i * 37) % 7 });
  await queue.add('first', { i: -1 }); // without a priority: before all others
  const counts = await queue.getCountsPerPriority([0, 1, 2]);
  assert.deepEqual(counts, { 0: 1, 1: 15, 2: 14 });
  const seen = [];
  keep(new Worker('priorities', async (job) => { seen.push([job.opts.priority ?? 0, job.data.i]); }, impatient));
  await until('jobs by priority', () => seen.length === 101);
  const sorted = [...seen].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.deepEqual(seen, sorted);
}

// flows: a parent waits for its children and sees what they returned.
async function flows() {
  const flow = keep(new FlowProducer({ connection }));
  const order = [];
  keep(new Worker('leaves', async (job) => { order.push(job.name); return job.data.n; }, { ...impatient, concurrency: 5 }));
  const sum = async (job) => {
    order.push(job.name);
    return Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0);
  };
  keep(new Worker('sums', sum, impatient));
  const events = keep(new QueueEvents('sums', { connection }));
  await events.waitUntilReady();
  const leaf = (branch, n) => ({ name: `leaf ${branch}.${n}`, queueName: 'leaves', data: { n: branch * 10 + n } });
  const tree = await flow.add({
    name: 'root', queueName: 'sums',
    children: [0, 1, 2, 3, 4].map((branch) => ({ name: `branch ${branch}`, queueName: 'sums', children: [0, 1, 2, 3].map((n) => leaf(branch, n)) })),
  });
  assert.equal(await tree.job.waitUntilFinished(events), 430);
  assert.equal(order.length, 26);
  assert.equal(order.at(-1), 'root');
  for (let branch = 0; branch < 5; branch++) {
    const at = order.indexOf(`branch ${branch}`);
    for (let n = 0; n < 4; n++) assert.ok(order.indexOf(`leaf ${branch}.${n}`) < at);
  }
  const { processed, unprocessed } = await tree.job.getDependencies();
  assert.equal(Object.keys(processed).length, 5);
  assert.equal(Object.keys(unprocessed ?? {}).length, 0);
  // A child that fails for good fails its parent.
  const failing = await flow.add({
    name: 'bad root', queueName: 'sums',
    children: [{ name: 'bad', queueName: 'failing', opts: { failParentOnFailure: true } }],
  });
  keep(new Worker('failing', async () => { throw new Error('no'); }, impatient));
  await assert.rejects(failing.job.waitUntilFinished(events), /failed/);
}

// rateLimit: no more jobs in any window than the limiter allows.
async function rateLimit() {
  const [max, duration] = [10, 150];
  const queue = keep(new Queue('limited', { connection }));
  await queue.addBulk(Array.from({ length: 50 }, (_, i) => ({ name: 'job', data: { i } })));
  const seen = [];
  const begin = Date.now();
  keep(new Worker('limited', async (job) => { seen.push(job.data.i); }, { ...impatient, concurrency: 20, limiter: { max, duration } }));
  await until('limited jobs', async () => (await queue.getCompletedCount()) === 50);
  assert.equal(new Set(seen).size, 50);
  assert.equal(seen.length, 50);
  // Windows are counted by the server: the fifth cannot begin before four have passed.
  assert.ok(Date.now() - begin >= 4 * (duration - 10), `50 jobs took ${Date.now() - begin} ms`);
}

// events: what happens to jobs is told in order through a stream.
async function events() {
  const queue = keep(new Queue('told', { connection }));
  const told = keep(new QueueEvents('told', { connection, lastEventId: '0-0' }));
  await told.waitUntilReady();
  const log = [];
  for (const name of ['added', 'active', 'progress', 'completed']) told.on(name, ({ jobId }) => log.push(`${name} ${jobId}`));
  keep(new Worker('told', async (job) => { await job.updateProgress(50); await job.log('half'); return 'done'; }, impatient));
  const job = await queue.add('one', {}, { jobId: 'a' });
  assert.equal(await job.waitUntilFinished(told), 'done');
  await until('four events', () => log.length === 4);
  assert.deepEqual(log, ['added a', 'active a', 'progress a', 'completed a']);
  assert.deepEqual((await queue.getJobLogs('a')).logs, ['half']);
  // A job of an id that is there is not added again.
  await queue.add('one', {}, { jobId: 'a' });
  assert.equal(await queue.getCompletedCount(), 1);
  // Deduplicated while the first waits.
  await queue.pause();
  const first = await queue.add('d', {}, { deduplication: { id: 'same' } });
  const second = await queue.add('d', {}, { deduplication: { id: 'same' } });
  assert.equal(first.id, second.id);
  await queue.resume();
  await until('the deduplicated job', async () => (await queue.getCompletedCount()) === 2);
}

// schedule: a job that repeats.
async function schedule() {
  const queue = keep(new Queue('schedule', { connection }));
  const times = [];
  keep(new Worker('schedule', async () => { times.push(Date.now()); }, impatient));
  await queue.upsertJobScheduler('ticker', { every: 100, limit: 4 }, { name: 'tick' });
  assert.equal((await queue.getJobSchedulers()).length, 1);
  await until('four ticks', () => times.length >= 4);
  await sleep(150); // a fifth would come now
  assert.equal(times.length, 4);
  await queue.removeJobScheduler('ticker');
  assert.equal((await queue.getJobSchedulers()).length, 0);
}

const closing = (part) => Object.defineProperty(async () => { await part(); await closeAll(); }, 'name', { value: part.name });
await main([thousandJobs, priorities, flows, rateLimit, events, schedule].map(closing));
