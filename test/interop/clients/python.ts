import { describe, it } from 'node:test';
import { lacking, type Python } from '../../support/programs.ts';
import type { Given } from './product.ts';
import { assertSegmentSdk } from './segment-sdks.ts';
import { consumerTrace, shopTrace } from './shop.ts';

/** Clients in Python: boto3 with its model of the API, and the X-Ray SDK. */
export function describePython(given: Given, python: Promise<Python | string>): void {
  describe('in Python', () => {
    it('boto3 calls every operation, pages to the end, and takes every answer', async (test) => {
      const prepared = await python;
      if (typeof prepared === 'string') return lacking(test, prepared);
      const at = given().now - 150;
      const traces = [shopTrace({ name: 'py', at, number: 1 }), consumerTrace({ name: 'py', at, number: 1 })];
      await prepared.run('boto3_calls.py', ['Parameters', 'Settings', 'Traces'], {
        RAYBRIDGE_API: `http://${given().api}`,
        TRACES: JSON.stringify(traces),
        AT: String(at),
      });
    });

    it('the X-Ray SDK sends by UDP, samples by our rules, and is read back', async (test) => {
      const prepared = await python;
      if (typeof prepared === 'string') return lacking(test, prepared);
      const run = (env: NodeJS.ProcessEnv): Promise<string> => prepared.run('xray_sdk_program.py', [], env);
      await assertSegmentSdk(given(), { service: 'py-legacy', run });
    });
  });
}
