export * from './rules.ts';
export * from './targets.ts';
