export * from './answers.ts';
export { compileDocument } from './document.ts';
export { matches, searchedNumber, type Groups } from './filter/match.ts';
export { expressionDepthMax, expressionLengthMax, parseFilter } from './filter/parse.ts';
export { printFilter } from './filter/print.ts';
export * from './filter/tree.ts';
export { digestTrace } from './digest.ts';
export {
  createGraphBuilder,
  graphNodesMax,
  histogramMilliseconds,
  toServiceGraph,
  type GraphBuilder,
} from './graph.ts';
export { createLinkList, type LinkList, type TraceLinks } from './links.ts';
export { parsePageToken, printPageToken, type PagePosition } from './page-token.ts';
export { summarise } from './summary.ts';
export { assembleTrace, subsegmentDepthMax } from './trace.ts';
