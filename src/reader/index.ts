export * from './answers.ts';
export { digestSpans } from './assemble.ts';
export * from './reader.ts';
