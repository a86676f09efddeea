export * from './account.ts';
export * from './answers.ts';
export { digestSpans } from './assemble.ts';
export * from './groups.ts';
export * from './policies.ts';
export * from './reader.ts';
export * from './retrievals.ts';
export * from './retrieved.ts';
export * from './tags.ts';
