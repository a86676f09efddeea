export * from './answers.ts';
export * from './graphs.ts';
export * from './time-series.ts';
export { digestSpans } from './assemble.ts';
export * from './reader.ts';
