export * from './answers.ts';
export { digestSpans } from './assemble.ts';
export { openInsightDocuments, type InsightDocuments } from './insight-documents.ts';
export * from './insight-watcher.ts';
export * from './reader.ts';
