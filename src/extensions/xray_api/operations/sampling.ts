import { answerGetSamplingRules, answerGetSamplingTargets } from '../../../net/sampling-calls.ts';
import type { Operation } from '../operation.ts';

/** Sampling, by path (API reference 2016-04-12). */
export const samplingOperations: readonly (readonly [path: string, Operation])[] = [
  [
    '/GetSamplingRules',
    {
      name: 'GetSamplingRules',
      access: 'read',
      run: (request, { context }) => answerGetSamplingRules(context.sampling, request),
    },
  ],
  [
    '/SamplingTargets',
    {
      name: 'GetSamplingTargets',
      access: 'read',
      run: (request, { context }) => answerGetSamplingTargets(context.sampling, request),
    },
  ],
];
