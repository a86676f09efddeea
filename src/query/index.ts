export * from './answers.ts';
export { linkConsumers, linksPerTraceMax, mayBeReceived, type Receive } from './consumers.ts';
export { compileDocument } from './document.ts';
export { groupOf, matches, searchedNumber, type Groups } from './filter/match.ts';
export {
  expressionDepthMax,
  expressionLengthMax,
  expressionTermsMax,
  parseFilter,
  parseSelector,
  type EntitySelector,
} from './filter/parse.ts';
export { printFilter, printText } from './filter/print.ts';
export * from './filter/tree.ts';
export { digestTrace } from './digest.ts';
export { diagnose } from './doctor/diagnose.ts';
export type { Finding } from './doctor/finding.ts';
export { eachNode } from './walk.ts';
export { secondsBetween } from './durations.ts';
export { createGraphBuilder, graphNodesMax, toPeriodStatistics, toServiceGraph, type GraphBuilder } from './graph.ts';
export * from './insights/index.ts';
export { pageOfGraph, type GraphPosition } from './graph-page.ts';
export { forecastFaults, forecastPeriods, selectStatistics, type PeriodStatistics } from './time-series.ts';
export { createLinkList, type DocumentLink, type LinkList, readLinks, type TraceLinks } from './links.ts';
export { normalOf, type NormalPlace } from './normal.ts';
export { outlineDepthMax, outlineOf, resourceMembers, workKind, type Outline, type Work } from './outline.ts';
export { parsePageToken, printPageToken, type PagePosition } from './page-token.ts';
export { responseTimeBucket, responseTimeScale, secondsOfBucket } from './response-times.ts';
export { summarise } from './summary.ts';
export { assembleTrace, subsegmentDepthMax } from './trace.ts';
export { pathOf, withoutValues } from './values.ts';
