import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../test/support/fuzz.ts';
import { parseJson } from '../codec/index.ts';
import { RaybridgeError } from '../errors.ts';
import { isJsonObject } from '../model/index.ts';
import type { JsonObject, SamplingBoostReport, SamplingReport } from '../model/index.ts';
import type { SamplingService } from '../pipeline/sampling.ts';
import { defaultSamplingRule } from '../sampling/index.ts';
import { answerGetSamplingRules, answerGetSamplingTargets } from './sampling-calls.ts';

const clientId = '0f1e2d3c4b5a69788796a5b4';

describe('answerGetSamplingRules', () => {
  it('gives every rule on one page, in the shape of the API', () => {
    const record = { rule: defaultSamplingRule, createdAtNs: 0n, modifiedAtNs: 1_700_000_000_000_000_000n };
    assert.deepEqual(answerGetSamplingRules([record]), {
      SamplingRuleRecords: [
        {
          SamplingRule: {
            RuleName: 'Default',
            RuleARN: 'arn:aws:xray:local:000000000000:sampling-rule/Default',
            ResourceARN: '*',
            Priority: 10_000,
            FixedRate: 0.05,
            ReservoirSize: 1,
            ServiceName: '*',
            ServiceType: '*',
            Host: '*',
            HTTPMethod: '*',
            URLPath: '*',
            Version: 1,
            Attributes: {},
          },
          CreatedAt: 0,
          ModifiedAt: 1_700_000_000,
        },
      ],
    });
  });
});

describe('answerGetSamplingTargets', () => {
  it('answers reports with targets', async () => {
    const { sampling, reports } = createSampling();
    const answer = await answerGetSamplingTargets(
      sampling,
      request(`{"SamplingStatisticsDocuments":[{"RuleName":"Default","ClientID":"${clientId}","Timestamp":1716560310.5,
        "RequestCount":80,"SampledCount":11,"BorrowCount":9}]}`),
    );
    assert.deepEqual(reports, [
      {
        ruleName: 'Default',
        clientId,
        timeNs: 1_716_560_310_500_000_000n,
        requestCount: 80,
        sampledCount: 11,
        borrowCount: 9,
      },
    ]);
    assert.deepEqual(answer, {
      SamplingTargetDocuments: [
        { RuleName: 'Default', FixedRate: 0.05, ReservoirQuota: 1, ReservoirQuotaTTL: 1_700_000_300, Interval: 10 },
      ],
      LastRuleModification: 1_700_000_000,
      UnprocessedStatistics: [],
      UnprocessedBoostStatistics: [],
    });
  });

  const liberties: readonly (readonly [string, string])[] = [
    ['SampleCount for SampledCount', '"Timestamp":1,"RequestCount":1,"SampleCount":2,"BorrowCount":0'],
    ['no BorrowCount', '"Timestamp":1,"RequestCount":1,"SampledCount":2'],
    ['a time as text', '"Timestamp":"1.5","RequestCount":1,"SampledCount":2'],
    ['a time as ISO 8601 has it', '"Timestamp":"2024-05-24T14:18:30Z","RequestCount":1,"SampledCount":2'],
    ['members nobody knows', '"Timestamp":1,"RequestCount":1,"SampledCount":2,"New":{}'],
  ];
  for (const [liberty, members] of liberties) {
    it(`takes ${liberty}`, async () => {
      const { sampling, reports } = createSampling();
      await answerGetSamplingTargets(sampling, report(members));
      assert.equal(reports[0]?.sampledCount, 2);
    });
  }

  it('takes boost statistics, with members nobody knows, or none of them', async () => {
    const { sampling, boostReports } = createSampling();
    // The ADOT distribution for Python adds ClientID, and sends null for none.
    for (const boosts of ['null', '[]', `[{${boost},"ClientID":"${clientId}"}]`]) {
      await answerGetSamplingTargets(
        sampling,
        request(`{"SamplingStatisticsDocuments":[],"SamplingBoostStatisticsDocuments":${boosts}}`),
      );
    }
    assert.deepEqual(boostReports, [
      {
        ruleName: 'Default',
        serviceName: 'shop',
        timeNs: 1_716_560_310_000_000_000n,
        anomalyCount: 3,
        totalCount: 40,
        sampledAnomalyCount: 1,
      },
    ]);
  });

  it('names boost statistics that make no sense as unprocessed and takes the rest', async () => {
    const { sampling, boostReports } = createSampling();
    const wrong = [
      '1',
      '{}',
      `{${boost.replace('1716560310', '"yesterday"')}}`,
      `{${boost.replace('"shop"', `"${'s'.repeat(65)}"`)}}`,
      `{${boost.replace(':40', ':-40')}}`,
      `{${boost.replace('SampledAnomalyCount', 'Sampled')}}`,
    ];
    const answer = await answerGetSamplingTargets(
      sampling,
      request(
        `{"SamplingStatisticsDocuments":[],"SamplingBoostStatisticsDocuments":[${[...wrong, `{${boost}}`].join()}]}`,
      ),
    );
    assert.equal(boostReports.length, 1);
    const [, unprocessed = ''] = JSON.stringify(answer).split('"UnprocessedBoostStatistics":');
    assert.equal(unprocessed.match(/"ErrorCode":"InvalidStatistics"/g)?.length, wrong.length);
    assert.match(JSON.stringify(answer), /"UnprocessedStatistics":\[\]/);
  });

  it('takes more reports than the API allows, as the OpenTelemetry sampler sends them', async () => {
    const { sampling, reports } = createSampling();
    const one = `{"RuleName":"Default","ClientID":"${clientId}","Timestamp":1,"RequestCount":0,"SampledCount":0}`;
    await answerGetSamplingTargets(
      sampling,
      request(`{"SamplingStatisticsDocuments":[${Array(60).fill(one).join()}]}`),
    );
    assert.equal(reports.length, 60);
  });

  const wrong: readonly string[] = [
    '"Timestamp":"yesterday","RequestCount":1,"SampledCount":1',
    '"Timestamp":1,"RequestCount":-1,"SampledCount":1',
    '"Timestamp":1,"RequestCount":1.5,"SampledCount":1',
    '"Timestamp":1,"RequestCount":"1","SampledCount":1',
    '"Timestamp":1,"RequestCount":1',
    '"RequestCount":1,"SampledCount":1',
  ];
  for (const members of wrong) {
    it(`names the report with ${members} as unprocessed and answers the rest`, async () => {
      const { sampling, reports } = createSampling();
      const answer = await answerGetSamplingTargets(sampling, report(members));
      assert.equal(reports.length, 0);
      assert.match(
        JSON.stringify(answer),
        /"UnprocessedStatistics":\[\{"RuleName":"Default","ErrorCode":"InvalidStatistics"/,
      );
    });
  }

  it('answers or refuses whatever JSON it is sent', async () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom('Default', clientId, 1_716_560_310, 0));
    const documents = fc.dictionary(fc.constantFrom(...memberNames), values);
    const lists = fc.oneof(fc.jsonValue(), fc.array(fc.oneof(documents, fc.jsonValue())));
    await fc.assert(
      fc.asyncProperty(lists, lists, async (reports, boosts) => {
        const text = JSON.stringify({ SamplingStatisticsDocuments: reports, SamplingBoostStatisticsDocuments: boosts });
        try {
          await answerGetSamplingTargets(createSampling().sampling, request(text));
        } catch (error) {
          assert.ok(error instanceof RaybridgeError && error.code === 'INVALID_REQUEST', String(error));
        }
      }),
      fuzzing(300),
    );
  });

  it('refuses a call without a list of reports, or with far too many', async () => {
    const { sampling } = createSampling();
    const many = `{"SamplingStatisticsDocuments":[${Array(1001).fill('{}').join()}]}`;
    const none = '"SamplingStatisticsDocuments":[]';
    for (const text of [
      '{}',
      '{"SamplingStatisticsDocuments":null}',
      '{"SamplingStatisticsDocuments":{}}',
      many,
      `{${none},"SamplingBoostStatisticsDocuments":{}}`,
      `{${none},"SamplingBoostStatisticsDocuments":[${Array(1001).fill('{}').join()}]}`,
    ]) {
      await assert.rejects(answerGetSamplingTargets(sampling, request(text)), { code: 'INVALID_REQUEST' });
    }
  });
});

const boost =
  '"RuleName":"Default","ServiceName":"shop","Timestamp":1716560310,"AnomalyCount":3,"TotalCount":40,"SampledAnomalyCount":1';

const memberNames = [
  'RuleName',
  'ClientID',
  'ServiceName',
  'Timestamp',
  'RequestCount',
  'SampledCount',
  'BorrowCount',
  'AnomalyCount',
  'TotalCount',
  'SampledAnomalyCount',
];

function report(members: string): JsonObject {
  return request(`{"SamplingStatisticsDocuments":[{"RuleName":"Default","ClientID":"${clientId}",${members}}]}`);
}

function request(text: string): JsonObject {
  const value = parseJson(text);
  assert.ok(isJsonObject(value));
  return value;
}

function createSampling(): {
  readonly sampling: Pick<SamplingService, 'targets'>;
  readonly reports: SamplingReport[];
  readonly boostReports: SamplingBoostReport[];
} {
  const reports: SamplingReport[] = [];
  const boostReports: SamplingBoostReport[] = [];
  return {
    reports,
    boostReports,
    sampling: {
      async targets(received) {
        reports.push(...received.reports);
        boostReports.push(...received.boostReports);
        const targets = received.reports.map(({ ruleName }) => ({
          ruleName,
          fixedRate: 0.05,
          reservoirQuota: 1,
          reservoirQuotaExpiresAtNs: 1_700_000_300_000_000_000n,
          intervalSeconds: 10,
          boost: undefined,
        }));
        return { targets, unprocessed: [], unprocessedBoosts: [], rulesModifiedAtNs: 1_699_999_999_000_000_001n };
      },
    },
  };
}
