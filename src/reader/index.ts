export * from './answers.ts';
export * from './reader.ts';
