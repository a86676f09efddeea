import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultSamplingRule } from '../sampling/index.ts';
import type { SamplingRuleRecord } from '../model/index.ts';
import {
  toRuleModificationAnswer,
  toSamplingRuleAnswer,
  toSamplingStatisticsAnswer,
  toSamplingTargetAnswer,
  toTraceSummaryAnswer,
  withSummaryFacts,
  toUnprocessedStatisticsAnswer,
} from './answers.ts';
import { brokenShop, shopTraces, traceOf } from './shop.fixture.test.ts';
import { summarise } from './summary.ts';

describe('a trace summary', () => {
  test('has the members of the API reference', () => {
    const { subsegments: _, ...alone } = brokenShop;
    const answer = withSummaryFacts(toTraceSummaryAnswer(summarise(traceOf([alone]))), { revision: 2 });
    const client = { Name: 'shop.example', Names: ['shop.example'], Type: 'client' };
    const service = { Name: 'shop.example', Names: ['shop.example'], Type: 'AWS::ECS::Container' };
    assert.deepEqual(answer, {
      Id: '1-6650a1b2-00f1e2d3c4b5a69788796a5b',
      StartTime: 1716560306.1,
      Duration: 0.32,
      ResponseTime: 0.32,
      HasFault: true,
      HasError: false,
      HasThrottle: false,
      IsPartial: false,
      Http: { HttpURL: 'https://shop.example/cart', HttpStatus: 500, HttpMethod: 'GET', ClientIp: '198.51.100.7' },
      Annotations: {
        tenant: [{ AnnotationValue: { StringValue: 'acme' }, ServiceIds: [service] }],
        items: [{ AnnotationValue: { NumberValue: 3 }, ServiceIds: [service] }],
        beta: [{ AnnotationValue: { BooleanValue: false }, ServiceIds: [service] }],
      },
      Users: [{ UserName: 'u-17', ServiceIds: [service] }],
      ServiceIds: [client, service],
      EntryPoint: service,
      ResourceARNs: [],
      InstanceIds: [],
      AvailabilityZones: [],
      FaultRootCauses: [
        {
          Services: [
            { ...service, EntityPath: [{ Name: 'shop.example', Exceptions: [], Remote: false }], Inferred: false },
          ],
          ClientImpacting: true,
        },
      ],
      ErrorRootCauses: [],
      ResponseTimeRootCauses: [],
      Revision: 2,
    });
  });

  test('never lacks Http and lacks what is unknown', () => {
    const running = shopTraces.get('running');
    assert.ok(running);
    const answer = withSummaryFacts(toTraceSummaryAnswer(summarise(running)), {
      revision: 1,
      matchedEventTimeNs: 1_500_000_000n,
    });
    assert.deepEqual(answer.Http, {});
    assert.equal(answer.MatchedEventTime, 1.5);
    assert.ok(!('ResponseTime' in answer));
    assert.ok(!JSON.stringify(answer).includes('null'));
  });

  test('carries an annotation of any name', () => {
    const annotations = JSON.parse('{"__proto__":"x"}');
    const answer = toTraceSummaryAnswer(summarise(traceOf([{ ...brokenShop, annotations }])));
    assert.match(JSON.stringify(answer), /"Annotations":\{"__proto__":\[\{"AnnotationValue":\{"StringValue":"x"\}/);
  });
});

describe('the status of a trace summary', () => {
  for (const [status, shown] of [
    [404, 404],
    [0.1, undefined],
    [2 ** 31, undefined],
    [-4.9e18, undefined],
  ] as const) {
    test(`of ${status} is ${shown}, because it has 32 bits`, () => {
      const trace = traceOf([{ ...brokenShop, http: { response: { status } } }]);
      assert.equal(toTraceSummaryAnswer(summarise(trace)).Http.HttpStatus, shown);
    });
  }
});

describe('sampling', () => {
  const record: SamplingRuleRecord = {
    rule: { ...defaultSamplingRule, ruleArn: 'arn:aws:xray:eu-west-1:1:sampling-rule/Default' },
    createdAtNs: 0n,
    modifiedAtNs: 1_500_000_000n,
  };

  test('rules have a version and attributes even when empty, and times in seconds', () => {
    const answer = toSamplingRuleAnswer(record);
    assert.equal(answer.SamplingRule.Version, 1);
    assert.deepEqual(answer.SamplingRule.Attributes, {});
    assert.deepEqual([answer.CreatedAt, answer.ModifiedAt], [0, 1.5]);
    assert.equal(JSON.stringify(answer.SamplingRule.Priority), '10000');
  });

  test('targets have whole numbers where clients read integers', () => {
    const target = {
      ruleName: 'r',
      fixedRate: 0.05,
      reservoirQuota: 3,
      reservoirQuotaExpiresAtNs: 1_716_560_610_900_000_000n,
      intervalSeconds: 10,
      boost: undefined,
    };
    const members = {
      RuleName: 'r',
      FixedRate: 0.05,
      ReservoirQuota: 3,
      ReservoirQuotaTTL: 1716560610,
      Interval: 10,
    };
    assert.deepEqual(toSamplingTargetAnswer(target), members);
    const boost = { rate: 0.5, expiresAtNs: 1_716_560_370_900_000_000n };
    assert.deepEqual(toSamplingTargetAnswer({ ...target, boost }), {
      ...members,
      SamplingBoost: { BoostRate: 0.5, BoostRateTTL: 1716560370 },
    });
  });

  test('a rule with a boost shows it, whatever its attributes are called', () => {
    const rule = {
      ...record.rule,
      attributes: new Map([['__proto__', 'x']]),
      rateBoost: { maxRate: 0.5, cooldownWindowMinutes: 3 },
    };
    const { SamplingRule } = toSamplingRuleAnswer({ ...record, rule });
    assert.deepEqual(SamplingRule.SamplingRateBoost, { MaxRate: 0.5, CooldownWindowMinutes: 3 });
    assert.equal(JSON.stringify(SamplingRule.Attributes), '{"__proto__":"x"}');
  });

  test('a change of the rules is told as the whole second after it', () => {
    assert.deepEqual([0n, 1_000_000_000n, 1_000_000_001n, 1_999_999_999n].map(toRuleModificationAnswer), [0, 1, 2, 2]);
  });

  test('statistics have the beginning of their window', () => {
    const counts = { requestCount: 3, sampledCount: 2, borrowCount: 1 };
    assert.deepEqual(toSamplingStatisticsAnswer({ ruleName: 'r', windowStartNs: 10_000_000_000n, ...counts }), {
      RuleName: 'r',
      Timestamp: 10,
      RequestCount: 3,
      BorrowCount: 1,
      SampledCount: 2,
    });
  });

  test('reports that were not used say why', () => {
    assert.deepEqual(
      toUnprocessedStatisticsAnswer({ ruleName: 'r', errorCode: 'UnknownRule', message: 'no such rule' }),
      {
        RuleName: 'r',
        ErrorCode: 'UnknownRule',
        Message: 'no such rule',
      },
    );
  });
});
