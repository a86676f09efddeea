import {
  CreateSamplingRuleCommand,
  DeleteSamplingRuleCommand,
  GetSamplingTargetsCommand,
  paginateGetSamplingRules,
  paginateGetSamplingStatisticSummaries,
  type SamplingRule,
  UpdateSamplingRuleCommand,
  type XRayClient,
  XRayServiceException,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTestContext, createTestIntake, type TestContext } from '../../../../test/support/context.ts';
import { sendHttp } from '../../../../test/support/http.ts';
import { createMemoryStore, type MemoryStore } from '../../../../test/support/memory-store.ts';
import { openXrayClient } from '../../../../test/support/xray-client.ts';
import { RaybridgeError } from '../../../errors.ts';
import { createSamplingService } from '../../../pipeline/sampling-service.ts';
import { xrayApi } from '../index.ts';

const closeDeadlineMs = 2_000;
/** The clock of the test context, in epoch seconds. */
const now = 1_700_000_000;
const clientId = '0f1e2d3c4b5a69788796a5b4';

const checkout: SamplingRule = {
  RuleName: 'checkout',
  ResourceARN: '*',
  Priority: 10,
  FixedRate: 0.25,
  ReservoirSize: 5,
  ServiceName: 'shop',
  ServiceType: '*',
  Host: '*.example',
  HTTPMethod: 'POST',
  URLPath: '/checkout/*',
  Version: 1,
};

describe('sampling rules', () => {
  let test: TestContext;
  let store: MemoryStore;
  let client: XRayClient;

  beforeEach(async () => {
    store = createMemoryStore();
    test = createTestContext('xray_api', createSamplingService({ store: () => store, nowNs: () => nowNs(now) }));
    const extension = xrayApi.create({
      config: xrayApi.configSchema.parse({ endpoint: '127.0.0.1:0' }),
      context: { ...test.context, store: () => store },
      intake: createTestIntake(),
    });
    await extension.start();
    await test.http.listen();
    client = openXrayClient(test.address('X-Ray API'));
  });
  afterEach(async () => {
    client.destroy();
    await test.http.close(closeDeadlineMs);
  });

  async function rules(): Promise<readonly SamplingRule[]> {
    const found: SamplingRule[] = [];
    for await (const { SamplingRuleRecords = [] } of paginateGetSamplingRules({ client }, {}))
      found.push(...SamplingRuleRecords.flatMap(({ SamplingRule: rule }) => rule ?? []));
    return found;
  }

  it('are created, listed by priority with the default rule last, changed and deleted', async () => {
    const created = await client.send(new CreateSamplingRuleCommand({ SamplingRule: checkout }));
    const whole = {
      ...checkout,
      RuleARN: 'arn:aws:xray:local:000000000000:sampling-rule/checkout',
      Attributes: {},
    };
    assert.deepEqual(created.SamplingRuleRecord, {
      SamplingRule: whole,
      CreatedAt: new Date(now * 1000),
      ModifiedAt: new Date(now * 1000),
    });
    await client.send(new CreateSamplingRuleCommand({ SamplingRule: { ...checkout, RuleName: 'all', Priority: 9 } }));
    assert.deepEqual(
      (await rules()).map(({ RuleName }) => RuleName),
      ['all', 'checkout', 'Default'],
    );

    const SamplingRateBoost = { MaxRate: 0.5, CooldownWindowMinutes: 3 };
    const update = { RuleARN: whole.RuleARN, FixedRate: 0, Attributes: { tier: '*' }, SamplingRateBoost };
    const changed = await client.send(new UpdateSamplingRuleCommand({ SamplingRuleUpdate: update }));
    const expected = { ...whole, ...update };
    assert.deepEqual(changed.SamplingRuleRecord?.SamplingRule, expected);
    assert.deepEqual((await rules())[1], expected);

    const deleted = await client.send(new DeleteSamplingRuleCommand({ RuleName: 'checkout' }));
    assert.deepEqual(deleted.SamplingRuleRecord?.SamplingRule, expected);
    await client.send(new DeleteSamplingRuleCommand({ RuleARN: 'arn:aws:xray:local:000000000000:sampling-rule/all' }));
    assert.deepEqual(
      (await rules()).map(({ RuleName, Priority }) => [RuleName, Priority]),
      [['Default', 10_000]],
    );
  });

  it('beyond the quota are a RuleLimitExceededException', async () => {
    const create = (RuleName: string) =>
      client.send(new CreateSamplingRuleCommand({ SamplingRule: { ...checkout, RuleName } }));
    for (let i = 0; i < 25; i++) await create(`rule ${i}`);
    await assert.rejects(create('rule 25'), isError('RuleLimitExceededException', 400));
  });

  const refused: readonly (readonly [what: string, path: string, request: object])[] = [
    ['no rule', '/CreateSamplingRule', {}],
    ['a rule that is a list', '/CreateSamplingRule', { SamplingRule: [] }],
    ['a rule without a name', '/CreateSamplingRule', { SamplingRule: { ...checkout, RuleName: undefined } }],
    ['the name Default', '/CreateSamplingRule', { SamplingRule: { ...checkout, RuleName: 'Default' } }],
    ['a priority of 10000', '/CreateSamplingRule', { SamplingRule: { ...checkout, Priority: 10_000 } }],
    ['version 2', '/CreateSamplingRule', { SamplingRule: { ...checkout, Version: 2 } }],
    ['no update', '/UpdateSamplingRule', {}],
    ['an update of nothing', '/UpdateSamplingRule', { SamplingRuleUpdate: { FixedRate: 1 } }],
    ['an update of no rule', '/UpdateSamplingRule', { SamplingRuleUpdate: { RuleName: 'gone' } }],
    ['another host for Default', '/UpdateSamplingRule', { SamplingRuleUpdate: { RuleName: 'Default', Host: '*' } }],
    ['a rate of 2', '/UpdateSamplingRule', { SamplingRuleUpdate: { RuleName: 'Default', FixedRate: 2 } }],
    ['the end of no rule', '/DeleteSamplingRule', { RuleName: 'gone' }],
    ['the end of nothing', '/DeleteSamplingRule', {}],
    ['the end of Default', '/DeleteSamplingRule', { RuleName: 'Default' }],
    ['a name and an ARN', '/DeleteSamplingRule', { RuleName: 'a', RuleARN: 'arn:aws:xray:a:b:sampling-rule/a' }],
    ['a page of rules that nobody gave', '/GetSamplingRules', { NextToken: 'x' }],
    ['a page of statistics that nobody gave', '/SamplingStatisticSummaries', { NextToken: 'x' }],
  ];
  for (const [what, path, request] of refused) {
    it(`refuse ${what} as an InvalidRequestException`, async () => {
      const answer = await sendHttp(test.address('X-Ray API'), { method: 'POST', path, body: JSON.stringify(request) });
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['x-amzn-errortype'], 'InvalidRequestException');
      assert.deepEqual(await store.readState('sampling'), new Map());
    });
  }

  it('are not shown while the store is starting, because a list without them would be a lie', async () => {
    store.failWith(new RaybridgeError('STORE_UNAVAILABLE', 'starting'));
    const answer = await sendHttp(test.address('X-Ray API'), { method: 'POST', path: '/GetSamplingRules' });
    assert.equal(answer.status, 503);
    const create = { method: 'POST', path: '/CreateSamplingRule', body: JSON.stringify({ SamplingRule: checkout }) };
    assert.equal((await sendHttp(test.address('X-Ray API'), create)).headers['x-amzn-errortype'], 'ThrottledException');
  });

  it('share their reservoirs out, boost, and show what was reported', async () => {
    const SamplingRateBoost = { MaxRate: 0.5, CooldownWindowMinutes: 3 };
    await client.send(new CreateSamplingRuleCommand({ SamplingRule: { ...checkout, SamplingRateBoost } }));
    const about = { RuleName: 'checkout', Timestamp: new Date(now * 1000) };
    const counts = { RequestCount: 80, SampledCount: 11, BorrowCount: 9 };
    const anomalies = { ServiceName: 'shop', AnomalyCount: 2, TotalCount: 80, SampledAnomalyCount: 0 };
    const answer = await client.send(
      new GetSamplingTargetsCommand({
        SamplingStatisticsDocuments: [
          { ...about, ClientID: clientId, ...counts },
          { ...about, RuleName: 'gone', ClientID: clientId, ...counts },
        ],
        SamplingBoostStatisticsDocuments: [
          { ...about, ...anomalies },
          { ...about, ...anomalies, RuleName: 'gone' },
        ],
      }),
    );
    assert.deepEqual(answer.SamplingTargetDocuments, [
      {
        RuleName: 'checkout',
        FixedRate: 0.25,
        ReservoirQuota: 5,
        ReservoirQuotaTTL: new Date((now + 300) * 1000),
        Interval: 10,
        SamplingBoost: { BoostRate: 0.5, BoostRateTTL: new Date((now + 60) * 1000) },
      },
    ]);
    assert.deepEqual(answer.LastRuleModification, new Date(now * 1000));
    for (const unprocessed of [answer.UnprocessedStatistics, answer.UnprocessedBoostStatistics]) {
      assert.deepEqual(
        unprocessed?.map(({ RuleName, ErrorCode }) => [RuleName, ErrorCode]),
        [['gone', 'RuleNotFound']],
      );
    }

    for await (const { SamplingStatisticSummaries } of paginateGetSamplingStatisticSummaries({ client }, {})) {
      assert.deepEqual(SamplingStatisticSummaries, [
        { RuleName: 'checkout', Timestamp: new Date(now * 1000), ...counts },
      ]);
    }
  });
});

function isError(name: string, status: number): (error: unknown) => boolean {
  return (error) =>
    error instanceof XRayServiceException && error.name === name && error.$metadata.httpStatusCode === status;
}

function nowNs(seconds: number): bigint {
  return BigInt(seconds) * 1_000_000_000n;
}
