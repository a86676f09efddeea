export * from './boosts.ts';
export * from './edit.ts';
export * from './preview.ts';
export * from './rules.ts';
export * from './seen.ts';
export * from './targets.ts';
