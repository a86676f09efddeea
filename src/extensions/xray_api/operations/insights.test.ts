import {
  GetInsightCommand,
  GetInsightEventsCommand,
  GetInsightImpactGraphCommand,
  GetInsightSummariesCommand,
  type XRayClient,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTestContext, createTestIntake, type TestContext } from '../../../../test/support/context.ts';
import { sendHttp } from '../../../../test/support/http.ts';
import { createMemoryStore, type MemoryStore } from '../../../../test/support/memory-store.ts';
import { type Broken, orderAt } from '../../../../test/support/orders.ts';
import { openXrayClient } from '../../../../test/support/xray-client.ts';
import { RaybridgeError } from '../../../errors.ts';
import type { Component, Context } from '../../../pipeline/component.ts';
import {
  createGroupRegistry,
  createInsightWatcher,
  type GroupRegistry,
  type InsightDocuments,
  type InsightWatcher,
  openInsightDocuments,
} from '../../../reader/index.ts';
import { xrayApi } from '../index.ts';

const closeDeadlineMs = 2_000;
const second = 1_000_000_000n;
/** A full minute: the first one with traffic. */
const start = 1_699_999_980;
const everyone = { name: 'Default', arn: undefined };
const wishNothing = { filterExpression: undefined, insightsEnabled: undefined, notificationsEnabled: undefined };
const defaultArn = 'arn:aws:xray:local:000000000000:group/Default';
const { signal } = new AbortController();

describe('insights of the X-Ray API', () => {
  let test: TestContext;
  let store: MemoryStore;
  let api: Component;
  let client: XRayClient;
  let watcher: InsightWatcher;
  let insights: InsightDocuments;
  let groups: GroupRegistry;
  /** The clock, in epoch seconds. */
  let now: number;
  let context: Context;

  beforeEach(async () => {
    test = createTestContext('xray_api');
    store = createMemoryStore();
    now = start;
    context = { ...test.context, store: () => store, nowNs: () => BigInt(now) * second };
    insights = openInsightDocuments({ store, nowNs: context.nowNs });
    groups = createGroupRegistry({ store, nowNs: context.nowNs });
    watcher = openWatcher();
    api = xrayApi.create({
      config: xrayApi.configSchema.parse({ endpoint: '127.0.0.1:0', find_insights: false }),
      context,
      intake: createTestIntake(),
    });
    await api.start();
    await test.http.listen();
    client = openXrayClient(test.address('X-Ray API'));
  });

  afterEach(async () => {
    client.destroy();
    await api.shutdown(closeDeadlineMs);
    await test.http.close(closeDeadlineMs);
  });

  const openWatcher = () => createInsightWatcher({ ...context, store, insights, groups });

  /** Orders of the next minutes, six each; the minutes are looked at when they are over. */
  async function shop(minutes: number, broken: Broken = 'nothing'): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      const spans = Array.from({ length: 6 }, (_, order) => orderAt(now + order * 10, broken)).flat();
      await store.write({ spans, receivedAtNs: context.nowNs(), version: BigInt(now), token: String(now) });
      now += 60;
      await look();
    }
  }

  async function look(): Promise<void> {
    now += 10;
    await watcher.evaluate(signal);
    now -= 10;
  }

  /** What was logged since the listener was opened. */
  const told = () => test.log.entries.slice(1);

  const range = () => ({ StartTime: new Date((now - 3600) * 1000), EndTime: new Date(now * 1000) });

  const summaries = async (members: object = {}) =>
    await client.send(new GetInsightSummariesCommand({ ...range(), GroupName: 'Default', ...members }));

  it('tell of a broken table while it is broken, and when it is over', async () => {
    await shop(10);
    assert.deepEqual((await summaries()).InsightSummaries, []);

    await shop(3, 'table');
    const { InsightSummaries: [active] = [], NextToken } = await summaries({ States: ['ACTIVE'] });
    assert.equal(NextToken, undefined);
    const { InsightId, Summary, LastUpdateTime, ...rest } = active ?? {};
    assert.match(String(Summary), /^More requests than usual end in a fault\. /);
    assert.deepEqual(LastUpdateTime, new Date(now * 1000));
    const table = { Name: 'prices', Names: ['prices'], Type: 'AWS::DynamoDB::Table' };
    assert.deepEqual(rest, {
      GroupARN: defaultArn,
      GroupName: 'Default',
      RootCauseServiceId: table,
      Categories: ['FAULT'],
      State: 'ACTIVE',
      StartTime: new Date((start + 600) * 1000),
      ClientRequestImpactStatistics: { FaultCount: 0, OkCount: 18, TotalCount: 18 },
      RootCauseServiceRequestImpactStatistics: { FaultCount: 18, OkCount: 0, TotalCount: 18 },
      TopAnomalousServices: [{ ServiceId: table }],
    });

    await shop(6);
    assert.deepEqual((await summaries({ States: ['ACTIVE'] })).InsightSummaries, []);
    const { Insight } = await client.send(new GetInsightCommand({ InsightId }));
    assert.equal(Insight?.State, 'CLOSED');
    assert.deepEqual(Insight?.EndTime, new Date((start + 780) * 1000));
    assert.match(String(Insight?.Summary?.split('.')[1]), /18 of 18 requests to the root cause service/);

    const { InsightEvents = [] } = await client.send(new GetInsightEventsCommand({ InsightId }));
    assert.deepEqual(
      InsightEvents.map(({ Summary: text = '', EventTime }) => [text.split('.')[0], EventTime?.getTime()]),
      [
        ['More requests than usual began to end in a fault', (start + 720) * 1000],
        ['The fault rate is back to what is usual', (start + 1080) * 1000],
      ],
    );
    assert.deepEqual(InsightEvents[0]?.TopAnomalousServices, [{ ServiceId: table }]);
  });

  it('name the farthest downstream when everything above it fails, and draw the way there', async () => {
    await shop(10);
    await shop(3, 'price');
    const { InsightSummaries: [insight] = [] } = await summaries();
    assert.equal(insight?.RootCauseServiceId?.Name, 'price');
    assert.deepEqual(insight?.TopAnomalousServices?.map(({ ServiceId }) => ServiceId?.Name).toSorted(), [
      'price',
      'shop',
    ]);
    assert.deepEqual(insight?.ClientRequestImpactStatistics, { FaultCount: 18, OkCount: 0, TotalCount: 18 });

    const graph = await client.send(new GetInsightImpactGraphCommand({ InsightId: insight?.InsightId, ...range() }));
    assert.equal(graph.InsightId, insight?.InsightId);
    assert.deepEqual(graph.ServiceGraphEndTime, range().EndTime);
    const { Services = [] } = graph;
    assert.deepEqual(
      Services.map(({ Name, Type, Edges = [] }) => [
        `${Name} ${Type}`,
        Edges.map(({ ReferenceId }) => Services.find((one) => one.ReferenceId === ReferenceId)?.Type),
      ]),
      [
        ['shop client', ['AWS::ECS::EC2']],
        ['shop AWS::ECS::EC2', ['AWS::Lambda::Function']],
        ['price AWS::Lambda::Function', []],
      ],
    );
  });

  it('come in pages', async () => {
    for (let fault = 0; fault < 3; fault += 1) {
      await shop(7);
      await shop(3, 'table');
    }
    await shop(6);
    const starts: unknown[] = [];
    let token: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof summaries>> = await summaries({ MaxResults: 2, NextToken: token });
      starts.push(...(page.InsightSummaries ?? []).map(({ StartTime }) => Number(StartTime) / 1000 - start));
      token = page.NextToken;
    } while (token);
    assert.deepEqual(starts, [1620, 1020, 420]);

    const { NextToken } = await summaries({ MaxResults: 2 });
    await assert.rejects(summaries({ NextToken, States: ['CLOSED'] }), { name: 'InvalidRequestException' });

    const InsightId = (await summaries()).InsightSummaries?.[0]?.InsightId;
    const first = await client.send(new GetInsightEventsCommand({ InsightId, MaxResults: 1 }));
    const rest = await client.send(new GetInsightEventsCommand({ InsightId, NextToken: first.NextToken }));
    assert.deepEqual([first.InsightEvents?.length, rest.InsightEvents?.length], [1, 1]);
    assert.equal(rest.NextToken, undefined);
    await assert.rejects(client.send(new GetInsightEventsCommand({ InsightId, NextToken })), {
      name: 'InvalidRequestException',
    });
  });

  it('are those that were active in the range', async () => {
    await shop(10);
    await shop(3, 'table');
    await shop(6);
    const within = async (from: number, to: number) =>
      (await summaries({ StartTime: new Date((start + from) * 1000), EndTime: new Date((start + to) * 1000) }))
        .InsightSummaries?.length;
    assert.deepEqual(
      [await within(0, 600), await within(0, 601), await within(779, 900), await within(780, 900)],
      [0, 1, 1, 0],
    );
  });

  it('are found in the traces of a group only', async () => {
    const wish = { filterExpression: undefined, insightsEnabled: true, notificationsEnabled: true };
    const create = (name: string, more: object) => groups.create({ name, wish: { ...wish, ...more }, tags: new Map() });
    await create('nowhere', { filterExpression: 'service("nowhere")' });
    await create('off', { insightsEnabled: false, notificationsEnabled: false });
    const unreadable = { ...wish, arn: 'arn:unreadable', filterExpression: 'no filter' };
    await store.writeState({ kind: 'group', key: 'unreadable', value: JSON.stringify(unreadable) });
    await shop(6);
    await shop(3, 'table');
    const found = await insights.list();
    assert.deepEqual(
      found.map(({ groupName }) => groupName),
      ['Default'],
    );
    assert.equal(test.value('raybridge_insight_events_total', { change: 'opened' }), 1);
    assert.deepEqual(told(), []);
  });

  it('are logged where the group wants to be notified', async () => {
    await groups.update(everyone, { ...wishNothing, notificationsEnabled: true });
    await shop(6);
    await shop(3, 'table');
    const [entry] = told();
    assert.equal(entry?.level, 'info');
    assert.match(String(entry?.message), /^More requests than usual began to end in a fault\. /);
  });

  it('are closed when their group turns them off', async () => {
    await shop(6);
    await shop(3, 'table');
    await groups.update(everyone, { ...wishNothing, insightsEnabled: false });
    now += 60;
    await look();
    const { InsightSummaries: [insight] = [] } = await summaries();
    assert.equal(insight?.State, 'CLOSED');
    assert.match(String(insight?.Summary), /^Insights of the group were turned off\. /);
    assert.deepEqual((await store.readState('insight_watch')).size, 0);
  });

  it('go on after a restart, and make up for the minutes that were missed', async () => {
    await shop(10);
    await shop(2, 'table');
    const before = (await summaries()).InsightSummaries?.[0];
    const missed = openWatcher();
    watcher = { evaluate: async () => {} };
    await shop(2, 'table');
    await shop(8);
    watcher = missed;
    await look();
    const { InsightSummaries: all = [] } = await summaries();
    assert.deepEqual(
      all.map(({ InsightId, State }) => [InsightId, State]),
      [[before?.InsightId, 'CLOSED']],
    );
    assert.deepEqual(all[0]?.EndTime, new Date((start + 840) * 1000));
    assert.equal(all[0]?.RootCauseServiceRequestImpactStatistics?.FaultCount, 24);
  });

  it('are found in what was there before the first look', async () => {
    const looking = watcher;
    watcher = { evaluate: async () => {} };
    await shop(10);
    await shop(5, 'table');
    await shop(7);
    watcher = looking;
    await look();
    const { InsightSummaries: all = [] } = await summaries();
    assert.deepEqual(
      all.map(({ State }) => State),
      ['CLOSED'],
    );
  });

  it('are left to the next look when the store is away', async () => {
    await shop(6);
    store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'the store is starting'));
    now += 60;
    await assert.rejects(look(), { code: 'STORE_UNAVAILABLE' });
    store.failWith(undefined);
    await shop(2, 'table');
    assert.equal((await summaries({ States: ['ACTIVE'] })).InsightSummaries?.length, 1);
  });

  it('are found in one group while another is too much for the store', async () => {
    const wish = { filterExpression: 'service("shop")', insightsEnabled: true, notificationsEnabled: undefined };
    await groups.create({ name: 'A', wish, tags: new Map() });
    await shop(6);
    const { graphs } = store;
    const failing: MemoryStore = Object.assign(Object.create(store), {
      graphs: async (query: Parameters<typeof graphs>[0]) => {
        if (query.filter) throw new RaybridgeError('STORE_FAILED', 'the memory limit was exceeded');
        return await graphs(query);
      },
    });
    const struggling = createInsightWatcher({ ...context, store: failing, insights, groups });
    watcher = { evaluate: (given) => assert.rejects(struggling.evaluate(given), { code: 'STORE_FAILED' }) };
    await shop(3, 'table');
    assert.equal((await summaries({ States: ['ACTIVE'] })).InsightSummaries?.length, 1);
  });

  it('begin anew where the store holds what this version cannot read', async () => {
    await shop(6);
    await shop(3, 'table');
    await store.writeState({ kind: 'insight_watch', key: defaultArn, value: '{"minute":"?"}' });
    watcher = openWatcher();
    await shop(1, 'table');
    assert.equal(told()[0]?.level, 'warn');
    assert.equal((await summaries({ States: ['ACTIVE'] })).InsightSummaries?.length, 1);
  });

  it('are forgotten after 30 days', async () => {
    await shop(6);
    await shop(3, 'table');
    await shop(5);
    now += 29 * 86_400;
    await look();
    assert.equal((await store.readState('insight')).size, 1);
    now += 2 * 86_400;
    await look();
    assert.equal((await store.readState('insight')).size, 0);
  });

  const id = '2f4c1d7e-0b6a-4c55-9a3e-51f0a7f4f1d2';
  const minutes = { StartTime: start - 60, EndTime: start };
  for (const [what, path, members, message] of [
    ['no group', '/InsightSummaries', minutes, 'GroupName: expected it or GroupARN, got neither'],
    ['an unknown group', '/InsightSummaries', { ...minutes, GroupName: 'x' }, 'GroupName: there is no group "x"'],
    [
      'two states',
      '/InsightSummaries',
      { ...minutes, GroupName: 'Default', States: ['ACTIVE', 'CLOSED'] },
      'States: expected at most 1 entries, got 2',
    ],
    [
      'a state that is none',
      '/InsightSummaries',
      { ...minutes, GroupName: 'Default', States: ['OPEN'] },
      'States[0]: expected ACTIVE or CLOSED, got "OPEN"',
    ],
    [
      'a page of no results',
      '/InsightSummaries',
      { ...minutes, GroupName: 'Default', MaxResults: 0 },
      'MaxResults: expected a whole number from 1 to 100, got 0',
    ],
    [
      'a time of long ago',
      '/InsightSummaries',
      { GroupName: 'Default', StartTime: start - 31 * 86_400, EndTime: start },
      'StartTime: expected a time at most 30 days ago',
    ],
    [
      'no range',
      '/InsightSummaries',
      { GroupName: 'Default' },
      'StartTime: expected a time in epoch seconds, got nothing',
    ],
    ['an id that is none', '/Insight', { InsightId: 'x' }, 'InsightId: expected a UUID'],
    ['no id', '/Insight', {}, 'InsightId: expected it, got nothing'],
    ['an unknown insight', '/Insight', { InsightId: id.toUpperCase() }, `InsightId: there is no insight ${id}`],
    ['an unknown insight', '/InsightEvents', { InsightId: id }, `InsightId: there is no insight ${id}`],
    [
      'a page of too many events',
      '/InsightEvents',
      { InsightId: id, MaxResults: 51 },
      'MaxResults: expected a whole number from 1 to 50, got 51',
    ],
    [
      'an unknown insight',
      '/InsightImpactGraph',
      { ...minutes, InsightId: id },
      `InsightId: there is no insight ${id}`,
    ],
    [
      'a long range',
      '/InsightImpactGraph',
      { InsightId: id, StartTime: start - 6 * 3600 - 1, EndTime: start },
      'EndTime: expected a time at most 6 hours after StartTime',
    ],
  ] as const) {
    it(`refuse ${what} at ${path}`, async () => {
      const body = JSON.stringify(members);
      const answer = await sendHttp(test.address('X-Ray API'), { method: 'POST', path, body });
      assert.equal(answer.status, 400);
      const { __type, message: text } = JSON.parse(answer.body.toString());
      assert.deepEqual([__type, text], ['InvalidRequestException', message]);
    });
  }
});
