// What the programs share: they get the server's port as their argument, and end with status 0 if all that they
// assert is true.
import assert from 'node:assert/strict';

export const host = '127.0.0.1';
export const port = Number(process.argv[2]);
if (!port) {
  console.error(`usage: node ${process.argv[1]} PORT`);
  process.exit(2);
}

const deadlineMS = 280_000; // of a whole program, and so of whatever it waits for

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// until waits for a condition.
export async function until(what, condition) {
  for (;;) {
    if (await condition()) return;
    step = what;
    await sleep(5);
  }
}

let step = '';

// main runs the parts one after the other and ends the process.
export async function main(parts) {
  const timer = setTimeout(() => {
    console.error(`FAIL: not done after ${deadlineMS} ms, in ${step}`);
    process.exit(1);
  }, deadlineMS);
  for (const part of parts) {
    step = part.name;
    const begin = Date.now();
    try {
      await part();
    } catch (err) {
      console.error(`FAIL: ${part.name}:`, err);
      process.exit(1);
    }
    console.log(`ok ${part.name} ${Date.now() - begin} ms`);
  }
  clearTimeout(timer);
  process.exit(0);
}

// rejects asserts that a promise fails with a message that matches.
export async function rejects(promise, message) {
  await assert.rejects(promise, (err) => {
    assert.match(String(err?.message ?? err), message);
    return true;
  });
}
