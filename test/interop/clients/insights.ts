import * as sdk from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { lacking, type Python } from '../../support/programs.ts';
import { openXrayClient } from '../../support/xray-client.ts';
import type { Given, Product } from './product.ts';
import { shopTrace } from './shop.ts';

/** Two shops in trouble, so that there are two insights when the next minute is over. */
const shops = ['trouble-a', 'trouble-b'];
const tracesEach = 10;
/** Raybridge looks once a minute, ten seconds after it. */
const insightMsMax = 100_000;

/** Early, because insights take up to a minute. */
export async function putTrouble({ api, now }: Product): Promise<void> {
  const traces = shops.flatMap((name) =>
    Array.from({ length: tracesEach }, (_, number) => shopTrace({ name, at: now - 70 - number / 10, number })),
  );
  const client = openXrayClient(api);
  const TraceSegmentDocuments = traces.flatMap(({ documents }) => documents.map((one) => JSON.stringify(one)));
  const { UnprocessedTraceSegments } = await client.send(new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments }));
  assert.deepEqual(UnprocessedTraceSegments, []);
  client.destroy();
}

/** Of these no client has a paginator in all languages; where there is a size of a page, each is tried. */
export function describeInsights(given: Given, python: Promise<Python | string>): void {
  describe('insights', () => {
    let client: sdk.XRayClient;
    let range: { readonly StartTime: Date; readonly EndTime: Date; readonly GroupName: string };
    let all: readonly sdk.InsightSummary[];

    before(async () => {
      client = openXrayClient(given().api);
      const { now } = given();
      range = { StartTime: new Date((now - 7200) * 1000), EndTime: new Date((now + 600) * 1000), GroupName: 'Default' };
      const endsAt = Date.now() + insightMsMax;
      do {
        all = await summaries({});
        if (all.length >= shops.length) return;
        await wait(500);
      } while (Date.now() < endsAt);
      assert.fail(`there are ${all.length} insights after ${insightMsMax} ms`);
    });
    after(() => client.destroy());

    async function summaries(
      more: Partial<sdk.GetInsightSummariesCommandInput>,
      pageSize?: number,
    ): Promise<readonly sdk.InsightSummary[]> {
      const found: sdk.InsightSummary[] = [];
      const paging = pageSize === undefined ? { client } : { client, pageSize };
      for await (const page of sdk.paginateGetInsightSummaries(paging, { ...range, ...more })) {
        found.push(...(page.InsightSummaries ?? []));
        if (pageSize !== undefined) assert.ok((page.InsightSummaries ?? []).length <= pageSize);
      }
      return found;
    }

    it('are listed by @aws-sdk/client-xray in pages of every size', async () => {
      for (const pageSize of [1, 2, 3, 50, 100]) assert.deepEqual(await summaries({}, pageSize), all);
      const active = await summaries({ States: ['ACTIVE'] });
      const closed = await summaries({ States: ['CLOSED'] });
      assert.equal(active.length + closed.length, all.length);
    });

    it('tell @aws-sdk/client-xray of the root cause, the events and the impact', async () => {
      for (const { InsightId, RootCauseServiceId, Summary } of all) {
        assert.match(RootCauseServiceId?.Name ?? '', /-price$/);
        const { Insight } = await client.send(new sdk.GetInsightCommand({ InsightId }));
        assert.equal(Insight?.Summary, Summary);
        assert.equal(Insight?.GroupName, 'Default');
        assert.equal(Insight?.RootCauseServiceRequestImpactStatistics?.FaultCount, tracesEach);
        const { InsightEvents = [] } = await client.send(new sdk.GetInsightEventsCommand({ InsightId }));
        assert.ok(InsightEvents.length > 0);
        for (const pageSize of [1, 2, 50]) {
          const events: sdk.InsightEvent[] = [];
          for await (const page of sdk.paginateGetInsightEvents({ client, pageSize }, { InsightId })) {
            events.push(...(page.InsightEvents ?? []));
          }
          assert.deepEqual(events, InsightEvents);
        }
        const { StartTime, EndTime } = range;
        const graph = await client.send(new sdk.GetInsightImpactGraphCommand({ InsightId, StartTime, EndTime }));
        assert.equal(graph.InsightId, InsightId);
        const references = new Set((graph.Services ?? []).map(({ ReferenceId }) => ReferenceId));
        assert.ok(references.size >= 2);
        for (const { Edges = [] } of graph.Services ?? [])
          for (const { ReferenceId } of Edges) assert.ok(references.has(ReferenceId));
      }
    });

    it('are read by boto3, page by page', async (test) => {
      const prepared = await python;
      if (typeof prepared === 'string') return lacking(test, prepared);
      await prepared.run('boto3_calls.py', ['Insights'], { RAYBRIDGE_API: `http://${given().api}` });
    });
  });
}
