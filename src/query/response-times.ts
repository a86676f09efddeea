/** Response times are counted in buckets of equal width on a logarithmic scale. */
export const responseTimeScale = {
  bucketsPerDecade: 64,
  /** What is shorter counts with it. */
  secondsMin: 0.0001,
  /** Far more than two ways to compute a logarithm differ by, far less than a bucket. */
  roundingSlack: 1e-6,
} as const;

export function responseTimeBucket(seconds: number): number {
  const { bucketsPerDecade, secondsMin, roundingSlack } = responseTimeScale;
  return Math.floor(Math.log10(Math.max(seconds, secondsMin)) * bucketsPerDecade + roundingSlack);
}

/** Where a bucket begins, in seconds; `bucket + 0.5` is its middle. */
export function secondsOfBucket(bucket: number): number {
  return 10 ** (bucket / responseTimeScale.bucketsPerDecade);
}
