export * from './graph.ts';
export * from './ids.ts';
export * from './json.ts';
export * from './sampling.ts';
export * from './segment.ts';
export * from './span.ts';
export * from './time.ts';
export * from './trace.ts';
