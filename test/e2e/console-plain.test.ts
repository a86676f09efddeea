import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GetSamplingTargetsCommand, PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import type { Browser, Page } from 'playwright-core';
import { assertAccessible, openBrowser, openPage, skipWithoutBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { type RunningRaybridge, startRaybridge } from '../support/raybridge.ts';
import { openXrayClient } from '../support/xray-client.ts';

describe('the plain pages of the console', { skip: skipWithoutBrowser }, () => {
  let raybridge: RunningRaybridge;
  let browser: Browser;
  let page: Page;
  let address: string;
  let traceId: string;

  before(async () => {
    raybridge = await startRaybridge(await mkdtemp(join(tmpdir(), 'raybridge-plain-')));
    address = `http://${raybridge.addresses.api}`;
    traceId = await sendTrace(raybridge.addresses.api);
    browser = await openBrowser();
    page = await openPage(browser, address);
  });
  after(async () => {
    await browser?.close();
    await raybridge?.kill('SIGTERM');
    await rm(raybridge.dataDir, { recursive: true, force: true });
  });

  it('say how the X-Ray API would refuse a draft, and what one does that it takes', async () => {
    await page.goto(`${address}/sampling?select=*`);
    const rules = page.getByRole('table', { name: 'Preview by rule' });
    await rules.getByRole('row', { name: 'new-rule – → 1 – → 1 – → 1' }).waitFor();
    await page.getByLabel('Priority').fill('10000');
    await page.getByText('Priority: expected a whole number from 1 to 9999, got 10000').waitFor();
    await page.getByLabel('Priority').fill('5');
    await page.getByLabel('Attributes, a line each').fill('tier=tin');
    await rules.getByRole('row', { name: 'new-rule – → 0 – → 0 – → 0' }).waitFor();
    await page.getByLabel('Reservoir').fill('0');
    await page.getByLabel('Rate of the rest').fill('0');
    await page.getByLabel('Attributes, a line each').fill('tier=g*');
    const services = page.getByRole('table', { name: 'Preview by service' });
    await services.getByRole('row', { name: /^shop 1 \(1\/h\) 1 → 0 0 → 1 0 → 0 0 → 1 \$/ }).waitFor();
    await page.getByRole('button', { name: 'Show the AWS CLI command' }).click();
    await page.getByText(/^aws xray create-sampling-rule --sampling-rule '.*"Attributes":\{"tier":"g\*"\}/).waitFor();
  });

  it('say which members of which rules a trace did not match, at an address that says it again', async () => {
    await page.getByLabel('Name', { exact: true }).fill('gold');
    await page.getByLabel('Attributes, a line each').fill('tier=gold\nplan=free');
    await page.getByLabel('Boosted rate').fill('0.5');
    await page.getByLabel('Minutes between boosts').fill('10');
    await page.getByRole('button', { name: 'Create' }).click();
    await page
      .getByRole('table', { name: 'Sampling rules' })
      .getByText(/tier=gold plan=free/)
      .waitFor();
    await page.getByLabel('Trace id').fill(`caught ${traceId} in a log`);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.waitForURL(/trace=1-/);
    await page.reload();
    const why = page.getByRole('region', { name: 'Why this trace?' });
    await why.getByText('gold did not match: plan is not known, not free').waitFor();
    await why.getByText('Default matched and decided: 1 a second, and 5 % of the rest').waitFor();
    await why.getByText('Its segments say that it was sampled by old-rule.').waitFor();
    await page.getByLabel('Trace id').fill('nothing');
    await page.getByRole('button', { name: 'Ask' }).click();
    await why.getByRole('alert').getByText('That holds no trace id').waitFor();
  });

  it('show the last target that clients were given', async () => {
    const client = openXrayClient(raybridge.addresses.api);
    const counts = { RequestCount: 9, SampledCount: 2, BorrowCount: 1 };
    const report = { RuleName: 'Default', ClientID: '0f1e2d3c4b5a69788796a5b4', Timestamp: new Date(), ...counts };
    await client.send(new GetSamplingTargetsCommand({ SamplingStatisticsDocuments: [report] }));
    client.destroy();
    await page.goto(`${address}/sampling`);
    const row = page.getByRole('table', { name: 'Sampling rules' }).getByRole('row', { name: /^Default/ });
    await row.getByText(/^1\/s and 5 %, 1 client, /).waitFor();
    assert.match(await row.innerText(), /\b9\b/);
  });

  it('say what each listener, queue, exporter and store did, and what was rejected last, the newest first', async () => {
    for (const body of ['first', '"second"']) {
      const headers = { 'content-type': 'application/json' };
      await fetch(`http://${raybridge.addresses.otlpHttp}/v1/traces`, { method: 'POST', headers, body });
    }
    await page.goto(`${address}/pipelines`);
    const cards = (title: string) => page.getByRole('region', { name: title, exact: true }).getByRole('listitem');
    await cards('In').filter({ hasText: 'otlp' }).getByText('Rejected: BAD_INPUT').waitFor();
    await cards('In').filter({ hasText: 'xray_api' }).getByText('Accepted').waitFor();
    await cards('Out').filter({ hasText: 'traces>store' }).getByText('Batches waiting').waitFor();
    await cards('Store').getByText('Spans not searchable yet').waitFor();
    await cards('Other listeners').filter({ hasText: 'console' }).getByText(address.slice('http://'.length)).waitFor();
    const rejected = cards('Last rejected');
    assert.deepEqual(await rejected.locator('code').allInnerTexts(), ['"second"', 'first']);
  });

  it('say what a group would pick while it is typed, and keep its notifications when it is changed', async () => {
    await page.goto(`${address}/groups?select=*`);
    const picks = page.getByRole('status');
    await picks.getByText('It picks 1 trace of the last hour.').waitFor();
    await page.getByLabel('Filter expression').fill('fault AND');
    await picks.getByText(/^It would be refused: /).waitFor();
    await page.getByLabel('Filter expression').fill('error');
    await picks.getByText('It picks 0 traces of the last hour.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('errors');
    await page.getByLabel('Look for insights').check();
    await page.getByLabel('Log each change of an insight').check();
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('row', { name: /^errors error 0 looked for, and logged/ }).waitFor();
    await page.getByRole('button', { name: 'Change errors' }).click();
    await page.getByLabel('Filter expression').fill('fault');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /^errors fault 1 looked for, and logged/ }).waitFor();
    await page.getByRole('button', { name: 'Change Default' }).click();
    await page.getByLabel('Look for insights').uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /^Default every trace 1 off/ }).waitFor();
    await page.getByRole('button', { name: 'Change errors' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('row', { name: /^errors/ }).waitFor({ state: 'detached' });
  });

  it('lead from those who notice to the root cause of an insight, and show its impact', async () => {
    await openInsight(page, address);
    const path = page.getByRole('region', { name: 'Root cause path' }).getByRole('listitem');
    assert.deepEqual(await path.allInnerTexts(), ['Clients of shop', 'shop', 'stock root cause']);
    const impact = page.getByRole('region', { name: 'Impact', exact: true });
    await impact.getByRole('img', { name: /^stock, each minute; most faults at .*: 30 of 40 requests$/ }).waitFor();
    await impact.getByRole('button', { name: 'Show as table' }).press('Enter');
    await impact.getByRole('row', { name: /40 30 75 %$/ }).waitFor();
    await page.goto(`${address}/insights`);
    await page.getByText(/Groups with insights on: none\./).waitFor();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`have no serious fault for axe in ${colorScheme}`, async () => {
      const themed = await openPage(browser, address, { colorScheme });
      for (const [path, text] of [
        [`/sampling?select=*&trace=${traceId}`, /matched and decided/],
        ['/groups?select=*', /It picks/],
      ] as const) {
        await themed.goto(`${address}${path}`);
        await themed.getByText(text).first().waitFor();
        await assertAccessible(themed);
      }
      await openInsight(themed, address);
      await assertAccessible(themed);
      await themed.close();
    });
  }
});

/** A page of an insight that is made up: a real one takes minutes to be found. */
async function openInsight(page: Page, address: string): Promise<void> {
  const start = Math.floor(Date.now() / 60_000) * 60 - 600;
  const service = (Name: string, Type?: string) => ({ Name, Names: [Name], ...(Type ? { Type } : {}) });
  const impact = { FaultCount: 30, OkCount: 10, TotalCount: 40 };
  const statistics = { ClientRequestImpactStatistics: impact, RootCauseServiceRequestImpactStatistics: impact };
  const minute = (place: number, faults: number) => ({
    Timestamp: start + place * 60,
    ServiceSummaryStatistics: {
      OkCount: 40 - faults,
      ErrorStatistics: { ThrottleCount: 0, OtherCount: 0, TotalCount: 0 },
      FaultStatistics: { OtherCount: faults, TotalCount: faults },
      TotalCount: 40,
      TotalResponseTime: 4,
    },
  });
  const answer = {
    Insight: {
      InsightId: 'made-up',
      GroupName: 'Default',
      GroupARN: 'arn:aws:xray:us-east-1:000000000000:group/Default',
      Categories: ['FAULT'],
      State: 'ACTIVE',
      RootCauseServiceId: service('stock'),
      StartTime: start,
      Summary: 'stock fails',
      TopAnomalousServices: [],
      ...statistics,
    },
    InsightEvents: [{ Summary: 'stock fails', EventTime: start + 60, TopAnomalousServices: [], ...statistics }],
    ExpectedFaultRate: 0.05,
    ImpactServices: [
      { ReferenceId: 0, ...service('shop', 'client'), Edges: [{ ReferenceId: 1 }] },
      { ReferenceId: 1, ...service('shop'), Edges: [{ ReferenceId: 2 }] },
      { ReferenceId: 2, ...service('stock'), Edges: [] },
    ],
    Minutes: [minute(0, 0), minute(1, 0), minute(4, 30), minute(5, 20)],
  };
  await page.route('**/api/insights/made-up', (route) => route.fulfill({ json: answer }));
  await page.goto(`${address}/insights/made-up`);
  await page.getByRole('heading', { name: 'Root cause path' }).waitFor();
}

/** A trace with a fault and an annotation; resolves with its id when it can be searched for. */
async function sendTrace(api: string): Promise<string> {
  const now = Date.now() / 1000;
  const trace_id = `1-${Math.floor(now).toString(16)}-${'d'.repeat(24)}`;
  const document = {
    trace_id,
    id: '1'.repeat(16),
    name: 'shop',
    start_time: now - 1,
    end_time: now - 0.5,
    fault: true,
    annotations: { tier: 'gold' },
    aws: { xray: { sampling_rule_name: 'old-rule' } },
    http: { request: { method: 'GET', url: 'http://shop.example/cart' }, response: { status: 500 } },
  };
  const client = openXrayClient(api);
  await client.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(document)] }));
  client.destroy();
  return await eventually('the trace can be searched for', async () => {
    const range = `from=${Math.floor(now) - 60}&to=${Math.floor(now) + 60}`;
    const { TraceSummaries } = JSON.parse(await (await fetch(`http://${api}/api/traces?${range}`)).text());
    // An error while the store opens has none.
    return TraceSummaries?.[0]?.Id;
  });
}
