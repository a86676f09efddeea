import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readAwsModel } from '../../support/aws-model.ts';
import { lacking, type Python } from '../../support/programs.ts';
import { wrongRequests } from '../../support/wrong-requests.ts';
import { operationPaths } from './operations.ts';
import type { Given, Product } from './product.ts';
import { traceIdOf } from './shop.ts';

/** What no well-behaved client sends is answered by name and status, and changes nothing. */
export function describeWrongInput(given: Given, python: Promise<Python | string>): void {
  describe('what is wrong with a request', () => {
    let here: Here;

    before(async () => {
      here = await prepare(given());
    });

    for (const [operation, what, request, error] of wrongByMeaning) {
      it(`is told of ${operation} with ${what}`, async () => {
        const answer = await call(given(), operation, typeof request === 'function' ? request(here) : request);
        assert.deepEqual([answer.error, answer.status], [error, statusOf(error)], answer.text);
      });
    }

    for (const body of ['{"half":', '["a list"]', '"text"', '7', 'null', '{}}']) {
      it(`is told of every operation with a body of ${body}`, async () => {
        for (const operation of operationPaths.keys()) {
          const answer = await call(given(), operation, body);
          const { error, status, text } = answer;
          assert.deepEqual([operation, error, status], [operation, 'InvalidRequestException', 400], text);
        }
      });
    }

    it("is told, whichever word of AWS's model it breaks", async (test) => {
      const prepared = await python;
      if (typeof prepared === 'string') return lacking(test, prepared);
      const model = readAwsModel(prepared.packages);
      const wrong = [...model.operations].flatMap(([operation, { input }]) =>
        wrongRequests(model, input?.shape ?? '', validRequest(operation, here))
          .filter(({ what }) => !isTaken(operation, what))
          .map(({ what, request }) => ({ operation, what, request })),
      );
      const overlooked: string[] = [];
      while (wrong.length > 0) {
        const together = wrong.splice(0, requestsAtOnce).map(async ({ operation, what, request }) => {
          const { status, error, text } = await call(given(), operation, request);
          if (status !== 400) overlooked.push(`${operation}${what}: ${status} ${error} ${text.slice(0, 100)}`);
        });
        await Promise.all(together);
      }
      assert.deepEqual(overlooked, []);
    });
  });
}

const requestsAtOnce = 20;

/** What there is for requests to be right about. */
interface Here {
  readonly now: number;
  readonly traceId: string;
  readonly groupArn: string;
  readonly retrievalToken: string;
}

type WrongRow = readonly [operation: string, what: string, request: object | ((here: Here) => object), error: string];

const invalid = 'InvalidRequestException';
const notFound = 'ResourceNotFoundException';
const inverted = { StartTime: 20, EndTime: 10 };
const noToken = { NextToken: 'never given' };
const noInsight = '12345678-1234-4123-8123-123456789012';
const unknownArn = 'arn:aws:xray:us-east-1:000000000000:group/none/ABC';
const range = ({ now }: Here): object => ({ StartTime: now - 60, EndTime: now });

/** What the model cannot tell: names, tokens, times and texts that are well formed and wrong all the same. */
const wrongByMeaning: readonly WrongRow[] = [
  ['PutTraceSegments', '51 documents', { TraceSegmentDocuments: Array.from({ length: 51 }, () => '{}') }, invalid],
  ['PutTelemetryRecords', 'a record without a time', { TelemetryRecords: [{ SegmentsSentCount: 1 }] }, invalid],
  ['BatchGetTraces', 'six ids', ({ traceId }) => ({ TraceIds: Array.from({ length: 6 }, () => traceId) }), invalid],
  ['BatchGetTraces', 'what is no id', { TraceIds: ['1-2-3'] }, invalid],
  ['BatchGetTraces', 'an unknown token', ({ traceId }) => ({ TraceIds: [traceId], ...noToken }), invalid],
  ['GetTraceGraph', 'what is no id', { TraceIds: ['x'] }, invalid],
  ['GetTraceGraph', 'an unknown token', ({ traceId }) => ({ TraceIds: [traceId], ...noToken }), invalid],
  ['GetTraceSummaries', 'an end before the start', inverted, invalid],
  ['GetTraceSummaries', 'an unknown token', (here) => ({ ...range(here), ...noToken }), invalid],
  ['GetTraceSummaries', 'half a filter', (here) => ({ ...range(here), FilterExpression: 'duration >' }), invalid],
  ['GetTraceSummaries', 'single quotes', (here) => ({ ...range(here), FilterExpression: "user = 'x'" }), invalid],
  ['GetServiceGraph', 'an end before the start', inverted, invalid],
  ['GetServiceGraph', 'an unknown group', (here) => ({ ...range(here), GroupName: 'none' }), invalid],
  ['GetServiceGraph', 'an unknown token', (here) => ({ ...range(here), ...noToken }), invalid],
  ['GetTimeSeriesServiceStatistics', 'an end before the start', { ...inverted, Period: 60 }, invalid],
  ['GetTimeSeriesServiceStatistics', 'an unknown group', (here) => ({ ...range(here), GroupARN: unknownArn }), invalid],
  [
    'GetTimeSeriesServiceStatistics',
    'a selector that is a filter',
    (here) => ({ ...range(here), Period: 60, EntitySelectorExpression: 'annotation.tenant = "acme"' }),
    invalid,
  ],
  [
    'GetTimeSeriesServiceStatistics',
    'an unknown token',
    (here) => ({ ...range(here), Period: 60, ...noToken }),
    invalid,
  ],
  ['GetSamplingRules', 'an unknown token', noToken, invalid],
  ['CreateSamplingRule', 'the name Default', { SamplingRule: ruleNamed('Default') }, invalid],
  ['CreateSamplingRule', 'a name that is taken', { SamplingRule: ruleNamed('wrong rule') }, invalid],
  ['UpdateSamplingRule', 'an unknown rule', { SamplingRuleUpdate: { RuleName: 'none', FixedRate: 1 } }, invalid],
  ['UpdateSamplingRule', 'no name', { SamplingRuleUpdate: { FixedRate: 1 } }, invalid],
  ['UpdateSamplingRule', 'a host for Default', { SamplingRuleUpdate: { RuleName: 'Default', Host: 'a' } }, invalid],
  ['DeleteSamplingRule', 'an unknown rule', { RuleName: 'none' }, invalid],
  ['DeleteSamplingRule', 'the name Default', { RuleName: 'Default' }, invalid],
  ['DeleteSamplingRule', 'name and ARN', { RuleName: 'wrong rule', RuleARN: unknownArn }, invalid],
  ['GetSamplingTargets', 'no documents', {}, invalid],
  ['GetSamplingStatisticSummaries', 'an unknown token', noToken, invalid],
  ['CreateGroup', 'the name Default', { GroupName: 'Default' }, invalid],
  ['CreateGroup', 'a name that is taken', { GroupName: 'wrong-group' }, invalid],
  ['CreateGroup', 'half a filter', { GroupName: 'new', FilterExpression: 'duration >' }, invalid],
  ['GetGroup', 'an unknown group', { GroupName: 'none' }, invalid],
  ['GetGroup', 'neither name nor ARN', {}, invalid],
  ['GetGroups', 'an unknown token', noToken, invalid],
  ['UpdateGroup', 'an unknown group', { GroupARN: unknownArn }, invalid],
  ['UpdateGroup', 'half a filter', { GroupName: 'wrong-group', FilterExpression: '(' }, invalid],
  ['DeleteGroup', 'an unknown group', { GroupName: 'none' }, invalid],
  ['DeleteGroup', 'the name Default', { GroupName: 'Default' }, invalid],
  ['TagResource', 'an unknown ARN', { ResourceARN: unknownArn, Tags: [{ Key: 'a', Value: 'b' }] }, notFound],
  [
    'TagResource',
    'more tags than there may be',
    ({ groupArn }) => ({
      ResourceARN: groupArn,
      Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })),
    }),
    'TooManyTagsException',
  ],
  [
    'TagResource',
    'a key of AWS',
    ({ groupArn }) => ({ ResourceARN: groupArn, Tags: [{ Key: 'aws:a', Value: '' }] }),
    invalid,
  ],
  ['UntagResource', 'an unknown ARN', { ResourceARN: unknownArn, TagKeys: ['a'] }, notFound],
  ['ListTagsForResource', 'an unknown ARN', { ResourceARN: unknownArn }, notFound],
  ['ListTagsForResource', 'an unknown token', ({ groupArn }) => ({ ResourceARN: groupArn, ...noToken }), invalid],
  ['PutResourcePolicy', 'no policy', { PolicyName: 'p', PolicyDocument: 'x' }, 'MalformedPolicyDocumentException'],
  [
    'PutResourcePolicy',
    'an unknown revision',
    { PolicyName: 'p', PolicyDocument: policyDocument(), PolicyRevisionId: '7' },
    'InvalidPolicyRevisionIdException',
  ],
  [
    'PutResourcePolicy',
    'a document too large',
    { PolicyName: 'p', PolicyDocument: policyDocument({ Sid: 'x'.repeat(6_000) }) },
    'PolicySizeLimitExceededException',
  ],
  [
    'PutResourcePolicy',
    'what locks everybody out',
    {
      PolicyName: 'p',
      PolicyDocument: policyDocument({ Effect: 'Deny', Principal: '*', Action: 'xray:PutResourcePolicy' }),
    },
    'LockoutPreventionException',
  ],
  ['ListResourcePolicies', 'an unknown token', noToken, invalid],
  ['DeleteResourcePolicy', 'an unknown name', { PolicyName: 'none' }, invalid],
  ['PutEncryptionConfig', 'KMS and no key', { Type: 'KMS' }, invalid],
  ['PutEncryptionConfig', 'a key and no KMS', { Type: 'NONE', KeyId: 'alias/x' }, invalid],
  ['GetIndexingRules', 'an unknown token', noToken, invalid],
  ['UpdateIndexingRule', 'an unknown rule', { Name: 'none', Rule: probabilistic(1) }, notFound],
  ['UpdateIndexingRule', 'more than everything', { Name: 'Default', Rule: probabilistic(101) }, invalid],
  ['UpdateIndexingRule', 'a rule of no kind', { Name: 'Default', Rule: {} }, invalid],
  ['GetInsightSummaries', 'no group', range, invalid],
  ['GetInsightSummaries', 'an unknown group', (here) => ({ ...range(here), GroupName: 'none' }), invalid],
  ['GetInsightSummaries', 'a time long ago', { StartTime: 1, EndTime: 2, GroupName: 'Default' }, invalid],
  [
    'GetInsightSummaries',
    'an unknown token',
    (here) => ({ ...range(here), GroupName: 'Default', ...noToken }),
    invalid,
  ],
  ['GetInsight', 'an unknown id', { InsightId: noInsight }, invalid],
  ['GetInsightEvents', 'an unknown id', { InsightId: noInsight }, invalid],
  ['GetInsightImpactGraph', 'an unknown id', (here) => ({ ...range(here), InsightId: noInsight }), invalid],
  [
    'GetInsightImpactGraph',
    'more than six hours',
    ({ now }) => ({ StartTime: now - 7 * 3600, EndTime: now, InsightId: noInsight }),
    invalid,
  ],
  [
    'StartTraceRetrieval',
    '101 ids',
    (here) => ({ ...range(here), TraceIds: Array.from({ length: 101 }, (_, i) => traceIdOf('x', here.now, i)) }),
    invalid,
  ],
  ['StartTraceRetrieval', 'an end before the start', ({ traceId }) => ({ ...inverted, TraceIds: [traceId] }), invalid],
  ['ListRetrievedTraces', 'an unknown retrieval', { RetrievalToken: 'none' }, notFound],
  [
    'ListRetrievedTraces',
    'an unknown token',
    ({ retrievalToken }) => ({ RetrievalToken: retrievalToken, ...noToken }),
    invalid,
  ],
  ['GetRetrievedTracesGraph', 'an unknown retrieval', { RetrievalToken: 'none' }, notFound],
  ['CancelTraceRetrieval', 'an unknown retrieval', { RetrievalToken: 'none' }, notFound],
];

function statusOf(error: string): number {
  return error === notFound ? 404 : 400;
}

/** Requests that every operation takes. They name what `prepare` made. */
function validRequest(operation: string, { now, traceId, groupArn, retrievalToken }: Here): object {
  const range = { StartTime: now - 60, EndTime: now };
  const report = { RuleName: 'wrong rule', ClientID: 'a'.repeat(24), Timestamp: now };
  const boost = { RuleName: 'wrong rule', ServiceName: 's', Timestamp: now };
  const telemetry = { Timestamp: now, SegmentsReceivedCount: 1, BackendConnectionErrors: { OtherCount: 1 } };
  const valid: Readonly<Record<string, object>> = {
    BatchGetTraces: { TraceIds: [traceId] },
    CancelTraceRetrieval: { RetrievalToken: retrievalToken },
    CreateGroup: { GroupName: 'new', Tags: [{ Key: 'a', Value: 'b' }] },
    CreateSamplingRule: { SamplingRule: ruleNamed('new'), Tags: [{ Key: 'a', Value: 'b' }] },
    DeleteGroup: { GroupName: 'wrong-group' },
    DeleteResourcePolicy: { PolicyName: 'wrong' },
    DeleteSamplingRule: { RuleName: 'wrong rule' },
    GetGroup: { GroupName: 'wrong-group' },
    GetInsight: { InsightId: noInsight },
    GetInsightEvents: { InsightId: noInsight },
    GetInsightImpactGraph: { ...range, InsightId: noInsight },
    GetInsightSummaries: { ...range, GroupName: 'Default', States: ['ACTIVE'] },
    GetRetrievedTracesGraph: { RetrievalToken: retrievalToken },
    GetSamplingTargets: {
      SamplingStatisticsDocuments: [{ ...report, RequestCount: 1, SampledCount: 1, BorrowCount: 0 }],
      SamplingBoostStatisticsDocuments: [{ ...boost, AnomalyCount: 1, TotalCount: 1, SampledAnomalyCount: 1 }],
    },
    GetServiceGraph: range,
    GetTimeSeriesServiceStatistics: { ...range, Period: 60, EntitySelectorExpression: 'service("a")' },
    GetTraceGraph: { TraceIds: [traceId] },
    GetTraceSummaries: { ...range, Sampling: true, SamplingStrategy: { Name: 'FixedRate', Value: 1 } },
    ListRetrievedTraces: { RetrievalToken: retrievalToken },
    ListTagsForResource: { ResourceARN: groupArn },
    PutEncryptionConfig: { Type: 'NONE' },
    PutResourcePolicy: { PolicyName: 'wrong', PolicyDocument: policyDocument() },
    PutTelemetryRecords: { TelemetryRecords: [telemetry], Hostname: 'h', EC2InstanceId: 'i', ResourceARN: 'a' },
    PutTraceSegments: { TraceSegmentDocuments: ['{}'] },
    StartTraceRetrieval: { ...range, TraceIds: [traceId] },
    TagResource: { ResourceARN: groupArn, Tags: [{ Key: 'a', Value: 'b' }] },
    UntagResource: { ResourceARN: groupArn, TagKeys: ['a'] },
    UpdateGroup: { GroupName: 'wrong-group', InsightsConfiguration: { InsightsEnabled: true } },
    UpdateIndexingRule: { Name: 'Default', Rule: probabilistic(1) },
    UpdateSamplingRule: { SamplingRuleUpdate: { RuleName: 'wrong rule', FixedRate: 1 } },
    UpdateTraceSegmentDestination: { Destination: 'XRay' },
  };
  return valid[operation] ?? {};
}

/** What breaks the model and is taken all the same, because clients that are about do so. */
function isTaken(operation: string, what: string): boolean {
  return taken.some(([name, place]) => name.test(operation) && place.test(what));
}

const taken: readonly (readonly [operation: RegExp, what: RegExp])[] = [
  // Some loops of clients begin with an empty token.
  [/./, /^\.NextToken: empty$/],
  // Whatever is wrong with one report, the others count: it comes back among those that were not processed.
  [/^GetSamplingTargets$/, /StatisticsDocuments(\[0\]|: too many)/],
];

function ruleNamed(RuleName: string): object {
  const any = { ResourceARN: '*', ServiceName: '*', ServiceType: '*', Host: '*', HTTPMethod: '*', URLPath: '*' };
  return { RuleName, ...any, Priority: 9_000, FixedRate: 0.1, ReservoirSize: 1, Version: 1, Attributes: { k: 'v' } };
}

function policyDocument(members: object = {}): string {
  const statement = { Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'xray:PutTraceSegments' };
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, Resource: '*', ...members }] });
}

function probabilistic(DesiredSamplingPercentage: number): object {
  return { Probabilistic: { DesiredSamplingPercentage } };
}

async function prepare(product: Product): Promise<Here> {
  const traceId = traceIdOf('wrong', product.now, 1);
  const range = { StartTime: product.now - 60, EndTime: product.now };
  const made = await call(product, 'CreateGroup', { GroupName: 'wrong-group' });
  await call(product, 'CreateSamplingRule', { SamplingRule: ruleNamed('wrong rule') });
  await call(product, 'PutResourcePolicy', { PolicyName: 'wrong', PolicyDocument: policyDocument() });
  const started = await call(product, 'StartTraceRetrieval', { ...range, TraceIds: [traceId] });
  return {
    now: product.now,
    traceId,
    groupArn: JSON.parse(made.text).Group.GroupARN,
    retrievalToken: JSON.parse(started.text).RetrievalToken,
  };
}

async function call(
  { api }: Product,
  operation: string,
  request: object | string,
): Promise<{ readonly status: number; readonly error: string | null; readonly text: string }> {
  const path = operationPaths.get(operation) ?? assert.fail(`there is no ${operation}`);
  const body = typeof request === 'string' ? request : JSON.stringify(request);
  const response = await fetch(`http://${api}${path}`, { method: 'POST', body });
  return { status: response.status, error: response.headers.get('x-amzn-errortype'), text: await response.text() };
}
