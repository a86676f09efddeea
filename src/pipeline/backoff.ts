import type { Backoff } from './component.ts';

/** `retry_on_failure` of the Collector as pauses; one that is not enabled still retries, since data must not be lost. */
export function backoffOf(retry: {
  readonly initial_interval: number;
  readonly max_interval: number;
  readonly multiplier: number;
  readonly randomization_factor: number;
}): Backoff {
  return {
    firstMs: retry.initial_interval,
    maxMs: retry.max_interval,
    multiplier: retry.multiplier,
    jitter: retry.randomization_factor,
  };
}
