import * as sdk from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { openXrayClient, readTrace } from '../../support/xray-client.ts';
import type { Given } from './product.ts';
import { consumerTrace, shopTrace, traceIdOf } from './shop.ts';

/** The AWS SDK for JavaScript, version 3: every operation, every paginator, errors by their classes. */
export function describeJavaScript(given: Given): void {
  describe('@aws-sdk/client-xray', () => {
    let client: sdk.XRayClient;
    /** When the traces of the shop began: epoch seconds, two minutes ago. */
    let at: number;
    let traceId: string;

    before(async () => {
      client = openXrayClient(given().api);
      at = given().now - 120;
      const traces = [shopTrace({ name: 'js', at, number: 1 }), consumerTrace({ name: 'js', at, number: 1 })];
      traceId = traces[0]?.id ?? '';
      const texts = traces.flatMap(({ documents }) => documents.map((document) => JSON.stringify(document)));
      const { UnprocessedTraceSegments } = await client.send(
        new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments: texts }),
      );
      assert.deepEqual(UnprocessedTraceSegments, []);
      await eventually('the traces of the shop', async () => {
        const { TraceSummaries = [] } = await client.send(new sdk.GetTraceSummariesCommand(rangeAround(at)));
        return TraceSummaries.length >= 2 || undefined;
      });
    });
    after(() => client.destroy());

    it('puts telemetry', async () => {
      const record = {
        Timestamp: new Date(),
        SegmentsReceivedCount: 3,
        SegmentsSentCount: 2,
        SegmentsSpilloverCount: 1,
        SegmentsRejectedCount: 0,
        BackendConnectionErrors: { TimeoutCount: 1, HTTPCode5XXCount: 2 },
      };
      await client.send(new sdk.PutTelemetryRecordsCommand({ TelemetryRecords: [record], Hostname: 'ip-10-0-0-1' }));
    });

    it('reads a trace, whose documents are those that were put', async () => {
      const trace = await readTrace(client, traceId);
      assert.equal(trace?.Id, traceId);
      assert.equal(trace?.Duration, 2.5);
      assert.equal(trace?.LimitExceeded, false);
      const names = (trace?.Segments ?? []).map(({ Document = '{}' }) => JSON.parse(Document).name);
      assert.deepEqual(names.toSorted(), ['DynamoDB', 'SQS', 'elsewhere.example', 'js-front', 'js-price']);
      const unknown = traceIdOf('js', at, 999);
      const { Traces, UnprocessedTraceIds } = await client.send(new sdk.BatchGetTracesCommand({ TraceIds: [unknown] }));
      assert.deepEqual([Traces, UnprocessedTraceIds], [[], [unknown]]);
    });

    it('finds summaries with all their members', async () => {
      const question = { ...rangeAround(at), FilterExpression: 'service("js-front")' };
      const { TraceSummaries, TracesProcessedCount, ApproximateTime } = await client.send(
        new sdk.GetTraceSummariesCommand(question),
      );
      assert.ok(ApproximateTime instanceof Date);
      assert.ok((TracesProcessedCount ?? 0) >= 1);
      assert.equal(TraceSummaries?.length, 1);
      const [summary] = TraceSummaries ?? [];
      assert.equal(summary?.Id, traceId);
      assert.deepEqual(summary?.Http, {
        HttpURL: 'https://js.example/cart',
        HttpStatus: 500,
        HttpMethod: 'GET',
        UserAgent: 'test',
        ClientIp: '198.51.100.7',
      });
      assert.deepEqual([summary?.HasFault, summary?.HasError, summary?.HasThrottle], [true, false, true]);
      assert.equal(summary?.StartTime?.getTime(), at * 1000);
      assert.equal(summary?.ResponseTime, 2.5);
      assert.equal(summary?.EntryPoint?.Name, 'js-front');
      assert.equal(summary?.Users?.[0]?.UserName, 'user-1');
      assert.equal(summary?.Annotations?.['tenant']?.[0]?.AnnotationValue?.StringValue, 'acme');
      assert.equal(summary?.Annotations?.['items']?.[0]?.AnnotationValue?.NumberValue, 3);
      assert.equal(summary?.Annotations?.['beta']?.[0]?.AnnotationValue?.BooleanValue, false);
      assert.deepEqual(summary?.InstanceIds, [{ Id: 'i-0abc' }]);
      assert.deepEqual(summary?.AvailabilityZones, [{ Name: 'eu-west-1b' }]);
      const [cause] = summary?.FaultRootCauses ?? [];
      assert.equal(cause?.ClientImpacting, true);
      assert.equal(cause?.Services?.at(-1)?.EntityPath?.at(-1)?.Exceptions?.[0]?.Message, 'no price');
      assert.ok((summary?.ResponseTimeRootCauses ?? []).length > 0, 'it took more than two seconds');
    });

    it('finds summaries by any time of a trace, and a share of them', async () => {
      for (const TimeRangeType of Object.values(sdk.TimeRangeType)) {
        const range = TimeRangeType === 'Event' ? rangeAround(given().now + 60, 180) : rangeAround(at);
        const question = { ...range, TimeRangeType, FilterExpression: 'service("js-front")' };
        const { TraceSummaries = [] } = await client.send(new sdk.GetTraceSummariesCommand(question));
        assert.deepEqual([TimeRangeType, TraceSummaries.map(({ Id }) => Id)], [TimeRangeType, [traceId]]);
        assert.equal(TraceSummaries[0]?.MatchedEventTime instanceof Date, TimeRangeType === 'Event');
      }
      const none = { Sampling: true, SamplingStrategy: { Name: sdk.SamplingStrategyName.FixedRate, Value: 0 } };
      const { TraceSummaries } = await client.send(new sdk.GetTraceSummariesCommand({ ...rangeAround(at), ...none }));
      assert.deepEqual(TraceSummaries, []);
    });

    it('pages through summaries to the end, each trace once, newest first', async () => {
      const pagesAt = at - 3_000;
      const ids = await putMany(client, { name: 'js-pages', from: pagesAt, count: 230 });
      const range = { StartTime: new Date(pagesAt * 1000), EndTime: new Date((pagesAt + 230) * 1000) };
      const pages = await eventually('230 traces', async () => {
        const pages: sdk.TraceSummary[][] = [];
        for await (const { TraceSummaries = [] } of sdk.paginateGetTraceSummaries({ client }, { ...range })) {
          pages.push(TraceSummaries);
        }
        return pages.flat().length === 230 ? pages : undefined;
      });
      assert.ok(pages.length >= 3, 'there is more than one page');
      assert.deepEqual(
        pages.flat().map(({ Id }) => Id),
        ids.toReversed(),
      );
      // A filter that matches nothing has pages, too, and an end.
      const empty = sdk.paginateGetTraceSummaries({ client }, { ...range, FilterExpression: 'duration > 5' });
      for await (const { TraceSummaries } of empty) assert.deepEqual(TraceSummaries, []);
    });

    it('pages through traces by their ids', async () => {
      const ids = [traceId, traceIdOf('js-consumer', at, 1)];
      const found: sdk.Trace[] = [];
      for await (const { Traces = [] } of sdk.paginateBatchGetTraces({ client }, { TraceIds: ids }))
        found.push(...Traces);
      assert.deepEqual(new Set(found.map(({ Id }) => Id)), new Set(ids));
    });

    it('draws the graph of traces and of a range: nodes, edges, statistics, the link to the function', async () => {
      const ofTraces: sdk.Service[] = [];
      const TraceIds = [traceId, traceIdOf('js-consumer', at, 1)];
      for await (const { Services = [] } of sdk.paginateGetTraceGraph({ client }, { TraceIds }))
        ofTraces.push(...Services);
      const ofRange: sdk.Service[] = [];
      for await (const page of sdk.paginateGetServiceGraph({ client }, rangeAround(at))) {
        assert.ok(page.StartTime instanceof Date && page.EndTime instanceof Date);
        assert.equal(page.ContainsOldGroupVersions, false);
        ofRange.push(...(page.Services ?? []));
      }
      for (const services of [ofTraces, ofRange]) {
        const byReference = new Map(services.map((service) => [service.ReferenceId, service]));
        assert.equal(byReference.size, services.length, 'reference ids are unique');
        for (const { Edges = [] } of services) {
          for (const { ReferenceId } of Edges) assert.ok(byReference.has(ReferenceId), 'edges lead to nodes');
        }
        const front = services.find(({ Name, Type }) => Name === 'js-front' && Type === 'AWS::ECS::Container');
        assert.equal(front?.Root, true);
        assert.equal(front?.State, 'active');
        assert.equal(front?.SummaryStatistics?.FaultStatistics?.TotalCount, 1);
        assert.deepEqual(front?.ResponseTimeHistogram, [{ Value: 2.5, Count: 1 }]);
        const callees = (front?.Edges ?? []).map((edge) => byReference.get(edge.ReferenceId)?.Name ?? '');
        assert.deepEqual(callees.toSorted(), [
          'elsewhere.example',
          'https://sqs.eu-west-1.amazonaws.com/111122223333/js',
          'js-carts',
          'js-price',
        ]);
        const queue = services.find(({ Type }) => Type === 'AWS::SQS::Queue');
        assert.equal(queue?.Edges?.[0]?.EdgeType, 'link');
      }
    });

    it('reads statistics over time, of everything, of a service and of an edge', async () => {
      for (const selector of [undefined, 'service("js-front")', 'edge("js-front", "js-price")']) {
        const question = { ...rangeAround(at), Period: 60, EntitySelectorExpression: selector };
        const all: sdk.TimeSeriesServiceStatistics[] = [];
        for await (const page of sdk.paginateGetTimeSeriesServiceStatistics({ client }, question)) {
          all.push(...(page.TimeSeriesServiceStatistics ?? []));
        }
        const periodOf = all.find(({ Timestamp }) => Timestamp?.getTime() === Math.floor(at / 60) * 60_000);
        const statistics = periodOf?.ServiceSummaryStatistics ?? periodOf?.EdgeSummaryStatistics;
        assert.ok((statistics?.FaultStatistics?.TotalCount ?? 0) >= 1, `no fault for ${selector}`);
        assert.equal(selector?.startsWith('service') ?? false, periodOf?.ServiceSummaryStatistics !== undefined);
      }
    });

    it('makes, changes, reads and deletes sampling rules, and is told what to sample', async () => {
      const SamplingRule = {
        RuleName: 'js rule',
        ResourceARN: '*',
        Priority: 10,
        FixedRate: 0.25,
        ReservoirSize: 2,
        ServiceName: 'js*',
        ServiceType: '*',
        Host: '*',
        HTTPMethod: 'GET',
        URLPath: '/cart*',
        Version: 1,
      };
      const { SamplingRuleRecord: made } = await client.send(new sdk.CreateSamplingRuleCommand({ SamplingRule }));
      assert.deepEqual(made?.SamplingRule, { ...SamplingRule, RuleARN: made?.SamplingRule?.RuleARN, Attributes: {} });
      assert.ok(made?.CreatedAt instanceof Date);
      const { SamplingRuleRecord: changed } = await client.send(
        new sdk.UpdateSamplingRuleCommand({ SamplingRuleUpdate: { RuleName: 'js rule', FixedRate: 0.5 } }),
      );
      assert.equal(changed?.SamplingRule?.FixedRate, 0.5);
      assert.equal(changed?.SamplingRule?.ReservoirSize, 2);

      const names: (string | undefined)[] = [];
      for await (const { SamplingRuleRecords = [] } of sdk.paginateGetSamplingRules({ client }, {})) {
        names.push(...SamplingRuleRecords.map(({ SamplingRule: rule }) => rule?.RuleName));
      }
      assert.equal(names.at(-1), 'Default');
      assert.ok(names.includes('js rule'));

      const ClientID = '0f1e2d3c4b5a69788796a5b4';
      const report = { ClientID, Timestamp: new Date(), RequestCount: 80, SampledCount: 11, BorrowCount: 9 };
      const targets = await client.send(
        new sdk.GetSamplingTargetsCommand({
          SamplingStatisticsDocuments: [
            { ...report, RuleName: 'js rule' },
            { ...report, RuleName: 'no such rule' },
          ],
        }),
      );
      assert.equal(targets.SamplingTargetDocuments?.[0]?.RuleName, 'js rule');
      assert.equal(targets.SamplingTargetDocuments?.[0]?.FixedRate, 0.5);
      assert.equal(targets.SamplingTargetDocuments?.[0]?.ReservoirQuota, 2);
      assert.equal(targets.UnprocessedStatistics?.[0]?.RuleName, 'no such rule');
      assert.ok(targets.LastRuleModification instanceof Date);

      const counted: sdk.SamplingStatisticSummary[] = [];
      for await (const page of sdk.paginateGetSamplingStatisticSummaries({ client }, {})) {
        counted.push(...(page.SamplingStatisticSummaries ?? []));
      }
      const ours = counted.find(({ RuleName }) => RuleName === 'js rule');
      assert.deepEqual([ours?.RequestCount, ours?.SampledCount, ours?.BorrowCount], [80, 11, 9]);

      const gone = await client.send(new sdk.DeleteSamplingRuleCommand({ RuleName: 'js rule' }));
      assert.equal(gone.SamplingRuleRecord?.SamplingRule?.RuleName, 'js rule');
      await assert.rejects(
        client.send(new sdk.DeleteSamplingRuleCommand({ RuleName: 'js rule' })),
        sdk.InvalidRequestException,
      );
    });

    it('makes, changes, reads and deletes groups and their tags', async () => {
      const { Group: made } = await client.send(
        new sdk.CreateGroupCommand({
          GroupName: 'js-faults',
          FilterExpression: 'fault',
          Tags: [{ Key: 'a', Value: '1' }],
        }),
      );
      const ResourceARN = made?.GroupARN ?? '';
      const enabled = { InsightsEnabled: true, NotificationsEnabled: true };
      await client.send(new sdk.UpdateGroupCommand({ GroupName: 'js-faults', InsightsConfiguration: enabled }));
      const { Group: read } = await client.send(new sdk.GetGroupCommand({ GroupARN: ResourceARN }));
      assert.deepEqual(read, { ...made, InsightsConfiguration: enabled });

      const names: (string | undefined)[] = [];
      for await (const { Groups = [] } of sdk.paginateGetGroups({ client }, {})) {
        names.push(...Groups.map(({ GroupName }) => GroupName));
      }
      assert.ok(names.includes('Default') && names.includes('js-faults'));

      const Tags = Array.from({ length: 50 }, (_, i) => ({ Key: `key-${i}`, Value: String(i) }));
      await client.send(new sdk.UntagResourceCommand({ ResourceARN, TagKeys: ['a'] }));
      await client.send(new sdk.TagResourceCommand({ ResourceARN, Tags }));
      const tags: sdk.Tag[] = [];
      for await (const page of sdk.paginateListTagsForResource({ client }, { ResourceARN }))
        tags.push(...(page.Tags ?? []));
      assert.deepEqual(
        new Map(tags.map(({ Key, Value }) => [Key, Value])),
        new Map(Tags.map((tag) => [tag.Key, tag.Value])),
      );
      await assert.rejects(
        client.send(new sdk.TagResourceCommand({ ResourceARN, Tags: [{ Key: 'one more', Value: '' }] })),
        sdk.TooManyTagsException,
      );

      const inGroup = await client.send(
        new sdk.GetTraceSummariesCommand({
          ...rangeAround(at),
          FilterExpression: 'group.name = "js-faults" AND service("js-front")',
        }),
      );
      assert.deepEqual(
        inGroup.TraceSummaries?.map(({ Id }) => Id),
        [traceId],
      );
      const { Services = [] } = await client.send(
        new sdk.GetServiceGraphCommand({ ...rangeAround(at), GroupName: 'js-faults' }),
      );
      assert.ok(Services.some(({ Name }) => Name === 'js-front'));
      assert.ok(!Services.some(({ Name, Root }) => Name === 'js-consumer' && Root), 'which did not fail');

      await client.send(new sdk.DeleteGroupCommand({ GroupName: 'js-faults' }));
      await assert.rejects(client.send(new sdk.ListTagsForResourceCommand({ ResourceARN })), (error) => {
        assert.ok(error instanceof sdk.ResourceNotFoundException);
        assert.equal(error.ResourceName, ResourceARN);
        return true;
      });
      await assert.rejects(
        client.send(new sdk.GetGroupCommand({ GroupName: 'js-faults' })),
        sdk.InvalidRequestException,
      );
    });

    it('puts, lists and deletes resource policies', async () => {
      const policy = (name: string, more: object = {}): sdk.PutResourcePolicyCommandInput => ({
        PolicyName: name,
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'sns.amazonaws.com' },
              Action: 'xray:PutTraceSegments',
              Resource: '*',
            },
          ],
        }),
        ...more,
      });
      const put = (input: sdk.PutResourcePolicyCommandInput) => client.send(new sdk.PutResourcePolicyCommand(input));
      const { ResourcePolicy } = await put(policy('js-1', { PolicyRevisionId: '0' }));
      await assert.rejects(put(policy('js-1', { PolicyRevisionId: '0' })), sdk.InvalidPolicyRevisionIdException);
      await put(policy('js-1', { PolicyRevisionId: ResourcePolicy?.PolicyRevisionId }));
      await assert.rejects(put(policy('js-1', { PolicyDocument: '{"half":' })), sdk.MalformedPolicyDocumentException);
      await assert.rejects(
        put(policy('js-1', { PolicyDocument: JSON.stringify('x'.repeat(6_000)) })),
        sdk.PolicySizeLimitExceededException,
      );
      const lockout = { Effect: 'Deny', Principal: '*', Action: 'xray:PutResourcePolicy', Resource: '*' };
      const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [lockout] });
      await assert.rejects(put(policy('js-1', { PolicyDocument })), sdk.LockoutPreventionException);
      for (const name of ['js-2', 'js-3', 'js-4', 'js-5']) await put(policy(name));
      await assert.rejects(put(policy('js-6')), sdk.PolicyCountLimitExceededException);

      const all: sdk.ResourcePolicy[] = [];
      for await (const page of sdk.paginateListResourcePolicies({ client }, {}))
        all.push(...(page.ResourcePolicies ?? []));
      assert.deepEqual(all.map(({ PolicyName }) => PolicyName).toSorted(), ['js-1', 'js-2', 'js-3', 'js-4', 'js-5']);
      for (const { PolicyName } of all) await client.send(new sdk.DeleteResourcePolicyCommand({ PolicyName }));
      const { ResourcePolicies } = await client.send(new sdk.ListResourcePoliciesCommand({}));
      assert.deepEqual(ResourcePolicies, []);
    });

    it('reads and changes encryption, destination and indexing', async () => {
      const KeyId = 'alias/js';
      const put = await client.send(new sdk.PutEncryptionConfigCommand({ Type: 'KMS', KeyId }));
      assert.deepEqual(put.EncryptionConfig, { KeyId, Status: 'UPDATING', Type: 'KMS' });
      await client.send(new sdk.PutEncryptionConfigCommand({ Type: 'NONE' }));
      const { EncryptionConfig } = await client.send(new sdk.GetEncryptionConfigCommand({}));
      assert.deepEqual(EncryptionConfig, { Status: 'ACTIVE', Type: 'NONE' });

      const moved = await client.send(new sdk.UpdateTraceSegmentDestinationCommand({ Destination: 'CloudWatchLogs' }));
      assert.equal(moved.Destination, 'CloudWatchLogs');
      await client.send(new sdk.UpdateTraceSegmentDestinationCommand({ Destination: 'XRay' }));
      const { Destination } = await client.send(new sdk.GetTraceSegmentDestinationCommand({}));
      assert.equal(Destination, 'XRay');

      const Rule = { Probabilistic: { DesiredSamplingPercentage: 7.5 } };
      await client.send(new sdk.UpdateIndexingRuleCommand({ Name: 'Default', Rule }));
      const { IndexingRules = [] } = await client.send(new sdk.GetIndexingRulesCommand({}));
      assert.equal(IndexingRules[0]?.Rule?.Probabilistic?.DesiredSamplingPercentage, 7.5);
      assert.ok(IndexingRules[0]?.ModifiedAt instanceof Date);
      await assert.rejects(
        client.send(new sdk.UpdateIndexingRuleCommand({ Name: 'other', Rule })),
        sdk.ResourceNotFoundException,
      );
    });

    it('retrieves traces, in both formats and page by page', async () => {
      const ids = [traceId, traceIdOf('js-consumer', at, 1)];
      const start = new sdk.StartTraceRetrievalCommand({ TraceIds: ids, ...rangeAround(at) });
      const { RetrievalToken } = await client.send(start);
      for (const TraceFormat of Object.values(sdk.TraceFormatType)) {
        const traces: sdk.RetrievedTrace[] = [];
        let NextToken: string | undefined;
        do {
          const page = await eventually('the retrieval to be complete', async () => {
            const list = new sdk.ListRetrievedTracesCommand({ RetrievalToken, TraceFormat, NextToken });
            const answer = await client.send(list);
            return answer.RetrievalStatus === 'COMPLETE' ? answer : undefined;
          });
          traces.push(...(page.Traces ?? []));
          NextToken = page.NextToken;
        } while (NextToken);
        assert.deepEqual(new Set(traces.map(({ Id }) => Id)), new Set(ids));
        for (const { Spans = [] } of traces) for (const { Document = '' } of Spans) JSON.parse(Document);
      }
      const graph = await client.send(new sdk.GetRetrievedTracesGraphCommand({ RetrievalToken }));
      assert.ok((graph.Services ?? []).some(({ Service }) => Service?.Name === 'js-front'));
      await client.send(new sdk.CancelTraceRetrievalCommand({ RetrievalToken }));
      await assert.rejects(
        client.send(new sdk.ListRetrievedTracesCommand({ RetrievalToken: 'unknown' })),
        sdk.ResourceNotFoundException,
      );
    });

    it('is told by the classes of errors what was wrong', async () => {
      const six = Array.from({ length: 6 }, (_, i) => traceIdOf('js', at, i));
      const wrong = client.send(new sdk.BatchGetTracesCommand({ TraceIds: six }));
      await assert.rejects(wrong, (error) => {
        assert.ok(error instanceof sdk.InvalidRequestException);
        assert.ok(error instanceof sdk.XRayServiceException);
        assert.equal(error.$metadata.httpStatusCode, 400);
        assert.match(error.$metadata.requestId ?? '', /^[0-9a-f-]{36}$/);
        assert.match(error.message, /TraceIds/);
        return true;
      });
    });
  });
}

/** One trace a second, the oldest first; its ids in that order. */
async function putMany(
  client: sdk.XRayClient,
  { name, from, count }: { readonly name: string; readonly from: number; readonly count: number },
): Promise<readonly string[]> {
  const documents = Array.from({ length: count }, (_, number) => {
    const start = from + number;
    const id = (number + 1).toString(16).padStart(16, '0');
    return { name, id, trace_id: traceIdOf(name, start, number), start_time: start, end_time: start + 0.5 };
  });
  for (let start = 0; start < count; start += 50) {
    const TraceSegmentDocuments = documents.slice(start, start + 50).map((document) => JSON.stringify(document));
    await client.send(new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments }));
  }
  return documents.map(({ trace_id }) => trace_id);
}

function rangeAround(seconds: number, width = 60): { readonly StartTime: Date; readonly EndTime: Date } {
  return { StartTime: new Date((seconds - width) * 1000), EndTime: new Date((seconds + width) * 1000) };
}
