import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runProgram } from '../../support/programs.ts';
import { openXrayClient, readDocuments } from '../../support/xray-client.ts';
import type { Given } from './product.ts';
import { assertSegmentSdk } from './segment-sdks.ts';
import { shopTrace } from './shop.ts';

/** Clients in Go, which no distribution brings in a version new enough: where Go is not, they are not tested. */
export function describeGo(given: Given, programs: Promise<string | { readonly folder: string }>): void {
  describe('in Go', () => {
    it('the AWS SDK calls every operation, pages to the end, and decodes every answer', async (test) => {
      const prepared = await programs;
      if (typeof prepared === 'string') return test.skip(prepared);
      const at = given().now - 400;
      const { id, documents } = shopTrace({ name: 'go', at, number: 1 });
      const client = openXrayClient(given().api);
      const TraceSegmentDocuments = documents.map((document) => JSON.stringify(document));
      await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments }));
      await readDocuments(client, id, 2);
      client.destroy();
      const env = { RAYBRIDGE_API: `http://${given().api}`, AT: String(at), TRACE_ID: id };
      await runProgram(join(prepared.folder, 'api'), [], { env });
    });

    it('the X-Ray SDK sends by UDP, samples by our rules, and is read back', async (test) => {
      const prepared = await programs;
      if (typeof prepared === 'string') return test.skip(prepared);
      const run = (env: NodeJS.ProcessEnv): Promise<string> =>
        runProgram(join(prepared.folder, 'segments'), [], { env });
      await assertSegmentSdk(given(), { service: 'go-legacy', run });
    });
  });
}
