import { setTimeout as wait } from 'node:timers/promises';
import { RaybridgeError } from '../../src/errors.ts';
import { openEngineStore, writesOf } from '../support/engine-store.ts';

/**
 * Writes what the seed says into the store of a directory, from one write on, and prints the number
 * of each that was taken; as delivery does, it repeats what failed. Raybridge, as far as this test
 * is concerned.
 */
const [directory = '', seed = '', first = '0'] = process.argv.slice(2);

const { store } = openEngineStore(directory);
await store.start();
const writes = await writesOf(Number(seed));
for (let number = Number(first); number < writes.length; number++) {
  const write = writes[number];
  if (!write) break;
  await untilTaken(() => store.write(write));
  process.stdout.write(`${number}\n`);
  // So that digests are made, and counted, while others come in.
  await wait(20);
}
process.stdout.write('done\n');

async function untilTaken(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof RaybridgeError && error.retryable)) throw error;
      await wait(50);
    }
  }
}
