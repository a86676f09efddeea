import * as sdk from '@aws-sdk/client-xray';

/** API reference 2016-04-12. */
const pathsUnlikeNames: Readonly<Record<string, string>> = {
  BatchGetTraces: '/Traces',
  GetEncryptionConfig: '/EncryptionConfig',
  GetGroups: '/Groups',
  GetInsight: '/Insight',
  GetInsightEvents: '/InsightEvents',
  GetInsightImpactGraph: '/InsightImpactGraph',
  GetInsightSummaries: '/InsightSummaries',
  GetSamplingStatisticSummaries: '/SamplingStatisticSummaries',
  GetSamplingTargets: '/SamplingTargets',
  GetServiceGraph: '/ServiceGraph',
  GetTimeSeriesServiceStatistics: '/TimeSeriesServiceStatistics',
  GetTraceGraph: '/TraceGraph',
  GetTraceSummaries: '/TraceSummaries',
  PutTelemetryRecords: '/TelemetryRecords',
  PutTraceSegments: '/TraceSegments',
};

/** Path of every operation of the AWS SDK, by name. */
export const operationPaths: ReadonlyMap<string, string> = new Map(
  Object.keys(sdk)
    .filter((name) => /^[A-Z]\w*Command$/.test(name))
    .map((name) => name.replace(/Command$/, ''))
    .map((name) => [name, pathsUnlikeNames[name] ?? `/${name}`]),
);
