import type { XRayClient } from '@aws-sdk/client-xray';
import { xrayApi } from '../../src/extensions/xray_api/index.ts';
import { createSamplingService } from '../../src/pipeline/sampling-service.ts';
import { createTestContext, createTestIntake } from './context.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import { openXrayClient } from './xray-client.ts';

/** The X-Ray API over a store in memory, and the AWS SDK as its client. */
export interface TestXrayApi {
  readonly client: XRayClient;
  readonly store: MemoryStore;
  /** Moves the clock, which stands still otherwise. */
  pass(seconds: number): void;
  close(): Promise<void>;
}

/** The clock of the API at its start, in epoch seconds. */
export const testNow = 1_700_000_000;

export async function openTestXrayApi(): Promise<TestXrayApi> {
  const store = createMemoryStore();
  let nowNs = BigInt(testNow) * 1_000_000_000n;
  const test = createTestContext('xray_api', createSamplingService({ store: () => store, nowNs: () => nowNs }));
  const extension = xrayApi.create({
    config: xrayApi.configSchema.parse({ endpoint: '127.0.0.1:0' }),
    context: { ...test.context, nowNs: () => nowNs, store: () => store },
    intake: createTestIntake(),
  });
  await extension.start();
  await test.http.listen();
  const client = openXrayClient(test.address('X-Ray API'));
  return {
    client,
    store,
    pass(seconds) {
      nowNs += BigInt(seconds) * 1_000_000_000n;
    },
    async close() {
      client.destroy();
      await test.http.close(closeDeadlineMs);
    },
  };
}

const closeDeadlineMs = 2_000;

/** What `assert.rejects` asks of an error of the AWS SDK. */
export function awsError(name: string, message: string | RegExp, more: object = {}): object {
  return { name, message, ...more };
}
